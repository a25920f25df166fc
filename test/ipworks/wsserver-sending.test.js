'use strict';

// What WSServer sends: forms, fragments, full queues, waiting sends, pings, files, one message for many.

const assert = require('assert');
const crypto = require('crypto');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { failsWith } = require('../support/ipworks');
const { OPCODES, frame, webSockets } = require('../support/websocket');

const { continuation, text, binary, ping, pong } = OPCODES;
const MIB = 1 << 20;

/** The next frames of a raw client: [opcode, fin, text]. */
async function frames(client, count) {
  const found = [];
  for (let i = 0; i < count; i++) {
    const { opcode, fin, payload } = await client.frame();
    found.push([opcode, fin, payload.toString()]);
  }
  return found;
}

/** Sends blocks until one is not taken; what was taken altogether. */
async function fill(server, id, size = 16384) {
  let taken = 0;
  for (let i = 0; i < 100_000; i++) {
    const error = await server.sendBytes(id, Buffer.alloc(size, i)).catch((reason) => reason);
    taken += server.getWSConnectionBytesSent(id);
    if (error !== undefined) {
      assert.strictEqual(error.code, 10035, error.stack);
      if (server.getWSConnectionBytesSent(id) === 0) return taken;
    }
  }
  throw new Error('the queue has no end');
}

