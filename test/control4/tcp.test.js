'use strict';

// CreateServer over TCP: what a driver is told, in which order, and what its clients get.

const assert = require('assert');
const { Driver } = require('../../control4');
const { dialAt, makeDriver } = require('../support/control4');
const { dialTcp, freePorts, readAll, readBytes } = require('../support/net');

describe('Control4 CreateServer', () => {
  it('C4-01 C4-08 C4-53..56 a server is ONLINE once, after CreateServer has returned, OFFLINE once when it is destroyed', async () => {
    const d = makeDriver();
    assert.deepStrictEqual(d.driver.CreateServer(0, '\n', false, 'one'), [true]);
    assert.deepStrictEqual(d.calls, []);
    const [port, ...rest] = await d.first('server');
    assert.deepStrictEqual(rest, ['ONLINE', 'one']);
    assert.ok(port > 0 && port < 65536);
    (await dialTcp(port)).destroy();
    d.driver.DestroyServer(port);
    assert.strictEqual(d.of('server').length, 1);
    await d.offline('server', port);
    await d.driver.close();
    assert.deepStrictEqual(d.of('server'), [[port, 'ONLINE', 'one'], [port, 'OFFLINE', 'one']]);
    await assert.rejects(dialTcp(port), { code: 'ECONNREFUSED' });
  });

  it('C4-02 a port may be text, as properties are', async () => {
    const [port] = await freePorts(1);
    const d = makeDriver();
    assert.strictEqual(await d.online(({ CreateServer }) => CreateServer.call(d.driver, String(port))), port);
    d.driver.DestroyServer(` ${port} `);
    await d.offline('server', port);
  });

  for (const port of [undefined, null, '', ' ', 'abc', '-1', '0x50', -1, 65536, 1.5, NaN, Infinity, true, {}, [80], 10n]) {
    it(`C4-02 C4-09 port ${typeof port} ${String(port)} is [false, message]`, () => {
      const [ok, message] = new Driver().CreateServer(port);
      assert.strictEqual(ok, false);
      assert.match(message, /^port must be a whole number from 0 to 65535, not /);
    });
  }

  it('C4-03 C4-09 a delimiter that is no text is [false, message]', () => {
    for (const delimiter of [1, true, {}, []]) {
      const [ok, message] = new Driver().CreateServer(0, delimiter);
      assert.deepStrictEqual([ok, message], [false, 'delimiter must be a string or a Buffer']);
    }
    const [ok, message] = new Driver({ limits: { maxDelimiterBuffer: 4 } }).CreateServer(0, 'abcde');
    assert.strictEqual(ok, false);
    assert.match(message, /maxDelimiterBuffer/);
  });

  it('C4-03 a call for each payload, with its delimiter; the rest at the end, before OFFLINE (C4-04)', async () => {
    const d = makeDriver();
    const port = await d.online((driver) => driver.CreateServer(0, '\r\n'));
    const client = await dialTcp(port);
    client.write('one\r\ntwo\r');
    await d.count('data', 1);
    client.write('\n\r\nthree\r\r\n\nfour');
    client.end();
    const handle = await d.handle();
    await d.offline('connection', handle);
    assert.deepStrictEqual(d.texts(handle), ['one\r\n', 'two\r\n', '\r\n', 'three\r\r\n', '\nfour']);
    assert.deepStrictEqual(d.calls.map(([name]) => name),
      ['server', 'connection', 'data', 'data', 'data', 'data', 'data', 'connection']);
  });

  for (const [title, delimiter, sent, expected] of [
    ['NUL', '\0', 'a\0\0b\0', ['a\0', '\0', 'b\0']],
    ['a Buffer', Buffer.from([0xff, 0xfe]), Buffer.from([1, 0xff, 0xff, 0xfe, 2, 0xff, 0xfe]), [[1, 255, 255, 254], [2, 255, 254]]],
    ['many bytes', 'END-OF-MESSAGE', 'xEND-OF-MESSAGEEND-OF-END-OF-MESSAGE', ['xEND-OF-MESSAGE', 'END-OF-END-OF-MESSAGE']],
    ['that repeats itself', 'aab', 'aaabaab', ['aaab', 'aab']],
  ]) {
    it(`C4-03 C4-65 a delimiter of ${title}, byte by byte`, async () => {
      const d = makeDriver();
      const port = await d.online((driver) => driver.CreateServer(0, delimiter));
      const client = (await dialTcp(port)).setNoDelay(true);
      for (const byte of Buffer.from(sent)) client.write(Buffer.of(byte));
      await d.count('data', expected.length);
      assert.deepStrictEqual(d.of('data').map(([, data]) => data), expected.map((part) => Buffer.from(part)));
    });
  }

  it('C4-03 C4-65 without a delimiter bytes come as they arrive, all 256 values unchanged', async () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    for (const none of [undefined, null, '', Buffer.alloc(0)]) {
      const d = makeDriver();
      const port = await d.online((driver) => driver.CreateServer(0, none));
      const client = await dialTcp(port);
      client.write(all);
      await d.until(() => Buffer.concat(d.of('data').map(([, data]) => data)).equals(all), 'all bytes');
      assert.ok(d.of('data').every(([, data]) => Buffer.isBuffer(data)));
    }
  });

  it('C4-65 D-12 encoding gives strings, and takes them', async () => {
    for (const [encoding, sent] of [['latin1', 'gr\xfc\xdfe\xff'], ['utf8', 'größe €']]) {
      const d = makeDriver({ encoding });
      const port = await d.online((driver) => driver.CreateServer(0, '\n'));
      d.driver.OnServerDataIn = (handle, data) => {
        d.note('data', [handle, data]);
        d.driver.ServerSend(handle, data);
      };
      const client = await dialTcp(port);
      client.write(Buffer.from(`${sent}\n`, encoding));
      assert.strictEqual((await d.first('data'))[1], `${sent}\n`);
      const back = await readBytes(client, Buffer.byteLength(`${sent}\n`, encoding));
      assert.deepStrictEqual(back, Buffer.from(`${sent}\n`, encoding));
    }
  });

  it('C4-04 D-01 delimiterTimeoutMs gives what waits for its delimiter', async () => {
    const d = makeDriver({ delimiterTimeoutMs: 30 });
    const port = await d.online((driver) => driver.CreateServer(0, '\n'));
    const client = await dialTcp(port);
    client.write('no end');
    await d.count('data', 1);
    client.write('line\n');
    await d.count('data', 2);
    assert.deepStrictEqual(d.texts(), ['no end', 'line\n']);
  });

  it('C4-57..63 C4-66 C4-67 a connection is told with its address; data with its own port', async () => {
    const d = makeDriver();
    const port = await d.online((driver) => driver.CreateServer(0, '\n', false, 'id'));
    const client = await dialTcp(port);
    const { localPort } = client;
    client.end('x\n');
    const handle = await d.handle();
    await d.offline('connection', handle);
    assert.deepStrictEqual(d.calls.slice(1), [
      ['connection', handle, port, 'ONLINE', '127.0.0.1', 'id'],
      ['data', handle, Buffer.from('x\n'), '127.0.0.1', localPort, 'id'],
      ['connection', handle, port, 'OFFLINE', '127.0.0.1', 'id'],
    ]);
  });

  it('C4-61 IPv6 clients are served too, where there is IPv6', async function () {
    const d = makeDriver();
    const port = await d.online((driver) => driver.CreateServer(0));
    const client = await dialAt(port, '::1').catch(() => this.skip());
    client.write('six');
    assert.strictEqual((await d.first('data'))[2], '::1');
  });

  it('C4-07 C4-56 C4-62 C4-68 without an identifier there is none', async () => {
    const d = makeDriver();
    const port = await d.online((driver) => driver.CreateServer(0));
    (await dialTcp(port)).end('x');
    await d.offline('connection', await d.handle());
    for (const call of d.calls) assert.strictEqual(call.at(-1), undefined);
  });

  it('C4-58 handles are positive, below 2^31 and each its own, in all drivers', async () => {
    const drivers = [makeDriver(), makeDriver()];
    for (const d of drivers) {
      const port = await d.online((driver) => driver.CreateServer(0));
      for (let i = 0; i < 20; i++) (await dialTcp(port)).destroy();
      await d.count('connection', 40);
    }
    const handles = drivers.flatMap((d) => d.of('connection').filter(([, , status]) => status === 'ONLINE').map(([h]) => h));
    assert.strictEqual(new Set(handles).size, 40);
    for (const handle of handles) assert.ok(Number.isInteger(handle) && handle > 0 && handle < 2 ** 31);
  });

  it('C4-60 OFFLINE comes once, whoever closes: client, reset, ServerCloseClient, DestroyServer', async () => {
    const d = makeDriver();
    const port = await d.online((driver) => driver.CreateServer(0));
    const ways = [
      (client) => client.end(),
      (client) => client.resetAndDestroy(),
      (client, handle) => {
        d.driver.ServerCloseClient(handle);
        d.driver.ServerCloseClient(handle);
      },
      (client, handle) => {
        d.driver.ServerCloseClient(handle);
        d.driver.DestroyServer(port);
      },
    ];
    for (const [index, way] of ways.entries()) {
      const client = await dialAt(port);
      client.resume();
      const handle = await d.handle(index);
      way(client, handle);
      await d.offline('connection', handle);
    }
    await d.driver.close();
    const offline = d.of('connection').filter(([, , status]) => status === 'OFFLINE').map(([handle]) => handle);
    assert.deepStrictEqual(offline, d.of('connection').filter(([, , status]) => status === 'ONLINE').map(([handle]) => handle));
  });

  it('C4-10 D-03 a port that is taken is [false, EADDRINUSE], without ONLINE', async () => {
    const d = makeDriver();
    const port = await d.online((driver) => driver.CreateServer(0));
    const other = makeDriver();
    const [ok, message] = other.driver.CreateServer(port);
    assert.strictEqual(ok, false);
    assert.match(message, /^listen EADDRINUSE: address already in use .*:\d+$/);
    assert.strictEqual(d.driver.CreateServer(port)[0], false);
    // A controller's Director says nothing.
    const quirky = makeDriver({ directorQuirks: true });
    assert.deepStrictEqual(quirky.driver.CreateServer(port), [true]);
    await other.driver.close();
    await quirky.driver.close();
    assert.deepStrictEqual([...other.calls, ...quirky.calls], []);
  });

  it('C4-11 C4-12 many connections of many servers, each with its own buffer', async () => {
    const d = makeDriver();
    const ports = [
      await d.online((driver) => driver.CreateServer(0, '\n', false, 'a')),
      await d.online((driver) => driver.CreateServer(0, ';', false, 'b')),
    ];
    const clients = [];
    for (let i = 0; i < 10; i++) {
      const client = await dialTcp(ports[i % 2]);
      client.write(`client ${i}, `);
      clients.push(client);
    }
    await d.count('connection', 10);
    clients.forEach((client, i) => client.write(i % 2 ? 'done;' : 'done\n'));
    const data = await d.count('data', 10);
    for (const [handle, text, address, port, identifier] of data) {
      const [, i, end] = /^client (\d), done(.)$/s.exec(text);
      assert.deepStrictEqual([address, port, identifier, end],
        ['127.0.0.1', clients[i].localPort, i % 2 ? 'b' : 'a', i % 2 ? ';' : '\n']);
      assert.strictEqual(d.driver.ServerSend(handle, `for ${i}`), true);
      assert.strictEqual(String(await readBytes(clients[i], 5)), `for ${i}`);
    }
  });

  it('C4-70 ServerSend queues in call order; text, bytes, numbers', async () => {
    const d = makeDriver();
    const port = await d.online((driver) => driver.CreateServer(0));
    const client = await dialTcp(port);
    const handle = await d.handle();
    const big = Buffer.alloc(3 << 20, 'b');
    for (const part of ['text ', Buffer.from('bytes '), new Uint8Array([33]), 12, '', big, ' end']) {
      assert.strictEqual(d.driver.ServerSend(handle, part), true);
    }
    d.driver.ServerCloseClient(handle);
    const got = await readAll(client);
    assert.deepStrictEqual(got, Buffer.concat([Buffer.from('text bytes !12'), big, Buffer.from(' end')]));
  });

  it('C4-70 D-13 what cannot be sent is false, and nothing is thrown', async () => {
    const d = makeDriver();
    const port = await d.online((driver) => driver.CreateServer(0));
    const client = await dialTcp(port);
    const handle = await d.handle();
    for (const payload of [undefined, null, {}, true, Symbol('x')]) {
      assert.strictEqual(d.driver.ServerSend(handle, payload), false);
    }
    for (const unknown of [handle + 1, 0, -1, NaN, undefined, null, 'x', {}]) {
      assert.strictEqual(d.driver.ServerSend(unknown, 'x'), false);
      d.driver.ServerCloseClient(unknown);
    }
    assert.strictEqual(d.driver.ServerSend(String(handle), 'ok'), true);
    assert.strictEqual(String(await readBytes(client, 2)), 'ok');
    d.driver.ServerCloseClient(handle);
    assert.strictEqual(d.driver.ServerSend(handle, 'late'), false);
  });

  it('C4-71 a number as third argument of ServerSend is ignored', async () => {
    const d = makeDriver();
    const port = await d.online((driver) => driver.CreateServer(0));
    const client = await dialTcp(port);
    assert.strictEqual(d.driver.ServerSend(await d.handle(), 'hello', 2), true);
    assert.strictEqual(String(await readBytes(client, 5)), 'hello');
  });

  it('C4-73 ServerCloseClient delivers first what was sent, also to a slow reader', async () => {
    const d = makeDriver();
    const port = await d.online((driver) => driver.CreateServer(0, '\n'));
    const body = Buffer.alloc(8 << 20, 'x');
    d.driver.OnServerDataIn = (handle) => {
      d.driver.ServerSend(handle, body);
      d.driver.ServerSend(handle, 'end');
      d.driver.ServerCloseClient(handle);
      d.note('data', []);
    };
    const client = await dialTcp(port);
    client.pause();
    client.write('go\nignored\n');
    await d.count('data', 1);
    client.resume();
    const got = await readAll(client);
    assert.strictEqual(got.length, body.length + 3);
    assert.strictEqual(got.subarray(-3).toString(), 'end');
    await d.offline('connection', await d.handle());
    assert.strictEqual(d.of('data').length, 1);
  });

  it('C4-73 ServerCloseClient and ServerSend inside the OFFLINE callback do nothing', async () => {
    const d = makeDriver();
    const port = await d.online((driver) => driver.CreateServer(0));
    d.driver.OnServerConnectionStatusChanged = (handle, _, status) => {
      if (status !== 'OFFLINE') return;
      d.driver.ServerCloseClient(handle);
      d.note('connection', [handle, d.driver.ServerSend(handle, 'x')]);
    };
    (await dialTcp(port)).end();
    assert.strictEqual((await d.first('connection'))[1], false);
  });

  it('a client that has said all gets its answer', async () => {
    const d = makeDriver();
    const port = await d.online((driver) => driver.CreateServer(0));
    d.driver.OnServerDataIn = (handle, data) => d.driver.ServerSend(handle, Buffer.concat([data, data]));
    const client = await dialTcp(port);
    client.end('ask ');
    assert.strictEqual(String(await readAll(client)), 'ask ask ');
  });
});

