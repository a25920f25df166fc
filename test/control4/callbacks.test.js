'use strict';

// Callbacks as functions and as events; what becomes of their exceptions; how long the process lives.

const assert = require('assert');
const { once } = require('events');
const { C4: fromIndex } = require('../..');
const { C4, Driver } = require('../../control4');
const { readLimits } = require('../../lib/control4/limits');
const { makeDriver } = require('../support/control4');
const { dialTcp, readAll } = require('../support/net');
const { runNode } = require('../support/node-program');

const control4 = `require(${JSON.stringify(require.resolve('../../control4'))})`;

describe('Control4 callbacks', () => {
  it('the default context is one, made when first asked for', () => {
    assert.ok(C4 instanceof Driver);
    assert.strictEqual(fromIndex, C4);
    assert.strictEqual(require('../../control4').C4, C4);
  });

  it('C4-69 events of the same names come beside the functions', async () => {
    const d = makeDriver();
    const heard = [];
    for (const name of ['OnServerStatusChanged', 'OnServerConnectionStatusChanged', 'OnServerDataIn']) {
      d.driver.on(name, (...args) => heard.push([name, ...args]));
    }
    const port = await d.online((driver) => driver.CreateServer(0, '\n', false, 'x'));
    const client = await dialTcp(port);
    client.end('a\nb\n');
    await d.offline('connection', await d.handle());
    assert.deepStrictEqual(heard.map(([, ...args]) => args), d.calls.map(([, ...args]) => args));
  });

  it('C4-69 without handlers, and with ones that take fewer arguments, all goes on', async () => {
    const driver = new Driver();
    driver.OnServerStatusChanged = undefined;
    driver.OnServerDataIn = 'no function';
    driver.CreateServer(0, '\n');
    const [port] = await once(driver, 'OnServerStatusChanged');
    driver.OnServerDataIn = function(handle) {
      assert.strictEqual(this, driver);
      driver.ServerSend(handle, 'yes');
      driver.ServerCloseClient(handle);
    };
    const client = await dialTcp(port);
    client.write('x\n');
    assert.strictEqual(String(await readAll(client)), 'yes');
    await driver.close();
  });

  it('C4-69 an exception is an event, and neither stops the server nor loses what follows', async () => {
    const d = makeDriver();
    d.driver.OnServerStatusChanged = (...args) => {
      d.note('server', args);
      throw new Error('status');
    };
    d.driver.OnServerConnectionStatusChanged = async (...args) => {
      d.note('connection', args);
      throw new Error('connection');
    };
    d.driver.OnServerDataIn = (...args) => {
      d.note('data', args);
      throw new Error(`data ${args[1]}`);
    };
    d.driver.on('OnServerDataIn', () => {
      throw new Error('listener');
    });
    const port = await d.online((driver) => driver.CreateServer(0, '\n'));
    const client = await dialTcp(port);
    client.end('1\n2\n3\n');
    await d.offline('connection', await d.handle());
    await d.count('callbackError', 9);
    assert.deepStrictEqual(d.texts(), ['1\n', '2\n', '3\n']);
    const told = d.of('callbackError').map(([error, name]) => `${name} ${error.message}`).sort();
    assert.deepStrictEqual(told, [
      'OnServerConnectionStatusChanged connection', 'OnServerConnectionStatusChanged connection',
      'OnServerDataIn data 1\n', 'OnServerDataIn data 2\n', 'OnServerDataIn data 3\n',
      'OnServerDataIn listener', 'OnServerDataIn listener', 'OnServerDataIn listener',
      'OnServerStatusChanged status',
    ]);
  });

  it('C4-69 an exception that nobody listens for is a warning', async () => {
    const { code, stderr, stdout } = await runNode(`
      const { Driver } = ${control4};
      const driver = new Driver();
      driver.OnServerStatusChanged = (port, status) => {
        console.log(status);
        if (status === 'ONLINE') driver.DestroyServer(port);
        throw new TypeError('oops');
      };
      driver.CreateServer(0);
    `);
    assert.deepStrictEqual({ code, stdout }, { code: 0, stdout: 'ONLINE\nOFFLINE\n' });
    assert.match(stderr, /Control4CallbackWarning: OnServerStatusChanged: oops\nTypeError: oops\n {4}at/);
  });

  it('await once() in a loop misses no message', async () => {
    const d = makeDriver();
    const got = [];
    const port = await d.online((driver) => driver.CreateServer(0, '\n'));
    const loop = (async () => {
      while (got.length < 200) got.push(String((await once(d.driver, 'OnServerDataIn'))[1]));
    })();
    const sent = Array.from({ length: 200 }, (_, i) => `${i}\n`);
    (await dialTcp(port)).write(sent.join(''));
    await loop;
    assert.deepStrictEqual(got, sent);
  });

  it('callbacks may create, send, close and destroy', async () => {
    const d = makeDriver();
    d.driver.OnServerDataIn = (handle, data, address, port, identifier) => {
      d.note('data', [handle, data]);
      if (identifier === 'second') d.driver.DestroyServer();
      else d.driver.CreateServer(0, '', false, 'second');
    };
    const port = await d.online((driver) => driver.CreateServer(0, '\n', false, 'first'));
    const first = await dialTcp(port);
    first.write('x\n');
    const [second] = await d.first('server', ([, , identifier]) => identifier === 'second');
    (await dialTcp(second)).write('y');
    await d.count('server', 4);
    assert.deepStrictEqual(d.of('server').map(([, status]) => status), ['ONLINE', 'ONLINE', 'OFFLINE', 'OFFLINE']);
  });

  it('wrong settings are thrown by the constructor, with their names', () => {
    for (const [options, code] of [
      [null, 'ERR_INVALID_ARG_TYPE'], [{ c4zDir: 5 }, 'ERR_INVALID_ARG_TYPE'], [{ sandboxDir: 5 }, 'ERR_INVALID_ARG_TYPE'],
      [{ encoding: 'hex' }, 'ERR_INVALID_ARG_VALUE'], [{ limits: { maxConnections: -1 } }, 'ERR_OUT_OF_RANGE'],
      [{ limits: { maxPendingSend: '1' } }, 'ERR_INVALID_ARG_TYPE'], [{ limits: { maxConections: 1 } }, 'ERR_INVALID_ARG_VALUE'],
      [{ limits: 5 }, 'ERR_INVALID_ARG_TYPE'], [{ delimiterTimeoutMs: 0.5 }, 'ERR_OUT_OF_RANGE'],
      [{ directorQuirks: 1 }, 'ERR_INVALID_ARG_TYPE'], [{ limits: { handshakeTimeoutMs: 120_001 } }, 'ERR_OUT_OF_RANGE'],
    ]) {
      assert.throws(() => new Driver(options), { code }, JSON.stringify(options));
    }
  });
});