describe('WSServer, sending', () => {
  it('WS-M-07, WS-M-08, WS-M-10, WS-P-08, D-63: text and bytes', async () => {
    const recorded = await webSockets();
    const { server } = recorded;
    const { client, id } = await recorded.connect();
    await server.send(id, 'text');
    assert.strictEqual(server.getWSConnectionBytesSent(id), 4);
    await server.send(id, Buffer.from([0, 255]));
    await server.sendBytes(id, 'bytes');
    await server.sendText(id, 'grüße');
    assert.strictEqual(server.getWSConnectionBytesSent(id), 7);
    await server.send(id, new Uint16Array([0x4142]));
    await server.send(id, '');
    assert.deepStrictEqual(await client.received(6), [['text', false], [Buffer.from([0, 255]), true],
      [Buffer.from('bytes'), true], ['grüße', false], [Buffer.from('BA'), true], ['', false]]);
    for (const call of [server.send(id, 5), server.sendBytes(id), server.sendText(id, Buffer.from('x'))]) {
      await failsWith(10022, call);
    }
  });

  it('WS-P-09 to 12: DataFormat says what send() makes of it', async () => {
    const recorded = await webSockets();
    const { server } = recorded;
    const { client, id } = await recorded.connectRaw();
    const connection = server.getConnections().get(id);
    connection.dataFormat = 1;
    await server.send(id, Buffer.from('grüße'));           // UTF-8 already
    await server.send(id, Buffer.from([0x67, 0xfc]));      // not UTF-8
    assert.deepStrictEqual(await frames(client, 2), [[text, true, 'grüße'], [text, true, 'gü']]);
    await server.config('CodePage=1252');
    await server.send(id, Buffer.from([0x80]));
    assert.deepStrictEqual(await frames(client, 1), [[text, true, '€']]);
    connection.setDataFormat(2);
    await server.send(id, 'x');
    await server.sendText(id, 'y');
    assert.deepStrictEqual(await frames(client, 2), [[binary, true, 'x'], [text, true, 'y']]);
    server.setWSConnectionDataFormat(id, 9);
    await server.send(id, 'are you there');
    server.setWSConnectionDataFormat(id, 10);
    connection.dataToSend = 'here';
    assert.deepStrictEqual(await frames(client, 2), [[ping, true, 'are you there'], [pong, true, 'here']]);
    await failsWith(10040, server.send(id, 'x'.repeat(126)));
    await server.send(id, 'x'.repeat(125));
    await server.sendBytes(id, 'z');
    assert.deepStrictEqual((await frames(client, 2)).map(([opcode]) => opcode), [pong, binary]);
  });

  it('WS-P-13: DataToSend sends, and throws what send() rejects with', async () => {
    const recorded = await webSockets();
    const { server } = recorded;
    const { client, id } = await recorded.connect();
    server.getConnections().get(id).dataToSend = 'one';
    server.setWSConnectionDataToSend(id, Buffer.from('two'));
    assert.deepStrictEqual(await client.received(2), [['one', false], [Buffer.from('two'), true]]);
    failsWith(10022, () => server.setWSConnectionDataToSend(id, 1));
    client.ws.pause();
    do failsWith(10035, () => server.setWSConnectionDataToSend(id, Buffer.alloc(16 * MIB)));
    while (server.getWSConnectionBytesSent(id) > 0);
    assert.strictEqual(server.getWSConnectionReadyToSend(id), false);
  });

  it('WS-P-13, WS-P-24, WS-X-4202: with a Timeout DataToSend cannot throw: an Error event tells', async () => {
    const recorded = await webSockets((server) => server.setDefaultTimeout(60));
    const { server } = recorded;
    const { client, id } = await recorded.connectRaw();
    client.socket.pause();
    server.setWSConnectionDataToSend(id, Buffer.alloc(16 * MIB));
    await server.interrupt(id);
    const { errorCode, connectionId } = await recorded.first('Error');
    assert.deepStrictEqual([errorCode, connectionId], [10004, id]);
  });

  it('WS-C-05: without a Timeout a message longer than MaxFrameSize leaves as several', async () => {
    const recorded = await webSockets(() => {}, { settings: ['MaxFrameSize=4'] });
    const { server } = recorded;
    const { client, id } = await recorded.connectRaw();
    await server.sendText(id, 'aaa€bbbb');
    assert.strictEqual(server.getWSConnectionBytesSent(id), 10);
    assert.deepStrictEqual(await frames(client, 3), [[text, true, 'aaa'], [text, true, '€b'], [text, true, 'bbb']]);
    await server.sendBytes(id, '123456');
    assert.deepStrictEqual(await frames(client, 2), [[binary, true, '1234'], [binary, true, '56']]);
    // No character is torn over messages, only over frames.
    await server.config('MaxFrameSize=1');
    await server.sendText(id, 'aü€');
    assert.deepStrictEqual((await frames(client, 6)).map(([opcode, fin]) => [opcode, fin]), [
      [text, false], [continuation, false], [continuation, true],
      [text, false], [continuation, false], [continuation, true],
    ]);
    await server.config('MaxFrameSize=100');
    await server.sendBytes(id, '123456');
    assert.deepStrictEqual(await frames(client, 1), [[binary, true, '123456']]);
  });

  it('WS-C-05, WS-P-24: with a Timeout it leaves as one, in frames of MaxFrameSize', async () => {
    const recorded = await webSockets((server) => server.setDefaultTimeout(60), { settings: ['MaxFrameSize=4'] });
    const { server } = recorded;
    const { client, id } = await recorded.connectRaw();
    await server.sendText(id, 'aaa€bbbb');
    assert.strictEqual(server.getWSConnectionBytesSent(id), 0);
    const found = await frames(client, 3);
    assert.deepStrictEqual(found.map(([opcode, fin]) => [opcode, fin]),
      [[text, false], [continuation, false], [continuation, true]]);
    await server.config('MaxFrameSize=100');
    await server.sendText(id, 'aaa€bbbb');
    assert.deepStrictEqual(await frames(client, 1), [[text, true, 'aaa€bbbb']]);
    await server.sendBytes(id, '');
    assert.deepStrictEqual(await frames(client, 1), [[binary, true, '']]);
  });

  it('WS-C-04: what has 1 KiB or more is compressed for clients that agreed', async () => {
    const recorded = await webSockets(() => {}, { settings: ['MaxFrameSize=100000'] });
    const { server } = recorded;
    const agreed = await recorded.connectRaw({ headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } });
    const other = await recorded.connectRaw();
    for (const [{ client, id }, length, rsv] of [[agreed, 1023, 0], [agreed, 1024, 4], [other, 1024, 0]]) {
      await server.sendText(id, 'x'.repeat(length));
      const sent = await client.frame();
      assert.strictEqual(sent.rsv, rsv, String(length));
      assert.strictEqual(sent.payload.length < length, rsv === 4);
    }
  });

  it('WS-C-07: MessageLength makes one message of several sends', async () => {
    const recorded = await webSockets();
    const { server } = recorded;
    const { client, id } = await recorded.connectRaw();
    assert.strictEqual(await server.config(`MessageLength[${id}]`), '0');
    await server.config(`MessageLength[${id}]=8`);
    await server.sendText(id, 'abc');
    assert.strictEqual(await server.config(`MessageLength[${id}]`), '5');
    await failsWith(10037, server.config(`MessageLength[${id}]=9`));
    await server.ping(id);
    await server.sendText(id, 'def');
    await server.sendText(id, 'ghi');
    await server.sendText(id, 'jkl');
    const sent = (await frames(client, 6)).filter(([opcode]) => opcode !== ping);
    assert.deepStrictEqual(sent, [[text, false, 'abc'], [continuation, false, 'def'], [continuation, true, 'gh'],
      [text, true, 'i'], [text, true, 'jkl']]);
    assert.strictEqual(await server.config(`MessageLength[${id}]`), '0');
  });

  it('WS-M-07, WS-P-18, WS-E-29: a full queue is 10035, and ReadyToSend follows', async () => {
    const recorded = await webSockets();
    const { server } = recorded;
    const { client, id } = await recorded.connect();
    await recorded.first('ReadyToSend');
    client.ws.pause();
    const taken = await fill(server, id);
    assert.strictEqual(server.getWSConnectionReadyToSend(id), false);
    client.ws.resume();
    await recorded.first('ReadyToSend', 1);
    assert.strictEqual(server.getWSConnectionReadyToSend(id), true);
    await server.send(id, 'end');
    await client.received(Math.ceil(taken / 16384) + 1);
    const messages = client.messages;
    assert.strictEqual(messages.at(-1)[0], 'end');
    assert.strictEqual(messages.slice(0, -1).reduce((sum, [bytes]) => sum + bytes.length, 0), taken);
    messages.slice(0, -1).forEach(([bytes], i) => assert.ok(bytes.every((byte) => byte === (i & 255))));
  });

  it('WS-P-24: with a Timeout sends wait, 10060 when nothing moves, and interrupt() ends one', async () => {
    const recorded = await webSockets((server) => server.setDefaultTimeout(1));
    const { server } = recorded;
    const { client, id } = await recorded.connectRaw();
    client.socket.pause();
    await failsWith(10060, server.sendBytes(id, Buffer.alloc(32 * MIB)));
    const other = await recorded.connectRaw();
    server.setWSConnectionTimeout(other.id, 60);
    other.client.socket.pause();
    const interrupted = failsWith(10004, server.sendBytes(other.id, Buffer.alloc(32 * MIB)));
    await server.interrupt(other.id);
    await interrupted;
    assert.strictEqual(server.getWSConnectionConnected(other.id), true);
  });

  it('WS-M-06: ping() waits for its pong', async () => {
    const recorded = await webSockets((server) => server.setDefaultTimeout(60));
    const { server } = recorded;
    const { client, id } = await recorded.connectRaw();
    const order = [];
    const first = server.ping(id).then(() => order.push('first'));
    const second = server.ping(id).then(() => order.push('second'));
    const { opcode, payload } = await client.frame();
    assert.strictEqual(opcode, ping);
    const later = await client.frame();
    assert.notDeepStrictEqual(later.payload, payload);
    client.write(frame(pong, 'something else'));
    await recorded.first('Ping');
    assert.deepStrictEqual(order, []);
    client.write(frame(pong, payload));
    await first;
    await recorded.first('Ping', 1);
    assert.deepStrictEqual(order, ['first']);
    client.write(frame(pong, later.payload));
    await second;
    assert.ok(recorded.of('Ping').every(({ response }) => response));
  });

  it('WS-M-06: a pong for a later ping answers the earlier ones too', async () => {
    const recorded = await webSockets((server) => server.setDefaultTimeout(60));
    const { client, id } = await recorded.connectRaw();
    const all = [1, 2, 3].map(() => recorded.server.ping(id));
    let last;
    for (let i = 0; i < 3; i++) last = await client.frame();
    client.write(frame(pong, last.payload));
    await Promise.all(all);
  });

  it('WS-M-06, D-64: without a pong 10060, without a Timeout at once, and 4202 when the client goes', async () => {
    const recorded = await webSockets((server) => server.setDefaultTimeout(1));
    const { server } = recorded;
    const { client, id } = await recorded.connectRaw();
    await failsWith(10060, server.ping(id));
    server.setWSConnectionTimeout(id, 0);
    await server.ping(id);
    server.setWSConnectionTimeout(id, 60);
    const lost = failsWith(4202, server.ping(id));
    client.socket.resetAndDestroy();
    await lost;
  });

  it('WS-M-06: too many pings without a pong are refused', async () => {
    const recorded = await webSockets();
    const { server } = recorded;
    const { id } = await recorded.connectRaw();
    for (let i = 0; i < 64; i++) await server.ping(id);
    await failsWith(10055, server.ping(id));
  });

  it('WS-P-12: pongs that the client does not take are refused beyond 128 KiB', async () => {
    const recorded = await webSockets();
    const { server } = recorded;
    const { client, id } = await recorded.connectRaw();
    client.socket.pause();
    await fill(server, id);
    server.setWSConnectionDataFormat(id, 10);
    const payload = Buffer.alloc(125);
    let taken = 0;
    let error;
    // What the kernel still takes comes on top.
    for (; taken < 100_000 && error === undefined; taken++) {
      error = await server.send(id, payload).catch((reason) => reason);
    }
    assert.strictEqual(error?.code, 10055);
    assert.ok(taken >= 1000, `${taken} pongs`);
    assert.strictEqual(server.getWSConnectionConnected(id), true);
  });

  it('WS-X-4202: a send to a client that is leaving', async () => {
    const recorded = await webSockets();
    const { server } = recorded;
    const { id } = await recorded.connectRaw();
    await server.disconnect(id);
    await failsWith(4202, server.sendText(id, 'x'));
    await failsWith(4202, server.ping(id));
    server.setWSConnectionDataFormat(id, 10);
    await failsWith(4202, server.send(id, 'x'));
    failsWith(4202, () => server.setWSConnectionDataToSend(id, 'x'));
    server.send(id, 'what nobody looks at ends no program');
    assert.strictEqual(await server.broadcast('x'), 0);
  });

  it('broadcast() gives one message to all, or to some', async () => {
    const recorded = await webSockets();
    const { server } = recorded;
    const all = [];
    for (let i = 0; i < 4; i++) all.push(await recorded.connect({ perMessageDeflate: i % 2 === 0 }));
    assert.strictEqual(await server.broadcast('to all'), 4);
    const some = all.slice(1, 3);
    assert.strictEqual(await server.broadcast(Buffer.from('to some'), some.map(({ id }) => id)), 2);
    const long = 'x'.repeat(100_000);
    assert.strictEqual(await server.broadcast(long), 4);
    for (const client of all) {
      const wanted = [['to all', false], ...(some.includes(client) ? [[Buffer.from('to some'), true]] : []), [long, false]];
      assert.deepStrictEqual(await client.client.received(wanted.length), wanted);
    }
    assert.strictEqual(await server.broadcast('nobody', ['0', 'x']), 0);
    await failsWith(10022, server.broadcast(5));
    for (const ids of [all[0].id, 5, null, {}]) await failsWith(10022, server.broadcast('x', ids), /connectionIds/);
  });

  it('broadcast() passes over who is full, or within a message', async () => {
    const recorded = await webSockets();
    const { server } = recorded;
    const slow = await recorded.connect();
    const busy = await recorded.connectRaw();
    const quick = await recorded.connect();
    slow.client.ws.pause();
    await server.config(`MessageLength[${busy.id}]=2`);
    await server.sendText(busy.id, 'x');
    let count = 2;
    for (let i = 1; i < 100 && count > 1; i++) {
      count = await server.broadcast(crypto.randomBytes(MIB));
      await quick.client.received(i);
    }
    assert.strictEqual(count, 1);
    await server.sendText(busy.id, 'y');
    assert.deepStrictEqual(await frames(busy.client, 2), [[text, false, 'x'], [continuation, true, 'y']]);
  });

  it('WS-M-09, D-65: a file is one binary message, and sends follow it', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-'));
    try {
      const recorded = await webSockets();
      const { server } = recorded;
      const { client, id } = await recorded.connect();
      const content = crypto.randomBytes(3 * MIB + 5);
      fs.writeFileSync(path.join(folder, 'file'), content);
      fs.writeFileSync(path.join(folder, 'empty'), '');
      const progress = [];
      const sending = server.sendFile(id, path.join(folder, 'file'), (sent, total) => progress.push([sent, total]));
      const behind = server.sendText(id, 'behind');
      await Promise.all([sending, behind]);
      await server.sendFile(id, path.join(folder, 'empty'));
      const messages = await client.received(3);
      assert.ok(messages[0][1] && messages[0][0].equals(content));
      assert.deepStrictEqual(messages[1], ['behind', false]);
      assert.deepStrictEqual(messages[2], [Buffer.alloc(0), true]);
      assert.deepStrictEqual(progress.at(-1), [content.length, content.length]);
      await failsWith(10022, server.sendFile(id, path.join(folder, 'missing')));
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it('WS-M-09: a file cannot begin within a message, and nothing waits for it', async () => {
    const recorded = await webSockets();
    const { server } = recorded;
    const { client, id } = await recorded.connectRaw();
    await server.config(`MessageLength[${id}]=2`);
    await server.sendText(id, 'x');
    await failsWith(10037, server.sendFile(id, __filename), /1 bytes are missing/);
    await server.sendText(id, 'y');
    assert.deepStrictEqual(await frames(client, 2), [[text, false, 'x'], [continuation, true, 'y']]);
  });

  it('WS-M-07: what nobody looks at is an Error, once until there is room', async () => {
    const recorded = await webSockets();
    const { server } = recorded;
    const { client, id } = await recorded.connectRaw();
    client.socket.pause();
    await fill(server, id);
    for (let i = 0; i < 3; i++) server.sendBytes(id, Buffer.alloc(16 * MIB));
    const { connectionId, errorCode } = await recorded.first('Error');
    assert.deepStrictEqual([connectionId, errorCode], [id, 10035]);
    await server.doEvents();
    assert.ok(recorded.of('Error').length <= 2, 'once for each time that there was room');
  });

  it('WS-M-05: interrupt() ends a file: its message ends short, and the client stays', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-'));
    try {
      const recorded = await webSockets();
      const { server } = recorded;
      const { client, id } = await recorded.connectRaw();
      fs.writeFileSync(path.join(folder, 'file'), Buffer.alloc(64 * MIB));
      client.socket.pause();
      const sending = failsWith(10004, server.sendFile(id, path.join(folder, 'file')));
      for (let i = 0; i < 5; i++) await server.doEvents();
      await server.interrupt(id);
      await sending;
      client.socket.resume();
      let last;
      do last = await client.frame();
      while (!last.fin);
      assert.strictEqual(last.opcode, continuation);
      await server.sendText(id, 'behind');
      assert.deepStrictEqual(await frames(client, 1), [[text, true, 'behind']]);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});