describe('Control4 DestroyServer', () => {
  it('C4-74 closes the server\'s connections, delivers what was sent: connection OFFLINE, then server OFFLINE', async () => {
    const d = makeDriver();
    const port = await d.online((driver) => driver.CreateServer(0, '\n', false, 'gone'));
    const staying = await d.online((driver) => driver.CreateServer(0, '\n', false, 'stays'));
    const client = await dialTcp(port);
    const handle = await d.handle();
    const other = await dialTcp(staying);
    const otherHandle = await d.handle(1);
    const body = Buffer.alloc(1 << 20, 'z');
    d.driver.ServerSend(handle, body);
    d.driver.DestroyServer(String(port));
    assert.strictEqual(d.driver.ServerSend(handle, 'late'), false);
    assert.deepStrictEqual(await readAll(client), body);
    await d.offline('server', port);
    assert.deepStrictEqual(d.calls.slice(-2), [
      ['connection', handle, port, 'OFFLINE', '127.0.0.1', 'gone'], ['server', port, 'OFFLINE', 'gone'],
    ]);
    d.driver.ServerSend(otherHandle, 'hello');
    assert.strictEqual(String(await readBytes(other, 5)), 'hello');
  });

  it('C4-74 a server can be made anew on the same port at once, and is ONLINE behind the former\'s OFFLINE', async () => {
    const d = makeDriver();
    const port = await d.online((driver) => driver.CreateServer(0));
    await dialTcp(port);
    await d.handle();
    d.driver.DestroyServer(port);
    assert.deepStrictEqual(d.driver.CreateServer(port, '', false, 'new'), [true]);
    await d.count('server', 3);
    assert.deepStrictEqual(d.of('server').slice(1), [[port, 'OFFLINE', undefined], [port, 'ONLINE', 'new']]);
    (await dialTcp(port)).write('x');
    await d.first('data');
  });

  it('C4-74 D-14 port 0 is every server that was created with 0; an unknown port is none', async () => {
    const [fixed] = await freePorts(1);
    const d = makeDriver();
    const one = await d.online((driver) => driver.CreateServer(0));
    const two = await d.online((driver) => driver.CreateServer(0));
    await d.online((driver) => driver.CreateServer(fixed));
    for (const unknown of [1, 'x', {}, NaN, -1]) d.driver.DestroyServer(unknown);
    d.driver.DestroyServer('0');
    await d.offline('server', two);
    assert.deepStrictEqual(d.of('server').filter(([, status]) => status === 'OFFLINE').map(([port]) => port), [one, two]);
    (await dialTcp(fixed)).destroy();
  });

  it('C4-75 without a port it destroys every server of this driver, and of no other', async () => {
    const d = makeDriver();
    const ports = [];
    for (let i = 0; i < 3; i++) ports.push(await d.online((driver) => driver.CreateServer(0)));
    const other = makeDriver();
    const port = await other.online((driver) => driver.CreateServer(0));
    d.driver.DestroyServer();
    await d.driver.close();
    assert.deepStrictEqual(d.of('server').filter(([, status]) => status === 'OFFLINE').map(([p]) => p), ports);
    (await dialTcp(port)).destroy();
    other.driver.DestroyServer(ports[0]);
    assert.strictEqual(other.of('server').length, 1);
  });

  it('a server that is destroyed before it was told ONLINE is told nothing', async () => {
    const d = makeDriver();
    d.driver.CreateServer(0);
    d.driver.DestroyServer();
    await d.driver.close();
    assert.deepStrictEqual(d.calls, []);
  });

  it('two drivers cannot reach each other\'s connections', async () => {
    const [one, two] = [makeDriver(), makeDriver()];
    const port = await one.online((driver) => driver.CreateServer(0));
    const client = await dialTcp(port);
    const handle = await one.handle();
    assert.strictEqual(two.driver.ServerSend(handle, 'x'), false);
    two.driver.ServerCloseClient(handle);
    two.driver.DestroyServer(port);
    one.driver.ServerSend(handle, 'mine');
    assert.strictEqual(String(await readBytes(client, 4)), 'mine');
    assert.deepStrictEqual(two.calls, []);
  });

  it('close() resolves when the connections have delivered what was sent', async () => {
    const d = makeDriver();
    const port = await d.online((driver) => driver.CreateServer(0));
    const client = await dialTcp(port);
    d.driver.ServerSend(await d.handle(), 'bye');
    const all = readAll(client);
    await d.driver.close();
    assert.strictEqual(String(await all), 'bye');
    assert.deepStrictEqual(d.of('server').map(([, status]) => status), ['ONLINE', 'OFFLINE']);
    if (Symbol.asyncDispose) await new Driver()[Symbol.asyncDispose]();
  });
});
