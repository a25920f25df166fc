'use strict';

// What SSLServer sends: forms, full queues, waiting sends, files.

const assert = require('assert');
const crypto = require('crypto');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { failsWith, listening } = require('../support/ipworks');
const { event, readBytes } = require('../support/net');
const { within } = require('../support/time');

const MIB = 1 << 20;
const BLOCK = 64 * 1024;

/** A client that does not read until `client.resume()`. */
async function lazy(recorded) {
  const { client, id } = await recorded.connect();
  client.pause();
  const received = [];
  const made = { client, id, length: 0, received: () => Buffer.concat(received) };
  client.on('data', (chunk) => {
    received.push(chunk);
    made.length += chunk.length;
  });
  client.pause();
  return made;
}

/** Sends blocks until one is not taken whole; what was taken altogether, and of the last. */
async function fill(server, connection) {
  const id = connection.getConnectionId();
  let total = 0;
  for (let i = 0; i < 10_000; i++) {
    const error = await server.send(id, Buffer.alloc(BLOCK, i)).catch((reason) => reason);
    total += connection.getBytesSent();
    if (error !== undefined) {
      assert.strictEqual(error.code, 10035, error.stack);
      return { total, last: connection.getBytesSent() };
    }
    assert.strictEqual(connection.getBytesSent(), BLOCK);
  }
  throw new Error('the queue has no end');
}

/** Until a send is refused whole. */
async function fillUp(server, connection) {
  let { total, last } = await fill(server, connection);
  while (last > 0) {
    const more = await fill(server, connection);
    total += more.total;
    ({ last } = more);
  }
  return total;
}

function drained(lazyClient, length) {
  return within(8_000, new Promise((resolve) => {
    const look = () => {
      if (lazyClient.length >= length) resolve();
    };
    lazyClient.client.on('data', look);
    look();
    lazyClient.client.resume();
  }), `${length} bytes`);
}

/** The client reads on until it has `length` bytes, and the server knows that they have left. */
async function allTaken(recorded, slow, length) {
  const before = recorded.of('DataIn').length;
  await drained(slow, length);
  // What comes is told behind the end of what was sent.
  slow.client.write('x');
  await recorded.first('DataIn', before);
}

