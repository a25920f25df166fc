'use strict';

// Server: every form of listen, close, address, counting and limiting connections, ref and unref.

const assert = require('assert');
const { once } = require('events');
const fs = require('fs');
const net = require('net');
const os = require('os');
const path = require('path');
const pki = require('../support/pki');
const { subject: tls } = require('../support/subject');
const { track } = require('../support/cleanup');
const { runNode, startNode } = require('../support/node-program');
const { until } = require('../support/time');
const {
  closed, dial, dialSecure, dialTcp, echo, event, listen, readAll, serve, serveEcho,
} = require('../support/net');

/** A server with a certificate, not listening yet. */
function makeServer(options, listener) {
  return track(tls.createServer({ ...pki.pair('ec'), ...options }, listener));
}

function makeEcho(options) {
  return makeServer(options, (socket) => socket.pipe(socket));
}

describe('tls.Server listen', () => {
  it('takes a port and a host', async () => {
    const server = makeEcho();
    const port = await listen(server, 0, '127.0.0.1');
    assert.deepStrictEqual(server.address(), { address: '127.0.0.1', family: 'IPv4', port });
    assert.strictEqual(server.listening, true);
    assert.strictEqual(await echo(await dialSecure(tls, port)), 'ping');
  });

  it('takes no argument at all', async () => {
    const server = makeEcho();
    server.listen();
    await event(server, 'listening');
    assert.ok(server.address().port > 0);
    assert.strictEqual(await echo(await dialSecure(tls, server.address().port)), 'ping');
  });

  it('takes only a callback', async () => {
    const server = makeEcho();
    await new Promise((resolve) => {
      server.listen(resolve);
    });
    assert.strictEqual(await echo(await dialSecure(tls, server.address().port)), 'ping');
  });

  it('takes port, host, backlog and callback together, and returns the server', async () => {
    const server = makeEcho();
    await new Promise((resolve) => {
      assert.strictEqual(server.listen(0, '127.0.0.1', 16, resolve), server);
    });
    assert.strictEqual(await echo(await dialSecure(tls, server.address().port)), 'ping');
  });

  it('takes an options object', async () => {
    const server = makeEcho();
    const port = await listen(server, { port: 0, host: '127.0.0.1', backlog: 4, exclusive: true });
    assert.strictEqual(await echo(await dialSecure(tls, port)), 'ping');
  });

  it('listens on IPv6, and with ipv6Only not on IPv4', async function () {
    if (!Object.values(os.networkInterfaces()).flat().some(({ address }) => address === '::1')) this.skip();
    const server = makeEcho();
    const port = await listen(server, { port: 0, host: '::', ipv6Only: true });
    assert.strictEqual(server.address().family, 'IPv6');
    assert.strictEqual(await echo(await dialSecure(tls, port, { host: '::1' })), 'ping');
    const [error] = await event(track(net.connect(port, '127.0.0.1')), 'error');
    assert.strictEqual(error.code, 'ECONNREFUSED');
  });

  it('takes a Unix socket path, as text and as an option', async function () {
    if (process.platform === 'win32') this.skip();
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-listen-'));
    try {
      for (const form of [(file) => file, (file) => ({ path: file })]) {
        const file = path.join(dir, 'socket');
        const server = makeEcho();
        await listen(server, form(file));
        assert.strictEqual(server.address(), file);
        assert.ok(fs.statSync(file).isSocket());
        const client = track(tls.connect({ path: file, servername: 'localhost', ca: pki.ca }));
        await event(client, 'secureConnect');
        assert.strictEqual(await echo(client), 'ping');
        client.destroy();
        server.close();
        await event(server, 'close');
        assert.strictEqual(fs.existsSync(file), false, 'the socket file goes away with the server');
      }
    } finally {
      fs.rmSync(dir, { recursive: true });
    }
  });

  it('takes an open file descriptor', async function () {
    if (process.platform === 'win32') this.skip();
    const holder = net.createServer();
    const port = await listen(holder);
    const child = startNode(`
      const server = tls.createServer(pki.pair('ec'), (socket) => {
        socket.end('through fd 3');
        server.close();
      });
      server.listen({ fd: 3 }, () => console.log('listening', server.address().port));`,
    { stdio: ['pipe', 'pipe', 'pipe', holder._handle] });
    const [, shown] = await child.waitFor(/listening (\d+)/);
    assert.strictEqual(Number(shown), port);
    holder.close();   // from now on only the child accepts
    const client = await dialSecure(tls, port);
    assert.strictEqual(String(await readAll(client)), 'through fd 3');
    client.end();
    const { code, stderr } = await child.ended;
    assert.strictEqual(code, 0, stderr);
  });

  it('stops listening when the signal option is aborted', async () => {
    const abort = new AbortController();
    const server = makeEcho();
    await listen(server, { port: 0, host: '127.0.0.1', signal: abort.signal });
    abort.abort();
    await event(server, 'close');
    assert.strictEqual(server.listening, false);
  });

  it('reports a port in use with code, syscall, address and port', async () => {
    const { port } = await serve(tls);
    const second = makeServer();
    second.listen(port, '127.0.0.1');
    const [error] = await event(second, 'error');
    assert.strictEqual(error.code, 'EADDRINUSE');
    assert.strictEqual(error.syscall, 'listen');
    assert.strictEqual(error.address, '127.0.0.1');
    assert.strictEqual(error.port, port);
    assert.ok(error.errno < 0);
    assert.strictEqual(second.listening, false);
    // The same server can be used after the failure.
    await listen(second);
    assert.ok(second.address().port);
  });

  it('throws for a second listen and for wrong arguments', async () => {
    const { server } = await serve(tls);
    assert.throws(() => server.listen(0), { code: 'ERR_SERVER_ALREADY_LISTEN' });
    assert.throws(() => makeServer().listen(65536), { code: 'ERR_SOCKET_BAD_PORT' });
    assert.throws(() => makeServer().listen({}), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.throws(() => makeServer().listen(true), { code: 'ERR_INVALID_ARG_VALUE' });
  });

  it('has no address before listening and after closing', async () => {
    const server = makeServer();
    assert.strictEqual(server.address(), null);
    await listen(server);
    server.close();
    await event(server, 'close');
    assert.strictEqual(server.address(), null);
  });

  it('can listen again after close', async () => {
    const server = makeEcho();
    for (let round = 0; round < 2; round++) {
      const port = await listen(server);
      const client = await dialSecure(tls, port);
      assert.strictEqual(await echo(client), 'ping');
      client.destroy();
      server.close();
      await event(server, 'close');
    }
  });
});

describe('tls.Server close', () => {
  it('calls back with an error when it was not listening', async () => {
    const error = await new Promise((resolve) => {
      makeServer().close(resolve);
    });
    assert.strictEqual(error.code, 'ERR_SERVER_NOT_RUNNING');
  });

  it('refuses new connections, keeps the open ones, and emits close after the last', async () => {
    const { server, port } = await serveEcho(tls);
    const client = await dialSecure(tls, port);
    assert.strictEqual(await echo(client), 'ping');
    let isClosed = false;
    server.close(() => {
      isClosed = true;
    });
    const [error] = await event(track(net.connect(port, '127.0.0.1')), 'error');
    assert.strictEqual(error.code, 'ECONNREFUSED');
    assert.strictEqual(await echo(client, 'still here'), 'still here');
    assert.strictEqual(isClosed, false);
    client.end();
    await event(server, 'close');
    assert.strictEqual(isClosed, true);
  });

  it('waits for connections that are still in their handshake', async () => {
    const { server, port } = await serve(tls);
    const raw = await dialTcp(port);
    await until(() => new Promise((resolve) => {
      server.getConnections((error, count) => resolve(count === 1));
    }), 5000, 'the connection being counted');
    const closing = once(server, 'close');
    let isClosed = false;
    server.close(() => {
      isClosed = true;
    });
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    assert.strictEqual(isClosed, false);
    raw.destroy();
    await closing;
  });

  it('has Symbol.asyncDispose where Node has it', async function () {
    if (!Symbol.asyncDispose || !net.Server.prototype[Symbol.asyncDispose]) this.skip();
    const { server } = await serve(tls);
    await server[Symbol.asyncDispose]();
    assert.strictEqual(server.listening, false);
  });
});

describe('tls.Server connections', () => {
  it('counts its connections', async () => {
    const { server, port } = await serveEcho(tls);
    const count = () => new Promise((resolve, reject) => {
      server.getConnections((error, number) => (error ? reject(error) : resolve(number)));
    });
    assert.strictEqual(await count(), 0);
    const clients = await Promise.all([dialSecure(tls, port), dialSecure(tls, port)]);
    await until(async () => await count() === 2, 5000, 'two connections');
    clients[0].end();
    await until(async () => await count() === 1, 5000, 'one connection');
    clients[1].destroy();
    await until(async () => await count() === 0, 5000, 'no connection');
  });

  it('drops what passes maxConnections, and tells so', async () => {
    const { server, port } = await serveEcho(tls);
    server.maxConnections = 1;
    const dropped = event(server, 'drop');
    const first = await dialSecure(tls, port);
    assert.strictEqual(await echo(first), 'ping');
    const refused = closed(dial(tls, port));
    const [data] = await dropped;
    assert.strictEqual(data.localPort, port);
    assert.strictEqual(data.remoteAddress, '127.0.0.1');
    assert.strictEqual((await refused).code, 'ECONNRESET');
    assert.strictEqual(await echo(first), 'ping');
    // A place that is free again is taken again.
    first.destroy();
    await until(() => new Promise((resolve) => {
      server.getConnections((error, number) => resolve(number === 0));
    }), 5000, 'the first connection leaving');
    assert.strictEqual(await echo(await dialSecure(tls, port)), 'ping');
  });

  it('emits connection before secureConnection, once each', async () => {
    const { server, port } = await serve(tls);
    const seen = [];
    server.on('connection', (socket) => {
      seen.push('connection');
      assert.ok(socket instanceof net.Socket);
      assert.strictEqual(socket.remoteAddress, '127.0.0.1');
    });
    server.on('secureConnection', () => seen.push('secureConnection'));
    const accepted = event(server, 'secureConnection');
    await dialSecure(tls, port);
    await accepted;
    assert.deepStrictEqual(seen, ['connection', 'secureConnection']);
  });

  it('lets the process end when it is unref\'d, and keeps it alive when not', async () => {
    const unref = await runNode(`
      const server = tls.createServer(pki.pair('ec'));
      server.listen(0, '127.0.0.1', () => { server.unref(); console.log('listening'); });`);
    assert.deepStrictEqual([unref.code, unref.stdout], [0, 'listening\n'], unref.stderr);
    const ref = await runNode(`
      const server = tls.createServer(pki.pair('ec'));
      server.listen(0, '127.0.0.1', () => {
        server.unref(); server.ref();
        setTimeout(() => { console.log('alive'); server.close(); }, 300).unref();
      });`);
    assert.deepStrictEqual([ref.code, ref.stdout], [0, 'alive\n'], ref.stderr);
  });

  it('a client that is unref\'d does not keep the process', async () => {
    const { port } = await serveEcho(tls);
    const { code, stdout, stderr } = await runNode(`
      const client = tls.connect({ port: ${port}, host: '127.0.0.1', servername: 'localhost', ca: pki.ca }, () => {
        console.log('connected'); client.unref();
      });`);
    assert.deepStrictEqual([code, stdout], [0, 'connected\n'], stderr);
  });
});
