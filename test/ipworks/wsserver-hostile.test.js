'use strict';

// Clients of WSServer that mean no good, and those that are only slow. Each is bounded in bytes and in time.

const assert = require('assert');
const zlib = require('zlib');
const { OPCODES, dialRaw, frame, request, webSockets } = require('../support/websocket');

const { continuation, text, binary, ping } = OPCODES;
const more = { fin: false };
const MIB = 1 << 20;

/** Another client is served meanwhile. */
async function assertServes(recorded) {
  const { client } = await recorded.connect();
  const before = recorded.of('DataIn').length;
  client.send('still there?');
  await recorded.until(() => recorded.of('DataIn').slice(before).some((e) => e.text === 'still there?'), 'an answer');
}

describe('WSServer, hostile clients', () => {
  it('frames that come a byte at a time', async () => {
    const recorded = await webSockets(() => {}, { settings: ['BufferMessage=True'] });
    const { client } = await recorded.connectRaw();
    client.socket.setNoDelay(true);
    const bytes = Buffer.concat([frame(text, 'grü', more), frame(ping, 'p'), frame(continuation, 'ße'),
      frame(binary, Buffer.alloc(300, 7))]);
    for (const byte of bytes) {
      client.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    const [first, second] = await recorded.data(2);
    assert.deepStrictEqual(first, ['grüße', 1, true, false]);
    assert.strictEqual(second[0].length, 300);
  });

  it('endless fragments of a message that is put together end with 1009', async () => {
    const recorded = await webSockets(() => {}, { settings: ['BufferMessage=True'] });
    const { client } = await recorded.connectRaw();
    client.write(frame(binary, '', more));
    const block = frame(continuation, Buffer.alloc(64 * 1024), more);
    // The last one is beyond 16 MiB. Nothing may follow it: a client that still writes may be reset before it has read.
    for (let size = 0; size <= 16 * MIB; size += 64 * 1024) client.write(block);
    assert.strictEqual((await client.closeFrame())[0], 1009);
    await recorded.first('Disconnected');
    assert.deepStrictEqual(recorded.of('DataIn'), []);
    await assertServes(recorded);
  });

  it('MaxMessageSize says how much a message may be', async () => {
    const recorded = await webSockets(() => {}, { settings: ['BufferMessage=True', 'MaxMessageSize=1000'] });
    const say = async (...frames) => {
      const { client } = await recorded.connectRaw();
      client.write(Buffer.concat(frames));
      return client;
    };
    const [within, beyond] = [500, 501].map((length) => frame(continuation, Buffer.alloc(length)));
    await say(frame(binary, Buffer.alloc(1000)), frame(binary, Buffer.alloc(500), more), within);
    assert.deepStrictEqual((await recorded.data(2)).map(([bytes]) => bytes.length), [1000, 1000]);
    for (const frames of [[frame(binary, Buffer.alloc(1001))], [frame(binary, Buffer.alloc(500), more), beyond]]) {
      const client = await say(...frames);
      assert.strictEqual((await client.closeFrame())[0], 1009);
    }
    await recorded.server.config(`MaxMessageSize=${18 * MIB}`);
    await say(frame(binary, Buffer.alloc(17 * MIB)));
    assert.strictEqual((await recorded.data(3))[2][0].length, 17 * MIB);
  });

  it('endless empty fragments end with 1008', async () => {
    const recorded = await webSockets();
    const { client } = await recorded.connectRaw();
    client.write(frame(binary, 'x', more));
    client.write(Buffer.concat(new Array(132_000).fill(frame(continuation, '', more))));
    assert.strictEqual((await client.closeFrame())[0], 1008);
    assert.strictEqual((await recorded.first('Disconnected')).statusCode, 1008);
    await assertServes(recorded);
  });

  it('a flood of pings ends with 1008', async () => {
    const recorded = await webSockets();
    const { client } = await recorded.connectRaw();
    client.write(Buffer.concat(new Array(5000).fill(frame(ping, 'x'))));
    assert.strictEqual((await client.closeFrame())[0], 1008);
    assert.strictEqual((await recorded.first('Disconnected')).statusCode, 1008);
    assert.ok(recorded.of('Ping').length <= 1000, String(recorded.of('Ping').length));
    await assertServes(recorded);
  });

  it('a bomb of zeros ends with 1009', async () => {
    const recorded = await webSockets(() => {}, { settings: ['BufferMessage=True'] });
    const { client } = await recorded.connectRaw({ headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } });
    const bomb = zlib.deflateRawSync(Buffer.alloc(64 * MIB), { finishFlush: zlib.constants.Z_SYNC_FLUSH });
    client.write(frame(binary, bomb.subarray(0, -4), { rsv: 4 }));
    assert.strictEqual((await client.closeFrame())[0], 1009);
    assert.deepStrictEqual(recorded.of('DataIn'), []);
    await assertServes(recorded);
  });

  it('compression that was not agreed, or is none, ends the connection', async () => {
    const recorded = await webSockets(() => {}, { settings: ['EnablePermessageDeflate=False'] });
    const { client } = await recorded.connectRaw({ headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } });
    client.write(frame(text, 'x', { rsv: 4 }));
    assert.strictEqual((await client.closeFrame())[0], 1002);
    await recorded.server.config('EnablePermessageDeflate=True');
    const other = await recorded.connectRaw({ headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } });
    other.client.write(frame(binary, Buffer.from([0xff, 0xff, 0xff]), { rsv: 4 }));
    assert.ok([1002, 1007].includes((await other.client.closeFrame())[0]));
  });

  it('headers without an end are answered before they fill memory', async () => {
    const recorded = await webSockets();
    const client = await dialRaw(recorded);
    client.write('GET / HTTP/1.1\r\n');
    for (let i = 0; i < 1000 && !client.ended; i++) client.write(`X-${i}: ${'x'.repeat(1000)}\r\n`);
    assert.strictEqual((await client.head()).status, 431);
    await client.close();
    await assertServes(recorded);
  });

  it('what follows a rejected request is no request', async () => {
    let count = 0;
    const recorded = await webSockets((server) => server.on('WebSocketOpenRequest', (e) => {
      count++;
      e.statusCode = 403;
    }));
    const client = await dialRaw(recorded);
    client.write(request() + request());
    assert.strictEqual((await client.head()).status, 403);
    await client.close();
    assert.strictEqual(count, 1);
  });

  it('a client that sends and never reads keeps its own queue full, and nobody else\'s', async () => {
    const recorded = await webSockets((server) => server.on('DataIn', (e) => {
      server.send(e.connectionId, e.textB).catch((error) => recorded.note('refused', error));
    }));
    const { client, id } = await recorded.connectRaw();
    client.socket.pause();
    const block = frame(binary, Buffer.alloc(16_000, 1));
    for (let i = 0; i < 4000 && recorded.of('refused').length === 0; i++) {
      if (!client.socket.write(block)) await recorded.server.doEvents();
    }
    await recorded.first('refused');
    assert.ok(recorded.of('refused').every(({ code }) => code === 10035));
    await assertServes(recorded);
    assert.strictEqual(recorded.server.getWSConnectionConnected(id), true);
  });

  it('a program that pauses stops a client that floods', async () => {
    const recorded = await webSockets();
    const { client, id } = await recorded.connectRaw();
    await recorded.server.pauseData(id);
    const block = frame(binary, Buffer.alloc(MIB));
    let stuck = false;
    for (let i = 0; i < 256 && !stuck; i++) {
      if (client.socket.write(block)) continue;
      const drained = new Promise((resolve) => { client.socket.once('drain', () => resolve(true)); });
      stuck = !await Promise.race([drained, new Promise((resolve) => { setTimeout(resolve, 1000, false); })]);
    }
    assert.ok(stuck, 'it took 256 MiB');
    assert.deepStrictEqual(recorded.of('DataIn'), []);
    await assertServes(recorded);
  });

  it('a client that never answers a Close, and one that answers with more data, end all the same', async () => {
    const recorded = await webSockets((server) => server.setDefaultTimeout(1));
    const silent = await recorded.connectRaw();
    const talking = await recorded.connectRaw();
    await recorded.server.disconnect(silent.id);
    await recorded.server.disconnect(talking.id);
    const timer = setInterval(() => talking.client.write(frame(text, 'blah')), 20);
    try {
      await silent.client.close();
      await talking.client.close();
      await recorded.until(() => recorded.of('Disconnected').length === 2, 'both gone');
    } finally {
      clearInterval(timer);
    }
    assert.deepStrictEqual(recorded.of('DataIn'), []);
  });

  it('clients that vanish while they are asked about, open or close leave nothing behind', async () => {
    const recorded = await webSockets((server) => server.on('WebSocketOpenRequest', () => new Promise(setImmediate)));
    for (let i = 0; i < 60; i++) {
      const client = await dialRaw(recorded);
      if (i % 4 > 0) client.write(request());
      if (i % 4 > 1) await client.head();
      if (i % 4 > 2) client.write(frame(8, Buffer.from([3, 232])));
      client.socket.resetAndDestroy();
    }
    await assertServes(recorded);
    await recorded.until(() => recorded.server.getWSConnectionCount() === 1, 'one client');
    await recorded.server.shutdown();
    assert.strictEqual(recorded.server._handles.size, 0);
  });
});
