'use strict';

// How WebSockets of WSServer end: codes, who begins, who does not answer.

const assert = require('assert');
const { failsWith } = require('../support/ipworks');
const { OPCODES, RecordedWebSockets, frame, webSockets } = require('../support/websocket');

const { text, binary, close } = OPCODES;

/** [statusCode, description] of the first Disconnected. */
async function end(recorded) {
  const { statusCode, description } = await recorded.first('Disconnected');
  return [statusCode, description];
}

/** The payload of a Close frame. */
function closing(code, reason = '') {
  return Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]);
}

describe('WSServer, closing', () => {
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 4999]) {
    it(`WS-E-09 to 18: a client closes with ${code}`, async () => {
      const recorded = await webSockets();
      const { client, id } = await recorded.connectRaw();
      client.write(frame(close, closing(code, 'grüße')));
      assert.deepStrictEqual(await end(recorded), [code, 'grüße']);
      assert.strictEqual((await client.closeFrame())[0], code);
      await client.close();
      assert.strictEqual(recorded.of('Disconnected')[0].connectionId, id);
      assert.strictEqual(recorded.server.getWSConnectionCount(), 0);
      assert.deepStrictEqual(recorded.of('Error'), []);
      failsWith(126, () => recorded.server.getWSConnectionHost(id));
    });
  }

  it('WS-E-09: no code is 1005, no Close frame 1006', async () => {
    const recorded = await webSockets();
    const { client } = await recorded.connectRaw();
    client.write(frame(close));
    assert.deepStrictEqual(await end(recorded), [1005, '']);
    const other = await recorded.connectRaw();
    other.client.socket.end();
    await recorded.first('Disconnected', 1);
    assert.strictEqual(recorded.of('Disconnected')[1].statusCode, 1006);
    const third = await recorded.connectRaw();
    third.client.socket.resetAndDestroy();
    await recorded.first('Disconnected', 2);
    assert.strictEqual(recorded.of('Disconnected')[2].statusCode, 1006);
  });

  for (const [name, bytes, code] of [
    ['an unmasked frame', frame(text, 'x', { masked: false }), 1002],
    ['an unknown opcode', frame(3, 'x'), 1002],
    ['reserved bits', frame(text, 'x', { rsv: 1 }), 1002],
    ['a continuation of nothing', frame(0, 'x'), 1002],
    ['a fragmented ping', frame(9, 'x', { fin: false }), 1002],
    ['a long ping', frame(9, Buffer.alloc(126)), 1002],
    ['a message in a message', Buffer.concat([frame(text, 'x', { fin: false }), frame(text, 'y')]), 1002],
    ['a Close code of one byte', frame(close, 'x'), 1002],
    ['a Close code that nobody may send', frame(close, closing(1005)), 1002],
    ['text that is not UTF-8', frame(text, Buffer.from([0xff])), 1007],
    ['a reason that is not UTF-8', frame(close, Buffer.from([3, 0xe8, 0xff])), 1007],
    ['a frame of 17 MiB', Buffer.from([0x82, 0xff, 0, 0, 0, 0, 1, 0x10, 0, 0, 0, 0, 0, 0]), 1009],
    ['a length above 2^63', Buffer.from([0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 1002],
  ]) {
    it(`WS-E-12, WS-E-14, WS-E-16, WS-E-19: ${name} is answered ${code}`, async () => {
      const recorded = await webSockets();
      const { client, id } = await recorded.connectRaw();
      client.write(bytes);
      assert.strictEqual((await client.closeFrame())[0], code);
      await client.close();
      assert.strictEqual((await end(recorded))[0], code);
      const { connectionId, errorCode, description } = await recorded.first('Error');
      assert.deepStrictEqual([connectionId, errorCode], [id, code]);
      assert.notStrictEqual(description, '');
    });
  }

  it('WS-M-03, WS-C-02, WS-C-03: disconnect() says what the settings say, and waits for the answer', async () => {
    const recorded = await webSockets(() => {},
      { settings: ['DisconnectStatusCode=4000', 'DisconnectStatusDescription=tschüß'] });
    const { server } = recorded;
    const { client, id } = await recorded.connectRaw();
    await server.send(id, 'last words');
    await server.disconnect(id);
    assert.strictEqual(String((await client.frame()).payload), 'last words');
    assert.deepStrictEqual(await client.closeFrame(), [4000, 'tschüß']);
    await server.disconnect(id);
    await server.doEvents();
    assert.deepStrictEqual(recorded.of('Disconnected'), []);
    client.write(frame(text, 'nobody hears this')).write(frame(close, closing(4000)));
    await client.close();
    assert.strictEqual((await end(recorded))[0], 4000);
    assert.deepStrictEqual(recorded.of('DataIn'), []);
  });

  it('WS-C-02, WS-P-05: 1000 by default, and setting Connected to false closes', async () => {
    const recorded = await webSockets();
    const { client, id } = await recorded.connect();
    recorded.server.setWSConnectionConnected(id, false);
    assert.deepStrictEqual(await client.closed, [1000, '']);
    assert.deepStrictEqual(await end(recorded), [1000, '']);
    const other = await recorded.connect();
    const connection = recorded.server.getConnections().get(other.id);
    connection.connected = true;
    assert.strictEqual(connection.isConnected(), true);
    connection.connected = false;
    assert.deepStrictEqual(await other.client.closed, [1000, '']);
  });

  it('WS-C-08: without WaitForCloseResponse the end does not wait', async () => {
    const recorded = await webSockets(() => {}, { settings: ['WaitForCloseResponse=False', 'DisconnectStatusCode=4001'] });
    const { client, id } = await recorded.connectRaw();
    await recorded.server.disconnect(id);
    assert.deepStrictEqual(await client.closeFrame(), [4001, '']);
    await client.close();
    assert.deepStrictEqual(await end(recorded), [4001, '']);
  });

  it('WS-C-08, WS-P-24: a client that never answers is not waited for longer than its Timeout', async () => {
    const recorded = await webSockets((server) => server.setDefaultTimeout(1));
    const { client, id } = await recorded.connectRaw();
    await recorded.server.disconnect(id);
    await client.closeFrame();
    await client.close();
    assert.strictEqual((await end(recorded))[0], 1006);
  });

  it('WS-C-08, WS-P-24: the answer is waited for as long as Timeout says, or 30 seconds', async () => {
    const { server } = new RecordedWebSockets();
    assert.deepStrictEqual(server._farewell({ sender: { timeout: 0 } }), { code: 1000, reason: '', wait: 30_000 });
    assert.strictEqual(server._farewell({ sender: { timeout: 7 } }).wait, 7_000);
    await server.config('WaitForCloseResponse=False');
    assert.strictEqual(server._farewell({ sender: { timeout: 7 } }).wait, 0);
  });

  it('WS-M-11, WS-E-11: shutdown() closes every client', async () => {
    const recorded = await webSockets(() => {}, { tls: true, settings: ['DisconnectStatusCode=1001'] });
    const clients = [];
    for (let i = 0; i < 3; i++) clients.push((await recorded.connect()).client);
    await recorded.server.shutdown();
    for (const client of clients) assert.deepStrictEqual(await client.closed, [1001, '']);
    assert.deepStrictEqual(recorded.of('Disconnected').map((e) => e.statusCode), [1001, 1001, 1001]);
    assert.strictEqual(recorded.server.isListening(), false);
    await recorded.server.startListening();
    await recorded.connect();
  });

  it('what is sent in answer to the last message leaves before the Close', async () => {
    const recorded = await webSockets((server) => server.on('DataIn', async (e) => {
      await null;
      await server.send(e.connectionId, e.text);
    }));
    const { client } = await recorded.connectRaw();
    client.write(Buffer.concat([frame(text, 'a'), frame(text, 'b'), frame(close, closing(1000))]));
    assert.strictEqual(String((await client.frame()).payload), 'a');
    assert.strictEqual(String((await client.frame()).payload), 'b');
    assert.deepStrictEqual(await client.closeFrame(), [1000, '']);
  });

  it('so does what waits for an earlier send, with a Timeout', async () => {
    const recorded = await webSockets((server) => {
      server.setDefaultTimeout(60);
      server.on('DataIn', (e) => {
        server.sendBytes(e.connectionId, Buffer.alloc(4 << 20));
        server.send(e.connectionId, e.text);
      });
    }, { settings: ['MaxFrameSize=10000000', 'EnablePermessageDeflate=False'] });
    const { client } = await recorded.connectRaw();
    client.write(Buffer.concat([frame(text, 'a'), frame(close, closing(1000))]));
    assert.strictEqual((await client.frame()).payload.length, 4 << 20);
    assert.strictEqual(String((await client.frame()).payload), 'a');
    assert.deepStrictEqual(await client.closeFrame(), [1000, '']);
  });

  it('a paused client answers a Close too', async () => {
    const recorded = await webSockets();
    const { server } = recorded;
    const { client, id } = await recorded.connectRaw();
    await server.pauseData(id);
    client.write(frame(text, 'nobody hears this'));
    await server.disconnect(id);
    await client.closeFrame();
    client.write(frame(close, closing(1000)));
    assert.deepStrictEqual(await end(recorded), [1000, '']);
    assert.deepStrictEqual(recorded.of('DataIn'), []);
  });

  it('in LineMode too, and lines come before Disconnected', async () => {
    const recorded = await webSockets((server) => {
      server.on('Connected', (e) => { server.changeLineMode(e.connectionId, true); });
      server.on('DataIn', (e) => { if (e.EOL) server.send(e.connectionId, e.text); });
    });
    const { client } = await recorded.connectRaw();
    client.write(Buffer.concat([frame(text, 'a\nb\nrest'), frame(close, closing(1000))]));
    assert.strictEqual(String((await client.frame()).payload), 'a');
    assert.strictEqual(String((await client.frame()).payload), 'b');
    assert.strictEqual((await client.closeFrame())[0], 1000);
    await end(recorded);
    assert.deepStrictEqual(recorded.of('DataIn').map((e) => [e.text, e.EOL]), [['a', true], ['b', true], ['rest', false]]);
  });

  it('WS-E-09: a WSConnection can still be looked at in Disconnected', async () => {
    let seen;
    const recorded = await webSockets((server) => server.on('Disconnected', (e) => {
      const connection = server.getConnections().get(e.connectionId);
      seen = [connection.isConnected(), connection.getRequestURI()];
    }));
    const { client } = await recorded.connect({ path: '/last' });
    client.ws.close();
    await end(recorded);
    assert.deepStrictEqual(seen, [false, '/last']);
  });

  it('a client may close while the server sends to it', async () => {
    const recorded = await webSockets((server) => server.setDefaultTimeout(60));
    const { server } = recorded;
    const { client, id } = await recorded.connectRaw();
    client.socket.pause();
    const sending = server.sendBytes(id, Buffer.alloc(8 << 20)).catch((error) => error.code);
    client.write(frame(binary, 'x')).write(frame(close, closing(1000)));
    await recorded.data(1);
    client.socket.destroy();
    assert.ok([4202, 10054].includes(await sending));
  });
});