describe('SSLServer, sending', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-send-'));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  function makeFile(name, length) {
    const file = path.join(folder, name);
    const content = crypto.randomBytes(length);
    fs.writeFileSync(file, content);
    return { file, content };
  }

  it('SSL-M-09, SSL-M-10, SSL-M-12, SSL-M-13, D-40: bytes, text and lines', async () => {
    const recorded = await listening();
    const { server } = recorded;
    const { client, id } = await recorded.connect();
    await server.send(id, new Uint8Array([1, 2]));
    await server.sendBytes(id, Buffer.from([3]));
    await server.sendBytes(id, new Uint16Array([0x0504]));
    await server.sendBytes(id, new Uint8Array([6]).buffer);
    await server.sendText(id, 'ä');
    await server.sendLine(id, 'line');
    await server.sendLine(id, '');
    await server.send(id, new Uint8Array(0));
    await server.send(id, 'as text');
    const expected = Buffer.concat([Buffer.from([1, 2, 3, 4, 5, 6]), Buffer.from('äline\r\n\r\nas text')]);
    assert.deepStrictEqual(await readBytes(client, expected.length), expected);
    for (const call of [
      server.send(id, 5), server.send(id), server.sendBytes(id, {}), server.sendText(id, Buffer.from('x')),
      server.sendLine(id, null),
    ]) await failsWith(10022, call);
  });

  it('SSL-CN-02, SSL-CN-10, SSL-E-22, SSL-E-23, D-39: a full queue takes a part, then nothing, then says when', async () => {
    const recorded = await listening();
    const { server } = recorded;
    const slow = await lazy(recorded);
    const connection = recorded.connection(slow.id);
    await recorded.first('ReadyToSend');
    assert.strictEqual(connection.isReadyToSend(), true);
    const first = await fill(server, connection);
    assert.ok(first.last < BLOCK);
    // A part was taken: nobody says when there is room.
    const partial = first.last > 0;
    if (partial) {
      assert.strictEqual(connection.isReadyToSend(), true);
      await drained(slow, first.total);
      assert.strictEqual(recorded.of('ReadyToSend').length, 1);
      slow.client.pause();
    }
    const before = partial ? 1 : 0;
    const total = first.total + (partial ? await fillUp(server, connection) : 0);
    assert.strictEqual(connection.getBytesSent(), 0);
    assert.strictEqual(connection.isReadyToSend(), false);
    assert.strictEqual(recorded.of('ReadyToSend').length, 1);
    const ready = recorded.first('ReadyToSend', before || 1);
    await drained(slow, total);
    assert.deepStrictEqual({ ...await ready }, { connectionId: slow.id });
    assert.strictEqual(connection.isReadyToSend(), true);
    await server.sendText(slow.id, 'end');
    await drained(slow, total + 3);
    assert.strictEqual(slow.length, total + 3, 'what was refused was sent');
    assert.strictEqual(recorded.of('ReadyToSend').length, 2);
  });

  it('SSL-E-18 to 21, SSL-M-09: what fails and nobody looks at is an Error; a full queue once until there is room', async () => {
    const recorded = await listening();
    const { server } = recorded;
    const slow = await lazy(recorded);
    const connection = recorded.connection(slow.id);
    let total = await fillUp(server, connection);
    const ignore = () => {
      for (let i = 0; i < 3; i++) {
        server.send(slow.id, Buffer.alloc(16 * MIB));
        total += connection.getBytesSent();
      }
    };
    const seen = await Promise.allSettled([server.send(slow.id, Buffer.alloc(16 * MIB)), server.sendLine(slow.id, 'x'.repeat(16 * MIB))]);
    assert.deepStrictEqual(seen.map(({ reason }) => reason.code), [10035, 10035]);
    await server.doEvents();
    assert.deepStrictEqual(recorded.of('Error'), [], 'the program looked');
    ignore();
    assert.deepStrictEqual({ ...await recorded.first('Error') },
      { connectionId: slow.id, errorCode: 10035, description: '[10035] Operation would block.' });
    await allTaken(recorded, slow, total);
    slow.client.pause();
    ignore();
    await recorded.first('Error', 1);
    server.sendFile(slow.id, path.join(folder, 'missing'));
    slow.client.resume();
    assert.strictEqual((await recorded.first('Error', 2)).errorCode, 10022);
    // The end of a client is told by Disconnected.
    slow.client.pause();
    connection.setTimeout(60);
    server.send(slow.id, Buffer.alloc(24 * MIB));
    server.interrupt(slow.id);
    server.send(slow.id, Buffer.alloc(24 * MIB));
    slow.client.destroy();
    await recorded.first('Disconnected');
    await server.doEvents();
    assert.strictEqual(recorded.of('Error').length, 3);
  });

  it('SSL-E-18: a full queue that took a part is told again when all has left', async () => {
    const recorded = await listening();
    const { server } = recorded;
    const slow = await lazy(recorded);
    const connection = recorded.connection(slow.id);
    for (const round of [1, 2]) {
      slow.client.pause();
      server.send(slow.id, Buffer.alloc(24 * MIB));
      const taken = connection.getBytesSent();
      assert.ok(taken > 0 && taken < 24 * MIB, String(taken));
      await recorded.first('Error', round - 1);
      await allTaken(recorded, slow, slow.length + taken);
    }
    assert.strictEqual(recorded.of('ReadyToSend').length, 1);
  });

  it('SSL-C-09, D-44: the queue takes as much as OutBufferSize says', async () => {
    const taken = [];
    // The kernel takes some megabytes besides.
    for (const size of [0, 16 * MIB]) {
      const recorded = await listening(undefined, { settings: [`OutBufferSize=${size}`] });
      const slow = await lazy(recorded);
      taken.push(await fillUp(recorded.server, recorded.connection(slow.id)));
    }
    assert.ok(taken[1] - taken[0] >= 8 * MIB, taken.join());
  });

  it('SSL-E-22: ReadyToSend comes behind Connected', async () => {
    const recorded = await listening();
    await recorded.connect();
    await recorded.first('ReadyToSend');
    assert.deepStrictEqual(recorded.events.map(([name]) => name).filter((name) => name !== 'SSLStatus'),
      ['Connected', 'ReadyToSend']);
  });

  it('SSL-CN-15, SSL-P-07: with a Timeout a send waits until all has left, and BytesSent is 0', async () => {
    const recorded = await listening((server) => server.setDefaultTimeout(60));
    const { server } = recorded;
    const slow = await lazy(recorded);
    const connection = recorded.connection(slow.id);
    assert.strictEqual(connection.getTimeout(), 60);
    const content = crypto.randomBytes(24 * MIB);
    let done = false;
    const sent = server.send(slow.id, content).then(() => { done = true; });
    // In order, whoever waits.
    const behind = server.sendText(slow.id, 'behind');
    for (let i = 0; i < 10; i++) await server.doEvents();
    assert.strictEqual(done, false);
    assert.strictEqual(connection.getBytesSent(), 0);
    await drained(slow, content.length + 6);
    await Promise.all([sent, behind]);
    assert.strictEqual(connection.getBytesSent(), 0);
    assert.ok(slow.received().equals(Buffer.concat([content, Buffer.from('behind')])));
    assert.strictEqual(recorded.of('ReadyToSend').length, 1);
  });

  it('SSL-CN-15: a client that takes nothing for so long is error 10060, and stays', async () => {
    const recorded = await listening((server) => server.setDefaultTimeout(1));
    const { server } = recorded;
    const slow = await lazy(recorded);
    const waiting = [server.send(slow.id, Buffer.alloc(24 * MIB)), server.sendText(slow.id, 'behind')];
    await Promise.all(waiting.map((one) => failsWith(10060, one)));
    assert.strictEqual(recorded.connection(slow.id).isConnected(), true);
    assert.strictEqual(recorded.of('Disconnected').length, 0);
    slow.client.resume();
    recorded.connection(slow.id).setTimeout(60);
    await server.sendText(slow.id, 'goes on');
    await drained(slow, 1);
    await server.disconnect(slow.id);
    await event(slow.client, 'end');
    assert.strictEqual(String(slow.received().subarray(-7)), 'goes on');
  });

  it('SSL-CN-15: the time begins anew with every byte that the client takes', async () => {
    const recorded = await listening((server) => server.setDefaultTimeout(1));
    const slow = await lazy(recorded);
    const started = Date.now();
    // So slow that all of it takes longer than the timeout; never so slow that nothing is taken for so long.
    slow.client.on('data', () => {
      slow.client.pause();
      setTimeout(() => slow.client.resume(), Date.now() - started < 2500 ? 2 : 0);
    });
    slow.client.resume();
    await recorded.server.send(slow.id, Buffer.alloc(24 * MIB));
    assert.ok(Date.now() - started > 1000, 'it was no slow client');
  });

  it('SSL-M-05: interrupt() ends a waiting send, not the connection', async () => {
    const recorded = await listening((server) => server.setDefaultTimeout(60));
    const { server } = recorded;
    const slow = await lazy(recorded);
    await server.interrupt(slow.id);
    const waiting = failsWith(10004, server.send(slow.id, Buffer.alloc(24 * MIB)));
    const behind = server.sendText(slow.id, 'behind');
    await server.interrupt(slow.id);
    await waiting;
    await drained(slow, 1);
    await behind;
    await server.disconnect(slow.id);
    await event(slow.client, 'end');
    const received = slow.received();
    assert.ok(received.length < 24 * MIB);
    assert.strictEqual(String(received.subarray(-6)), 'behind');
  });

  it('a send that waits fails when the client goes, and when it is disconnected', async () => {
    for (const go of [(slow) => slow.client.destroy(), (slow, server) => {
      server.disconnect(slow.id);
      slow.client.destroy();
    }]) {
      const recorded = await listening((server) => server.setDefaultTimeout(60));
      const slow = await lazy(recorded);
      const waiting = recorded.server.send(slow.id, Buffer.alloc(24 * MIB)).catch((error) => error);
      go(slow, recorded.server);
      const error = await waiting;
      assert.ok([10053, 10054].includes(error?.code), String(error?.stack));
      await recorded.first('Disconnected');
      await failsWith(126, recorded.server.send(slow.id, 'x'));
    }
  });

  it('SSL-M-11: a file, its progress, and what is sent behind it', async () => {
    const { file, content } = makeFile('large', 6 * MIB + 5);
    const recorded = await listening();
    const { server } = recorded;
    const slow = await lazy(recorded);
    const seen = [];
    await server.sendText(slow.id, 'before');
    const sent = server.sendFile(slow.id, file, (done, total) => seen.push([done, total]));
    const behind = server.sendText(slow.id, 'behind');
    await drained(slow, content.length + 12);
    await Promise.all([sent, behind]);
    assert.ok(slow.received().equals(Buffer.concat([Buffer.from('before'), content, Buffer.from('behind')])));
    assert.ok(seen.length >= 2, String(seen));
    assert.ok(seen.every(([done, total], i) => total === content.length && done > (seen[i - 1]?.[0] ?? 0)),
      String(seen));
    assert.deepStrictEqual(seen.at(-1), [content.length, content.length]);
    // Empty ones, one behind another.
    const empty = makeFile('empty', 0);
    const small = makeFile('small', 10);
    await Promise.all([server.sendFile(slow.id, empty.file), server.sendFile(slow.id, small.file)]);
    await drained(slow, content.length + 22);
    assert.ok(slow.received().subarray(-10).equals(small.content));
  });

  it('SSL-M-11: a file that is not there, or is none, is an error and nothing else', async () => {
    const recorded = await listening();
    const { server } = recorded;
    const { client, id } = await recorded.connect();
    await failsWith(10022, server.sendFile(id, path.join(folder, 'missing')), /ENOENT/);
    await failsWith(10022, server.sendFile(id, folder), /EISDIR/);
    await failsWith(10022, server.sendFile(id, 5));
    await failsWith(10022, server.sendFile(id, folder, 'not a function'));
    await server.sendText(id, 'on');
    assert.strictEqual(String(await readBytes(client, 2)), 'on');
  });

  it('SSL-M-05, SSL-M-11: interrupt() ends a file, and the connection goes on', async () => {
    const { file } = makeFile('interrupted', 32 * MIB);
    const recorded = await listening();
    const { server } = recorded;
    const slow = await lazy(recorded);
    const sending = failsWith(10004, server.sendFile(slow.id, file));
    // Whatever the Timeout, a file makes what comes behind it wait.
    const behind = server.sendText(slow.id, 'behind');
    assert.strictEqual(recorded.connection(slow.id).getBytesSent(), 0);
    for (let i = 0; i < 5; i++) await server.doEvents();
    await server.interrupt(slow.id);
    await sending;
    await behind;
    assert.strictEqual(recorded.connection(slow.id).isConnected(), true);
    slow.client.resume();
    await server.disconnect(slow.id);
    await event(slow.client, 'end');
    const received = slow.received();
    assert.ok(received.length < 32 * MIB, String(received.length));
    assert.strictEqual(String(received.subarray(-6)), 'behind');
  });

  it('SSL-M-11, SSL-CN-15: a Timeout counts for files too, and sends wait behind them', async () => {
    const { file, content } = makeFile('stalled', 32 * MIB);
    const recorded = await listening((server) => server.setDefaultTimeout(1));
    const { server } = recorded;
    const slow = await lazy(recorded);
    await failsWith(10060, server.sendFile(slow.id, file));
    slow.client.destroy();
    await recorded.first('Disconnected');
    const quick = await recorded.connect();
    const order = [];
    let length = 0;
    quick.client.on('data', (chunk) => { length += chunk.length; });
    await Promise.all([
      server.sendFile(quick.id, file).then(() => order.push('file')),
      server.sendText(quick.id, 'behind').then(() => order.push('text')),
    ]);
    assert.deepStrictEqual(order, ['file', 'text']);
    await server.disconnect(quick.id);
    await event(quick.client, 'end');
    assert.strictEqual(length, content.length + 6);
  });

  it('SSL-P-02: to all clients', async () => {
    const recorded = await listening();
    const clients = [];
    for (let i = 0; i < 5; i++) clients.push((await recorded.connect()).client);
    for (const [id] of recorded.server.getConnections()) await recorded.server.sendLine(id, 'to all');
    for (const client of clients) assert.strictEqual(String(await readBytes(client, 8)), 'to all\r\n');
  });
});
