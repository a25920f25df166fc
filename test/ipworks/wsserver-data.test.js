'use strict';

// What comes to WSServer: messages and their parts, lines, pings, pauses.

const assert = require('assert');
const zlib = require('zlib');
const { failsWith } = require('../support/ipworks');
const { OPCODES, frame, webSockets } = require('../support/websocket');

const { close, continuation, text, binary, ping, pong } = OPCODES;
const more = { fin: false };

describe('WSServer, data', () => {
  it('WS-E-03 to 08: text and bytes', async () => {
    const recorded = await webSockets();
    const { client, id } = await recorded.connect();
    client.send('grüße');
    client.send(Buffer.from([0, 255, 1]));
    client.send('');
    await recorded.data(3);
    const events = recorded.of('DataIn');
    assert.deepStrictEqual(events.map((e) => [e.connectionId, e.dataFormat, e.EOM, e.EOL]),
      [[id, 1, true, false], [id, 2, true, false], [id, 1, true, false]]);
    assert.strictEqual(events[0].text, 'grüße');
    assert.deepStrictEqual([...events[1].textB], [0, 255, 1]);
    assert.ok(events[1].textB instanceof Uint8Array);
    assert.strictEqual(events[2].text, '');
    for (const field of ['connectionId', 'dataFormat', 'text', 'textB', 'EOM', 'EOL']) {
      assert.throws(() => { events[0][field] = 0; }, TypeError, field);
    }
    assert.strictEqual(JSON.parse(JSON.stringify(events[0])).dataFormat, 1);
  });

  it('WS-E-06, WS-C-55: bytes are text of the code page, text always UTF-8', async () => {
    const recorded = await webSockets(() => {}, { settings: ['CodePage=1252'] });
    const { client } = await recorded.connect();
    client.send(Buffer.from([0x80]));
    client.send('€');
    assert.deepStrictEqual((await recorded.data(2)).map(([part]) => part), ['€', '€']);
    const raw = await recorded.connectRaw();
    raw.client.write(frame(text, '€', more)).write(frame(continuation, '€'));
    assert.deepStrictEqual((await recorded.data(4)).slice(2).map(([part]) => part), ['€', '€']);
  });

  it('WS-E-05, WS-E-07, WS-C-01: parts of a message come as they arrive, the last with EOM', async () => {
    const recorded = await webSockets();
    const { client } = await recorded.connectRaw();
    client.write(frame(text, 'one', more));
    await recorded.data(1);
    client.write(frame(continuation, 'two', more));
    await recorded.data(2);
    client.write(frame(continuation, 'three'));
    assert.deepStrictEqual(await recorded.data(3),
      [['one', 1, false, false], ['two', 0, false, false], ['three', 0, true, false]]);
    client.write(frame(binary, 'four', more));
    client.write(frame(continuation, ''));
    assert.deepStrictEqual((await recorded.data(5)).slice(3), [['four', 2, false, false], ['', 0, true, false]]);
  });

  it('WS-E-06, D-66: a character that is split over parts is not torn', async () => {
    const recorded = await webSockets();
    const { client } = await recorded.connectRaw();
    const bytes = Buffer.from('a€b😀c');
    for (const [at, byte] of bytes.entries()) {
      client.write(frame(at === 0 ? text : continuation, Buffer.from([byte]), { fin: at === bytes.length - 1 }));
    }
    await recorded.until(() => recorded.of('DataIn').some(({ EOM }) => EOM), 'the last part');
    const parts = recorded.of('DataIn').map((e) => e.text);
    assert.strictEqual(parts.join(''), 'a€b😀c');
    assert.ok(parts.every((part) => !part.includes('\ufffd')), JSON.stringify(parts));
  });

  it('WS-C-01: with BufferMessage a message comes whole, for clients that are there already too', async () => {
    const recorded = await webSockets();
    const { client } = await recorded.connectRaw();
    await recorded.server.config('BufferMessage=True');
    client.write(frame(text, 'one', more)).write(frame(continuation, 'two', more)).write(frame(ping, 'p'))
      .write(frame(continuation, 'three'));
    assert.deepStrictEqual(await recorded.data(1), [['onetwothree', 1, true, false]]);
    await recorded.server.config('BufferMessage=False');
    client.write(frame(text, 'parts', more));
    assert.deepStrictEqual((await recorded.data(2))[1], ['parts', 1, false, false]);
  });

  it('WS-C-04: compressed messages', async () => {
    const recorded = await webSockets(() => {}, { settings: ['BufferMessage=True'] });
    const { client } = await recorded.connectRaw({ headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } });
    const long = 'compress me '.repeat(1000);
    const squeezed = zlib.deflateRawSync(long, { finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4);
    assert.ok(squeezed.length < 200);
    client.write(frame(text, squeezed, { rsv: 4 }));
    assert.strictEqual((await recorded.data(1))[0][0], long);
  });

  it('WS-M-01, WS-P-15, WS-E-05, WS-E-08: in LineMode DataIn comes for lines, whatever the messages are', async () => {
    const recorded = await webSockets();
    const { server } = recorded;
    const { client, id } = await recorded.connect();
    await server.changeLineMode(id, true);
    assert.strictEqual(server.getWSConnectionLineMode(id), true);
    client.send('one\r\ntwo\nthr');
    client.send(Buffer.from('ee\rfour'));
    client.send('\r');
    client.send('\nfive\n');
    assert.deepStrictEqual(await recorded.data(5), [['one', 0, false, true], ['two', 0, false, true],
      ['three', 0, false, true], ['four', 0, true, true], ['five', 0, true, true]]);
    client.send('no line');
    await server.doEvents();
    await server.changeLineMode(id, false);
    client.send('a message\n');
    await recorded.data(7);
    assert.strictEqual(recorded.of('DataIn').slice(5).map((e) => e.text).join(''), 'no linea message\n');
    await failsWith(10022, server.changeLineMode(id, 1));
  });

  it('WS-M-01: a mode set in Connected holds for what has come already, and one set in DataIn for the next byte', async () => {
    const recorded = await webSockets((server) => {
      server.on('Connected', (e) => { server.changeLineMode(e.connectionId, true); });
      server.on('DataIn', (e) => { if (e.text === 'messages') server.changeLineMode(e.connectionId, false); });
    });
    const { client } = await recorded.connectRaw();
    client.write(frame(text, 'a\nmessages\nb\nc'));
    await recorded.data(3);
    assert.deepStrictEqual(recorded.of('DataIn').map((e) => [e.text, e.EOL, e.EOM]),
      [['a', true, false], ['messages', true, false], ['b\nc', false, true]]);
  });

  it('WS-M-01, WS-E-05: messages that have come already are messages again without LineMode', async () => {
    const recorded = await webSockets((server) => {
      server.on('Connected', (e) => { server.changeLineMode(e.connectionId, true); });
      server.on('DataIn', (e) => { if (e.text === 'messages') server.changeLineMode(e.connectionId, false); });
    });
    const { client } = await recorded.connectRaw();
    client.write(Buffer.concat([frame(text, 'a\nmessages\nb\nc'), frame(text, 'd', more), frame(continuation, ''),
      frame(binary, 'e'), frame(text, ''), frame(text, 'f')]));
    assert.deepStrictEqual(await recorded.data(6), [['a', 0, false, true], ['messages', 0, false, true],
      ['b\nc', 0, true, false], ['d', 1, true, false], ['e', 2, true, false], ['f', 1, true, false]]);
  });

  it('WS-E-06, WS-C-55: a line is text of the kind of message that it began in', async () => {
    const recorded = await webSockets((server) => {
      server.on('Connected', (e) => { server.changeLineMode(e.connectionId, true); });
    }, { settings: ['CodePage=1252'] });
    const { client } = await recorded.connectRaw();
    client.write(Buffer.concat([frame(text, '€\n'), frame(binary, Buffer.from([0x80, 10])), frame(text, ''),
      frame(text, '\n€\n')]));
    assert.deepStrictEqual(await recorded.data(4),
      [['€', 0, true, true], ['€', 0, true, true], ['', 0, false, true], ['€', 0, true, true]]);
  });

  it('WS-C-06, WS-E-08: MaxLineLength is a connection\'s, cuts without EOL, and tears no character', async () => {
    const recorded = await webSockets(() => {}, { settings: ['MaxLineLength=4'] });
    const { server } = recorded;
    const { client, id } = await recorded.connect();
    assert.strictEqual(await server.config(`MaxLineLength[${id}]`), '4');
    await server.changeLineMode(id, true);
    client.send('aaa€bbbb\n');
    assert.deepStrictEqual((await recorded.data(3)).map(([part, , , EOL]) => [part, EOL]),
      [['aaa', false], ['€b', false], ['bbb', true]]);
    assert.strictEqual(await server.config(`MaxLineLength[${id}]=100`), '100');
    client.send('dddddddddd\n');
    assert.deepStrictEqual((await recorded.data(4))[3], ['dddddddddd', 0, true, true]);
    await failsWith(10022, server.config(`MaxLineLength[${id}]=0`));
  });

  it('WS-E-25 to 28: pings and pongs are told, and pings answered', async () => {
    const recorded = await webSockets();
    const { client, id } = await recorded.connectRaw();
    client.write(frame(ping, 'marco')).write(frame(pong, 'unasked'));
    const answer = await client.frame();
    assert.deepStrictEqual([answer.opcode, answer.payload.toString()], [pong, 'marco']);
    await recorded.first('Ping', 1);
    assert.deepStrictEqual(recorded.of('Ping').map((e) => [e.connectionId, e.payload, e.response]),
      [[id, 'marco', false], [id, 'unasked', true]]);
    assert.ok(recorded.of('Ping')[0].payloadB instanceof Uint8Array);
  });

  it('WS-P-03, WS-M-14, D-62: paused clients are not read, and nothing is lost', async () => {
    const recorded = await webSockets();
    const { server } = recorded;
    const { client, id } = await recorded.connect();
    await server.pauseData(id);
    assert.strictEqual(server.getWSConnectionAcceptData(id), false);
    for (let i = 0; i < 10; i++) client.send(String(i));
    await server.doEvents();
    assert.deepStrictEqual(recorded.of('DataIn'), []);
    await server.processData(id);
    assert.strictEqual((await recorded.data(10)).map(([part]) => part).join(''), '0123456789');
    server.setWSConnectionAcceptData(id, false);
    client.send('held');
    await server.doEvents();
    assert.strictEqual(recorded.of('DataIn').length, 10);
    server.getConnections().get(id).acceptData = true;
    await recorded.data(11);
  });

  it('WS-P-03: what came before a Close comes before Disconnected, when it is paused too', async () => {
    const recorded = await webSockets((server) => server.on('DataIn', (e) => {
      if (e.text === 'first') server.pauseData(e.connectionId);
    }));
    const { client, id } = await recorded.connectRaw();
    // At once: behind the pause nothing more is read of a client.
    client.write(Buffer.concat([frame(text, 'first'), frame(text, 'second'), frame(text, 'third'),
      frame(close, Buffer.from('\x03\xe8done', 'latin1'))]));
    assert.deepStrictEqual(await client.closeFrame(), [1000, '']);
    assert.deepStrictEqual(recorded.of('DataIn').map((e) => e.text), ['first']);
    assert.deepStrictEqual(recorded.of('Disconnected'), []);
    await recorded.server.processData(id);
    await recorded.first('Disconnected');
    assert.deepStrictEqual(recorded.of('DataIn').map((e) => e.text), ['first', 'second', 'third']);
  });

  it('events of a client have promise jobs between them', async () => {
    const order = [];
    const recorded = await webSockets((server) => server.on('DataIn', async (e) => {
      order.push(e.text);
      await null;
      order.push(`${e.text} later`);
    }));
    const { client } = await recorded.connectRaw();
    client.write(Buffer.concat([frame(text, 'a'), frame(text, 'b'), frame(text, 'c')]));
    await recorded.data(3);
    await recorded.server.doEvents();
    assert.deepStrictEqual(order, ['a', 'a later', 'b', 'b later', 'c', 'c later']);
  });

  it('a connection is an async iterator of its data, until it has gone', async () => {
    const recorded = await webSockets();
    const { client, id } = await recorded.connect();
    const messages = recorded.server.getConnections().get(id)[Symbol.asyncIterator]();
    client.ws.send('one');
    client.ws.send(Buffer.from('two'));
    for (const wanted of [['one', 1], ['two', 2]]) {
      const { value } = await messages.next();
      assert.deepStrictEqual([value.text, value.dataFormat], wanted);
    }
    client.ws.close();
    assert.strictEqual((await messages.next()).done, true);
  });
});
