'use strict';

// https.Server: what node:http gives its servers holds for ours, over our sockets.

const assert = require('assert');
const { AsyncLocalStorage } = require('async_hooks');
const EventEmitter = require('events');
const http = require('http');
const net = require('net');
const nodeHttps = require('https');
const pki = require('../support/pki');
const { subject: tls } = require('../support/subject');
const { itWith, run } = require('../support/program');
const { closed, dialSecure, dialTcp, event, readAll, readBytes } = require('../support/net');
const { fetchText, https, serveHttps, to } = require('../support/https');

const HEAD = 'HTTP/1.1\r\nHost: localhost\r\n';

async function serverOf(options, onRequest) {
  const { server, port } = await serveHttps(options, onRequest);
  return { server, port, dial: () => dialSecure(tls, port) };
}

describe('https.Server', () => {
  it('is a tls.Server, and no http.Server, with and without new', () => {
    for (const server of [new https.Server(), https.Server(), https.createServer()]) {
      assert.ok(server instanceof https.Server && server instanceof tls.Server && server instanceof net.Server);
      assert.ok(!(server instanceof http.Server));
    }
  });

  it('has the properties of Node\'s, with the same values', () => {
    for (const options of [undefined, {}, {
      requestTimeout: 9_000, headersTimeout: 8_000, keepAliveTimeout: 7_000, connectionsCheckingInterval: 6_000,
      maxHeaderSize: 5_000, insecureHTTPParser: true, requireHostHeader: false, joinDuplicateHeaders: true,
      allowHalfOpen: true, noDelay: false, keepAlive: true, keepAliveInitialDelay: 4_000, highWaterMark: 3_000,
    }]) {
      const expected = new nodeHttps.Server(options);
      const server = new https.Server(options);
      for (const [name, value] of Object.entries(expected)) {
        if (!name.startsWith('_') && typeof value !== 'object' && typeof value !== 'function') {
          assert.strictEqual(server[name], value, name);
        }
      }
      for (const name of Object.getOwnPropertyNames(nodeHttps.Server.prototype)) assert.ok(name in server, name);
      assert.deepStrictEqual(server.ALPNProtocols, expected.ALPNProtocols);
    }
  });

  for (const options of [
    'text', 42, [], { requestTimeout: '1' }, { headersTimeout: -1 }, { headersTimeout: 2, requestTimeout: 1 },
    { keepAliveTimeout: {} }, { maxHeaderSize: 'x' }, { insecureHTTPParser: 1 }, { requireHostHeader: 'no' },
    { connectionsCheckingInterval: null }, { joinDuplicateHeaders: 0 }, { ALPNCallback: () => {}, ALPNProtocols: ['a'] },
  ]) {
    it(`refuses ${JSON.stringify(options)} as Node does`, function () {
      try {
        new nodeHttps.Server(options);
      } catch ({ name, code, message }) {
        assert.throws(() => new https.Server(options), { name, code, message });
        return;
      }
      this.skip();      // this Node takes it
    });
  }

  itWith('curl', 'serves curl, also uploads', async () => {
    const { port } = await serverOf({}, async (request, response) => {
      const body = Buffer.concat(await request.toArray());
      response.end(`${request.method} ${body.length} ${request.socket.alpnProtocol}`);
    });
    const { stdout, stderr } = await run('curl', ['--silent', '--show-error', '--max-time', '8', '--cacert',
      pki.path('ca.pem'), '--data-binary', '@-', `https://localhost:${port}/`], { input: Buffer.alloc(2_000_000) });
    assert.strictEqual(stdout, 'POST 2000000 http/1.1', stderr);
  });

  it('classes for messages are those of the options', async () => {
    class Incoming extends http.IncomingMessage {}
    class Outgoing extends http.ServerResponse {}
    const { port } = await serverOf({ IncomingMessage: Incoming, ServerResponse: Outgoing }, (request, response) => {
      response.end(`${request instanceof Incoming} ${response instanceof Outgoing}`);
    });
    assert.strictEqual((await fetchText(to(port))).body, 'true true');
  });

  it('Expect: 100-continue', async () => {
    const { server, port } = await serverOf();
    server.on('checkContinue', (request, response) => {
      response.writeContinue();
      request.pipe(response);
    });
    const request = https.request(to(port, { method: 'PUT', headers: { Expect: '100-continue' } }));
    request.flushHeaders();
    await event(request, 'continue');
    request.end('the body');
    assert.strictEqual((await fetchText(undefined, () => request)).body, 'the body');
  });

  it('upgrade', async () => {
    const { server, port } = await serverOf();
    server.on('upgrade', (request, socket, head) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.write(head);
      socket.pipe(socket);
    });
    const request = https.get(to(port, { headers: { Connection: 'Upgrade', Upgrade: 'echo' } }));
    const [response, socket] = await event(request, 'upgrade');
    assert.strictEqual(response.statusCode, 101);
    socket.end('over the upgraded connection');
    assert.strictEqual(String(await readAll(socket)), 'over the upgraded connection');
  });

  it('CONNECT', async () => {
    const { server, port } = await serverOf();
    server.on('connect', ({ url }, socket) => socket.end(`HTTP/1.1 200 OK\r\n\r\nto ${url}`));
    const request = https.request(to(port, { method: 'CONNECT', path: 'far:1' })).end();
    const [response, socket, head] = await event(request, 'connect');
    assert.strictEqual(response.statusCode, 200);
    assert.strictEqual(String(head) + String(await readAll(socket)), 'to far:1');
  });

  it('a request that is no HTTP is answered with 400, or goes to clientError', async () => {
    const { server, dial } = await serverOf();
    const first = await dial();
    first.write('no HTTP\r\n\r\n');
    assert.match(String(await readAll(first)), /^HTTP\/1\.1 400 Bad Request/);
    server.on('clientError', (error, socket) => socket.end(error.code));
    const second = await dial();
    second.write('no HTTP\r\n\r\n');
    assert.strictEqual(String(await readAll(second)), 'HPE_INVALID_METHOD');
  });

  it('a failed handshake is a clientError', async () => {
    const { server, port } = await serverOf();
    const failed = event(server, 'clientError');
    const client = await dialTcp(port);
    client.on('error', () => {});
    client.write('GET / HTTP/1.1\r\n\r\n');
    const [error, socket] = await failed;
    assert.strictEqual(error.code, 'ERR_SSL_HTTP_REQUEST');
    assert.ok(socket instanceof tls.TLSSocket);
    socket.destroy();
  });

  it('headers and bodies that do not come are answered with 408', async () => {
    const { dial } = await serverOf({ headersTimeout: 100, requestTimeout: 200, connectionsCheckingInterval: 50 });
    for (const part of [`GET / ${HEAD}`, `POST / ${HEAD}Content-Length: 10\r\n\r\nshort`]) {
      const client = await dial();
      client.write(part);
      assert.match(String(await readAll(client)), /^HTTP\/1\.1 408 Request Timeout/);
    }
  });

  it('keepAliveTimeout and setTimeout end connections', async () => {
    const { server, dial } = await serverOf({ keepAliveTimeout: 50 }, (request, response) => response.end());
    const client = await dial();
    client.write(`GET / ${HEAD}\r\n`);
    assert.match(String(await readAll(client)), /Keep-Alive/i);
    assert.strictEqual(server.setTimeout(50), server);
    await readAll(await dial());
  });

  it('maxRequestsPerSocket', async () => {
    const { server, dial } = await serverOf({}, (request, response) => response.end());
    server.maxRequestsPerSocket = 1;
    const client = await dial();
    const dropped = event(server, 'dropRequest');
    client.write(`GET / ${HEAD}\r\n`.repeat(2));
    const [request, socket] = await dropped;
    assert.ok(request instanceof http.IncomingMessage && socket instanceof tls.TLSSocket);
    assert.match(String(await readAll(client)), /200 OK[^]+Connection: close[^]+503 Service Unavailable/);
  });

  it('closeIdleConnections leaves the busy ones, closeAllConnections none', async () => {
    const { server, dial } = await serverOf({}, (request, response) => {
      if (request.url === '/wait') response.write('begun');
      else response.end('done');
    });
    const [idle, busy] = [await dial(), await dial()];
    idle.write(`GET / ${HEAD}\r\n`);
    busy.write(`GET /wait ${HEAD}\r\n`);
    await Promise.all([readBytes(idle, 40), readBytes(busy, 40)]);
    const ended = [closed(idle), closed(busy)];
    idle.resume();
    busy.resume();
    server.closeIdleConnections();
    await ended[0];
    assert.strictEqual(busy.destroyed, false);
    server.closeAllConnections();
    await ended[1];
  });

  it('close() calls back once, and says that it did not listen', async () => {
    const { server, port } = await serverOf({}, (request, response) => response.end());
    const agent = new https.Agent({ keepAlive: true });
    await fetchText(to(port, { agent }));
    // The connection of the agent is idle and does not hold the server up.
    const error = await new Promise((resolve) => {
      assert.strictEqual(server.close(resolve), server);
    });
    assert.strictEqual(error, undefined);
    agent.destroy();
    const again = await new Promise((resolve) => {
      server.close(resolve);
    });
    assert.strictEqual(again.code, 'ERR_SERVER_NOT_RUNNING');
  }).timeout(20_000);

  it('Symbol.asyncDispose closes', async function () {
    if (!Symbol.asyncDispose || !(Symbol.asyncDispose in nodeHttps.Server.prototype)) this.skip();
    const { server } = await serverOf();
    await server[Symbol.asyncDispose]();
    assert.strictEqual(server.listening, false);
  });

  it('a listener\'s rejection is an error of the server, with captureRejections', async () => {
    EventEmitter.captureRejections = true;
    try {
      const { server, port } = await serverOf({}, async () => {
        throw new Error('from the listener');
      });
      const request = https.get(to(port));
      request.on('error', () => {});
      await assert.rejects(event(server, 'request').then(() => event(server, 'never')), /from the listener/);
      request.destroy();
    } finally {
      EventEmitter.captureRejections = false;
    }
  });

  it('AsyncLocalStorage: each request has its own, on both sides', async () => {
    const storage = new AsyncLocalStorage();
    const { port } = await serverOf({}, (request, response) => {
      storage.run(request.url, () => {
        request.resume();
        setImmediate(() => response.end(storage.getStore()));
      });
    });
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    try {
      await Promise.all(Array.from({ length: 6 }, (_, i) => storage.run(i, async () => {
        const { body } = await fetchText(to(port, { agent, method: 'POST', path: `/${i}` }), (o) => https.request(o).end('x'));
        assert.strictEqual(body, `/${i}`);
        assert.strictEqual(storage.getStore(), i);
        await new Promise((resolve, reject) => {
          https.get(to(port, { agent, path: '/cb' }), (response) => {
            response.resume().on('end', () => resolve(assert.strictEqual(storage.getStore(), i)));
          }).on('error', reject);
        });
      })));
    } finally {
      agent.destroy();
    }
  });
});
