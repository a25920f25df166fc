'use strict';

// tls.connect: every form of its arguments, name lookup, options that concern the connection, and errors.

const assert = require('assert');
const fs = require('fs');
const net = require('net');
const os = require('os');
const path = require('path');
const pki = require('../support/pki');
const { subject: tls, betterThanNode } = require('../support/subject');
const { track } = require('../support/cleanup');
const { closed, dial, dialSecure, echo, event, listen, serve, serveEcho } = require('../support/net');

describe('tls.connect takes', () => {
  for (const [title, call] of [
    ['options and callback', (port, options, callback) => tls.connect({ port, ...options }, callback)],
    ['port and options', (port, options, callback) => tls.connect(port, options, callback)],
    ['port, host and options', (port, options, callback) => tls.connect(port, 'localhost', options, callback)],
    ['a port as text', (port, options, callback) => tls.connect(String(port), 'localhost', options, callback)],
  ]) {
    it(title, async () => {
      const { port } = await serveEcho(tls, pki.pair('ec'));
      const client = await new Promise((resolve, reject) => {
        const socket = track(call(port, { ca: pki.ca, host: 'localhost' }, function onConnect() {
          assert.strictEqual(this, socket);
          resolve(socket);
        }));
        socket.on('error', reject);
      });
      assert.strictEqual(client.authorized, true);
      assert.strictEqual(await echo(client), 'ping');
    });
  }

  it('path, which wins over host and port', async function () {
    if (process.platform === 'win32') this.skip();
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-connect-'));
    try {
      const server = track(tls.createServer(pki.pair('ec'), (socket) => socket.pipe(socket)));
      const file = path.join(dir, 's');
      await listen(server, file);
      const client = dial(tls, 1, { path: file, host: '192.0.2.1' });
      await event(client, 'secureConnect');
      assert.strictEqual(await echo(client), 'ping');
      assert.strictEqual(client.remoteAddress, undefined);
    } finally {
      fs.rmSync(dir, { recursive: true });
    }
  });

  it('path before options', async function () {
    if (process.platform === 'win32') this.skip();
    const client = track(tls.connect('/no/such/socket', { ca: pki.ca }));
    const error = await closed(client);
    assert.strictEqual(error.code, 'ENOENT');
    assert.strictEqual(error.syscall, 'connect');
    assert.strictEqual(error.address, '/no/such/socket');
  });

  it('lookup, a function of the caller\'s', async () => {
    const { port } = await serveEcho(tls);
    const asked = [];
    const client = dial(tls, port, {
      host: 'nowhere.test',
      servername: 'c4tls.test',
      lookup(name, options, callback) {
        asked.push(name);
        if (options.all) setImmediate(callback, null, [{ address: '127.0.0.1', family: 4 }]);
        else setImmediate(callback, null, '127.0.0.1', 4);
      },
    });
    const looked = event(client, 'lookup');
    await event(client, 'secureConnect');
    assert.deepStrictEqual(asked, ['nowhere.test']);
    const [error, address, family, name] = await looked;
    assert.deepStrictEqual([error, address, family, name], [null, '127.0.0.1', 4, 'nowhere.test']);
  });

  it('localAddress', async function () {
    if (process.platform !== 'linux') this.skip();   // elsewhere 127.0.0.2 is no address by itself
    const { server, port } = await serve(tls);
    const accepted = event(server, 'secureConnection');
    await dialSecure(tls, port, { localAddress: '127.0.0.2' });
    assert.strictEqual((await accepted)[0].remoteAddress, '127.0.0.2');
  });

  it('timeout', async () => {
    const { port } = await serveEcho(tls);
    const client = dial(tls, port, { timeout: 80 });
    assert.strictEqual(client.timeout, 80);
    await event(client, 'timeout');
    assert.strictEqual(client.destroyed, false);
  });

  it('signal, which destroys the socket with AbortError', async function () {
    betterThanNode(this);   // Node 20 aborts the whole process here
    const { port } = await serveEcho(tls);
    for (const when of ['before', 'during', 'after']) {
      const abort = new AbortController();
      if (when === 'before') abort.abort();
      const client = dial(tls, port, { signal: abort.signal });
      const gone = closed(client);
      if (when === 'during') abort.abort();
      if (when === 'after') client.on('secureConnect', () => abort.abort());
      const error = await gone;
      assert.strictEqual(error.name, 'AbortError', when);
      assert.strictEqual(error.code, 'ABORT_ERR');
    }
  });

  it('minDHSize, and refuses a smaller group', async () => {
    const dhparam = 'auto';
    const { port } = await serve(require('tls'), {
      ...pki.pair('rsa'), dhparam, ciphers: 'DHE-RSA-AES128-GCM-SHA256', maxVersion: 'TLSv1.2',
    });
    const client = dial(tls, port, { minDHSize: 8192, ciphers: 'DHE-RSA-AES128-GCM-SHA256' });
    assert.strictEqual((await closed(client)).code, 'ERR_TLS_DH_PARAM_SIZE');
    assert.throws(() => tls.connect({ port, minDHSize: 0 }));
  });

  it('ALPNProtocols in wire form', async () => {
    const { port } = await serve(tls, { ALPNProtocols: ['b'] });
    const client = await dialSecure(tls, port, { ALPNProtocols: Buffer.from('\x01a\x01b') });
    assert.strictEqual(client.alpnProtocol, 'b');
  });
});

