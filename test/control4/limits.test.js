'use strict';

// What hostile or slow clients may occupy, and what happens at each limit.

const assert = require('assert');
const { makeDriver } = require('../support/control4');
const { closed, dialTcp, readAll, readBytes } = require('../support/net');

describe('Control4 limits', () => {
  it('C4-76 maxConnections: one more is closed at once, and told', async () => {
    const d = makeDriver({ limits: { maxConnections: 2 } });
    const port = await d.online((driver) => driver.CreateServer(0, '', false, 'two'));
    const clients = [await dialTcp(port), await dialTcp(port)];
    await d.handle(1);
    const third = await dialTcp(port);
    await closed(third.resume());
    assert.deepStrictEqual(await d.count('limit', 1), [[
      { name: 'maxConnections', value: 2, port, identifier: 'two', address: '127.0.0.1' },
    ]]);
    clients[0].destroy();
    await d.offline('connection', await d.handle(0));
    (await dialTcp(port)).write('room again');
    await d.first('data');
    assert.strictEqual(d.of('connection').filter(([, , status]) => status === 'ONLINE').length, 3);
  });

  it('C4-76 maxPendingSend: a client that does not read is closed, and told', async () => {
    const d = makeDriver({ limits: { maxPendingSend: 1 << 20 } });
    const port = await d.online((driver) => driver.CreateServer(0, '', false, 'slow'));
    const client = await dialTcp(port);
    client.on('error', () => {}).pause();
    const handle = await d.handle();
    const block = Buffer.alloc(256 * 1024);
    let sent = 0;
    // More than the kernel takes (some 6 MiB on loopback) and the limit.
    while (sent < 400 && d.driver.ServerSend(handle, block)) sent++;
    assert.ok(sent >= 4 && sent < 400, `${sent} blocks`);
    await d.offline('connection', handle);
    assert.deepStrictEqual(d.of('limit'), [[
      { name: 'maxPendingSend', value: 1 << 20, port, identifier: 'slow', handle, address: '127.0.0.1' },
    ]]);
    assert.strictEqual(d.driver.ServerSend(handle, 'x'), false);
    client.destroy();
  });

  it('C4-76 maxPendingSend: a single payload may be larger, when nothing waits before it', async () => {
    const d = makeDriver({ limits: { maxPendingSend: 1000 } });
    const port = await d.online((driver) => driver.CreateServer(0));
    const client = await dialTcp(port);
    const handle = await d.handle();
    const payload = Buffer.alloc(10 << 20, 'p');
    assert.strictEqual(d.driver.ServerSend(handle, payload), true);
    d.driver.ServerCloseClient(handle);
    assert.ok((await readAll(client)).equals(payload));
  });

  it('C4-76 maxDelimiterBuffer: a message that does not end closes its connection, and is told', async () => {
    const d = makeDriver({ limits: { maxDelimiterBuffer: 1000 } });
    const port = await d.online((driver) => driver.CreateServer(0, '\r\n', false, 'lines'));
    const client = await dialTcp(port);
    client.on('error', () => {}).resume();
    client.write(`${'a'.repeat(998)}\r\n`);
    await d.count('data', 1);
    const end = closed(client);
    client.write('b'.repeat(1001));
    await end;
    const handle = await d.handle();
    await d.offline('connection', handle);
    assert.strictEqual(d.texts()[0].length, 1000);
    assert.deepStrictEqual(d.of('limit'), [[
      { name: 'maxDelimiterBuffer', value: 1000, port, identifier: 'lines', handle, address: '127.0.0.1' },
    ]]);
    assert.deepStrictEqual(d.of('connectionError'), []);
    // Others are not concerned.
    const other = await dialTcp(port);
    other.write('x\r\n');
    await d.until(() => d.texts().includes('x\r\n'), 'the other\'s message');
  });

  it('C4-03 a delimiter behind 16 MiB of near matches is found', async () => {
    const d = makeDriver({ limits: { maxDelimiterBuffer: 32 << 20 } });
    const delimiter = `${'a'.repeat(63)}b`;
    const port = await d.online((driver) => driver.CreateServer(0, delimiter));
    const client = await dialTcp(port);
    const near = Buffer.alloc(16 << 20, 'a');
    client.write(near);
    client.write('b');
    const [, data] = await d.first('data');
    assert.strictEqual(data.length, near.length + 1);
    assert.strictEqual(data.at(-1), 'b'.charCodeAt(0));
  });

  it('C4-76 closeTimeoutMs: a client that takes nothing does not keep its connection', async () => {
    const d = makeDriver({ limits: { closeTimeoutMs: 100 } });
    const port = await d.online((driver) => driver.CreateServer(0));
    const client = await dialTcp(port);
    client.on('error', () => {}).pause();
    const handle = await d.handle();
    d.driver.ServerSend(handle, Buffer.alloc(15 << 20));
    d.driver.ServerCloseClient(handle);
    await d.offline('connection', handle);
    client.destroy();
  });

  it('connectionError tells why a connection broke', async () => {
    const d = makeDriver();
    const port = await d.online((driver) => driver.CreateServer(0, '', false, 'x'));
    const client = await dialTcp(port);
    const handle = await d.handle();
    d.driver.ServerSend(handle, 'hello');
    await readBytes(client, 5);
    client.resetAndDestroy();
    const [error, about] = await d.first('connectionError');
    assert.strictEqual(error.code, 'ECONNRESET');
    assert.deepStrictEqual(about, { handle, port, address: '127.0.0.1', identifier: 'x' });
  });

  it('connectionError does not come behind OFFLINE, when what was sent is still on its way', async () => {
    const d = makeDriver();
    const port = await d.online((driver) => driver.CreateServer(0));
    const client = (await dialTcp(port)).pause();
    client.on('error', () => {});
    d.driver.ServerSend(await d.handle(), Buffer.alloc(15 << 20));
    d.driver.DestroyServer();
    await d.offline('server', port);
    client.resetAndDestroy();
    await d.driver.close();
    assert.deepStrictEqual(d.calls.map(([name, ...args]) => `${name} ${args.includes('ONLINE') ? 'ONLINE' : 'OFFLINE'}`),
      ['server ONLINE', 'connection ONLINE', 'connection OFFLINE', 'server OFFLINE']);
  });
});