describe('Control4 limits, as they are given', () => {
  const DAY = 24 * 3600 * 1000;

  it('C4-76 D-15 the defaults', () => {
    assert.deepStrictEqual({ ...readLimits() }, {
      maxConnections: 0, maxPendingSend: 16 << 20, maxDelimiterBuffer: 1 << 20, maxUdpPeers: 1024,
      udpPeerIdleMs: 300_000, closeTimeoutMs: 10_000, handshakeTimeoutMs: 30_000,
    });
  });

  for (const [name, least, most] of [
    ['maxConnections', 0, 2 ** 31 - 1], ['maxPendingSend', 1, 2 ** 31 - 1], ['maxDelimiterBuffer', 1, 2 ** 31 - 1],
    ['maxUdpPeers', 1, 2 ** 20], ['udpPeerIdleMs', 1, DAY], ['closeTimeoutMs', 1, DAY],
    ['handshakeTimeoutMs', 1, 120_000],
  ]) {
    it(`C4-76 ${name}: ${least} to ${most}`, () => {
      for (const value of [least, most]) assert.strictEqual(readLimits({ [name]: value })[name], value);
      for (const value of [least - 1, most + 1, least + 0.5, NaN]) {
        assert.throws(() => new Driver({ limits: { [name]: value } }), { code: 'ERR_OUT_OF_RANGE' }, String(value));
      }
      assert.throws(() => new Driver({ limits: { [name]: String(least) } }), { code: 'ERR_INVALID_ARG_TYPE' });
    });
  }

  it('C4-04 delimiterTimeoutMs: 0 to a day', () => {
    for (const delimiterTimeoutMs of [0, DAY]) new Driver({ delimiterTimeoutMs });
    for (const delimiterTimeoutMs of [-1, DAY + 1]) {
      assert.throws(() => new Driver({ delimiterTimeoutMs }), { code: 'ERR_OUT_OF_RANGE' });
    }
  });
});