describe('tls.connect fails with', () => {
  it('ECONNREFUSED, syscall, address and port', async () => {
    const { server, port } = await serve(tls);
    server.close();
    await event(server, 'close');
    const error = await closed(dial(tls, port));
    assert.strictEqual(error.code, 'ECONNREFUSED');
    assert.strictEqual(error.syscall, 'connect');
    assert.strictEqual(error.address, '127.0.0.1');
    assert.strictEqual(error.port, port);
    assert.strictEqual(error.errno, -require('os').constants.errno.ECONNREFUSED);
  });

  it('the error of the lookup', async () => {
    const client = dial(tls, 1, {
      host: 'nowhere.test',
      lookup(name, options, callback) {
        callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND', hostname: name }));
      },
    });
    const error = await closed(client);
    assert.strictEqual(error.code, 'ENOTFOUND');
  });

  it('ECONNRESET when the peer goes away before the handshake is done', async () => {
    const port = await listen(net.createServer((socket) => socket.once('data', () => socket.end())));
    const error = await closed(dial(tls, port));
    assert.strictEqual(error.code, 'ECONNRESET');
    assert.match(error.message, /before secure TLS connection was established/);
    assert.strictEqual(error.host, '127.0.0.1');
    assert.strictEqual(error.port, port);
  });

  it('ERR_SSL_* when the peer speaks something else', async () => {
    const port = await listen(net.createServer((socket) => socket.end('220 hello, this is SMTP\r\n')));
    const error = await closed(dial(tls, port));
    assert.match(error.code, /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/);
    assert.strictEqual(error.library, 'SSL routines');
    assert.ok(error.reason);
  });

  it('a synchronous error for wrong arguments', () => {
    assert.throws(() => tls.connect({ port: 65536 }), { code: 'ERR_SOCKET_BAD_PORT' });
    assert.throws(() => tls.connect({ port: 1, lookup: 'x' }), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => tls.connect({ port: 1, host: 'h', ALPNProtocols: ['x'.repeat(300)] }),
      { code: 'ERR_OUT_OF_RANGE' });
  });
});

describe('a client', () => {
  it('destroyed at once never connects', async () => {
    const { server, port } = await serve(tls);
    let seen = 0;
    server.on('secureConnection', () => seen++);
    const client = dial(tls, port);
    const gone = closed(client);
    client.destroy();
    assert.strictEqual(await gone, undefined);
    // Another client, behind it in the queue, shows that the server had its chance to see the first.
    await echoOnce(port, server);
    assert.strictEqual(seen, 1);
  });

  it('setServername changes the name before the handshake', async () => {
    const { server, port } = await serve(tls);
    server.addContext('alpha.test', pki.pair('alpha'));
    const accepted = event(server, 'secureConnection');
    const socket = dial(tls, port, { rejectUnauthorized: false });
    socket.setServername('alpha.test');
    assert.strictEqual((await accepted)[0].servername, 'alpha.test');
    assert.throws(() => socket.setServername(1), { code: 'ERR_INVALID_ARG_TYPE' });
  });
});

async function echoOnce(port, server) {
  const accepted = event(server, 'secureConnection');
  const client = await dialSecure(tls, port);
  const [socket] = await accepted;
  socket.pipe(socket);
  assert.strictEqual(await echo(client), 'ping');
}

describe('what is written before the handshake is done', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    it(`reaches a server that is trusted, and no other (${version})`, async () => {
      const got = [];
      const { port } = await serve(tls, { maxVersion: version }, (socket) => {
        socket.on('error', () => {}).on('data', (chunk) => got.push(String(chunk)));
      });
      for (const options of [{ ca: [] }, { servername: 'other.test' }]) {
        const client = dial(tls, port, options);
        client.write('secret');
        client.write(Buffer.alloc(400_000));
        const written = new Promise((resolve) => {
          client.write('last', resolve);
        });
        assert.match((await closed(client)).code, /UNABLE_TO_VERIFY|ERR_TLS_CERT_ALTNAME_INVALID/);
        assert.ok(await written instanceof Error);
      }
      const client = dial(tls, port);
      client.end('hello');
      await closed(client);
      assert.deepStrictEqual(got, ['hello']);
    });
  }
});