describe('a process with Control4 servers', () => {
  const PROGRAM = `
    const net = require('net');
    const { Driver } = ${control4};
    const driver = new Driver();
    driver.OnServerStatusChanged = (port, status) => {
      console.log(status);
      if (status === 'ONLINE') online(port);
    };
  `;

  for (const [title, source, expected] of [
    ['lives while a server listens', `
      function online(port) { setTimeout(() => driver.DestroyServer(port), 300).unref(); }
      driver.CreateServer(0);`, 'ONLINE\nOFFLINE\n'],
    ['lives again when the servers are ref\'d', `
      function online(port) { setTimeout(() => driver.DestroyServer(port), 300).unref(); }
      driver.unref();
      driver.CreateServer(0);
      driver.ref();`, 'ONLINE\nOFFLINE\n'],
    ['ends although a server listens that is unref\'d', `
      function online() {}
      driver.CreateServer(0);
      driver.CreateServer(0, '', true);
      driver.unref();`, 'ONLINE\nONLINE\n'],
    ['lives until what was sent is delivered', `
      function online(port) {
        const client = net.connect(port, '127.0.0.1');
        let got = 0;
        client.on('data', (data) => { got += data.length; }).on('end', () => console.log(got)).unref();
      }
      driver.OnServerConnectionStatusChanged = (handle, port, status) => {
        if (status !== 'ONLINE') return;
        driver.ServerSend(handle, Buffer.alloc(4 << 20));
        driver.DestroyServer();
      };
      driver.CreateServer(0);`, `ONLINE\nOFFLINE\n${4 << 20}\n`],
  ]) {
    it(title, async () => {
      const { code, stdout, stderr } = await runNode(PROGRAM + source);
      assert.deepStrictEqual({ code, stdout, stderr }, { code: 0, stdout: expected, stderr: '' });
    });
  }

  it('a worker has drivers and handles of its own', async () => {
    const { stdout, stderr } = await runNode(`
      const { Worker } = require('worker_threads');
      const net = require('net');
      const source = \`
        const { parentPort } = require('worker_threads');
        const { Driver } = ${control4};
        const driver = new Driver();
        driver.OnServerStatusChanged = (port, status) => parentPort.postMessage([status, port]);
        driver.OnServerDataIn = (handle, data) => {
          parentPort.postMessage(['handle', handle]);
          driver.ServerSend(handle, data);
          driver.ServerCloseClient(handle);
          driver.DestroyServer();
        };
        driver.CreateServer(0, '\\\\n');
      \`;
      const handles = new Set();
      let left = 3;
      for (let i = 0; i < 3; i++) {
        const worker = new Worker(source, { eval: true });
        worker.on('message', ([what, value]) => {
          if (what === 'handle') handles.add(value);
          if (what === 'ONLINE') net.connect(value, '127.0.0.1').end('hello ' + i + '\\n').on('data', (d) => process.stdout.write(d));
        });
        worker.on('exit', (code) => {
          if (code !== 0) throw new Error('exit ' + code);
          if (--left === 0) console.log(handles.size);
        });
      }
    `);
    assert.strictEqual(stderr, '');
    assert.deepStrictEqual(stdout.trim().split('\n').sort(), ['3', 'hello 0', 'hello 1', 'hello 2']);
  });
});

describe('Control4\'s document', () => {
  // The example program at the end of the document, but for the names of its functions.
  it('C4-14 its examples run as they stand', async () => {
    const d = makeDriver();
    const printed = [];
    const print = (text) => printed.push(text);
    d.driver.OnServerStatusChanged = (nPort, strStatus) => {
      print(`OnServerStatusChanged port: ${nPort} status: ${strStatus}`);
      d.note('server', [nPort, strStatus]);
    };
    d.driver.OnServerConnectionStatusChanged = (nHash, nPort, strStatus, strIP) => {
      print(`OnServerConnectionStatusChanged hash: ${nHash} port: ${nPort} status: ${strStatus} ip: ${strIP}`);
      d.note('connection', [nHash, nPort, strStatus]);
    };
    d.driver.OnServerDataIn = (nHandle, strData) => {
      print(`OnServerDataIn${nHandle}: ${strData}`);
      d.note('data', [nHandle, strData]);
    };
    const port = await d.online((driver) => driver.CreateServer(0, '\n', false));
    const client = await dialTcp(port);
    client.write('lkasjdfl\n');
    const [handle] = await d.first('data');
    assert.deepStrictEqual(printed, [
      `OnServerStatusChanged port: ${port} status: ONLINE`,
      `OnServerConnectionStatusChanged hash: ${handle} port: ${port} status: ONLINE ip: 127.0.0.1`,
      `OnServerDataIn${handle}: lkasjdfl\n`,
    ]);
    // Ports below 1024 are root's, others may be taken: then the answer is [false, message].
    for (const args of [[5080, '\r\n'], [8080], [600, '', true]]) {
      const [ok, message] = d.driver.CreateServer(...args);
      if (!ok) assert.match(message, /EACCES|EADDRINUSE/);
      d.driver.DestroyServer(args[0]);
    }
  });
});
