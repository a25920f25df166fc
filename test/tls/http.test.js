'use strict';

// Node's http, https and http2 over our sockets, with curl as client where it is installed.

const assert = require('assert');
const { once } = require('events');
const http = require('http');
const http2 = require('http2');
const https = require('https');
const pki = require('../support/pki');
const { subject: tls } = require('../support/subject');
const { itWith, run } = require('../support/program');
const { dialSecure, event, serve } = require('../support/net');

/** Our server in front of an http.Server that answers with method, path and body length. */
async function serveHttp(options) {
  const web = http.createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    response.end(`${request.method} ${request.url} ${body.length} ${request.socket.encrypted}`);
  });
  const { server, port } = await serve(tls, { ALPNProtocols: ['http/1.1'], ...options }, (socket) => {
    web.emit('connection', socket);
  });
  return { web, server, port };
}

function curl(port, ...args) {
  return run('curl', ['--silent', '--show-error', '--max-time', '8', '--cacert', pki.path('ca.pem'), ...args,
    `https://localhost:${port}/path`]);
}

describe('http over our server', () => {
  for (const version of ['1.2', '1.3']) {
    itWith('curl', `serves curl with TLS ${version}`, async () => {
      const { port } = await serveHttp();
      const { code, stdout, stderr } = await curl(port, `--tlsv${version}`, '--tls-max', version);
      assert.deepStrictEqual([code, stdout], [0, 'GET /path 0 true'], stderr);
    });
  }

  itWith('curl', 'serves curl with a client certificate, and refuses it without', async () => {
    const { port } = await serveHttp({ requestCert: true, ca: pki.ca });
    const good = await curl(port, '--cert', pki.path('client.pem'), '--key', pki.path('client.key'));
    assert.strictEqual(good.stdout, 'GET /path 0 true', good.stderr);
    const refused = await curl(port);
    assert.notStrictEqual(refused.code, 0);
    assert.match(refused.stderr, /alert certificate required/);
  });

  itWith('curl', 'takes a large upload from curl', async () => {
    const { port } = await serveHttp();
    const { stdout } = await run('curl', ['--silent', '--cacert', pki.path('ca.pem'), '--data-binary', '@-', '--max-time', '8',
      `https://localhost:${port}/up`], { input: Buffer.alloc(3_000_000, 'x') });
    assert.strictEqual(stdout, 'POST /up 3000000 true');
  });

  it('serves https.request with keep-alive, several requests on one connection', async () => {
    const { server, port } = await serveHttp();
    let connections = 0;
    server.on('secureConnection', () => connections++);
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: pki.ca });
    try {
      for (let i = 0; i < 5; i++) {
        const [response] = await once(https.get({ host: 'localhost', port, path: `/${i}`, agent }), 'response');
        assert.strictEqual((await response.toArray()).join(''), `GET /${i} 0 true`);
      }
      assert.strictEqual(connections, 1);
    } finally {
      agent.destroy();
    }
  });

  it('our client carries http.request', async () => {
    const web = https.createServer(pki.pair('ec'), (request, response) => response.end(`hello ${request.url}`));
    web.listen(0, '127.0.0.1');
    await event(web, 'listening');
    try {
      const socket = await dialSecure(tls, web.address().port);
      const [response] = await once(http.get({ path: '/x', createConnection: () => socket }), 'response');
      assert.strictEqual((await response.toArray()).join(''), 'hello /x');
    } finally {
      web.closeAllConnections();
      web.close();
    }
  });

  it('http2 works over both sides', async () => {
    const core = http2.createServer((request, response) => response.end(`h2 ${request.url}`));
    const { port } = await serve(tls, { ALPNProtocols: ['h2'] }, (socket) => core.emit('connection', socket));
    const socket = await dialSecure(tls, port, { ALPNProtocols: ['h2'] });
    const session = http2.connect('https://localhost', { createConnection: () => socket });
    const stream = session.request({ ':path': '/two' });
    stream.setEncoding('utf8');
    assert.strictEqual((await stream.toArray()).join(''), 'h2 /two');
    session.close();
    await once(session, 'close');
  });

  it('http2 sessions know what TLS is below them', async () => {
    const seen = [];
    const core = http2.createServer((request, response) => {
      const { socket } = request;
      seen.push(socket.encrypted, request.stream.session.alpnProtocol, socket.getProtocol(),
        socket.getPeerCertificate().subject.CN, socket.remoteAddress);
      response.end(request.scheme);
    });
    const { port } = await serve(tls, { ALPNProtocols: ['h2'], requestCert: true, ca: pki.ca },
      (socket) => core.emit('connection', socket));
    const socket = tls.connect({ port, host: 'localhost', ca: pki.ca, ALPNProtocols: ['h2'], ...pki.pair('client') });
    const session = http2.connect('https://localhost', { createConnection: () => socket });
    await event(session, 'connect');
    assert.deepStrictEqual(
      [session.encrypted, session.alpnProtocol, session.socket.authorized, session.socket.remotePort],
      [true, 'h2', true, port]);
    assert.strictEqual((await session.request().toArray()).join(''), 'https');
    assert.deepStrictEqual(seen.slice(0, 4), [true, 'h2', 'TLSv1.3', 'good client']);
    assert.match(seen[4], /127\.0\.0\.1|::1/);
    session.close();
    await once(session, 'close');
  });

  it('an http2 session does not begin with a server that nobody trusts', async () => {
    const core = http2.createServer();
    const { port } = await serve(tls, { ALPNProtocols: ['h2'] }, (socket) => core.emit('connection', socket));
    const socket = tls.connect({ port, host: 'localhost', ca: pki.read('otherca.pem'), ALPNProtocols: ['h2'] });
    const session = http2.connect('https://localhost', { createConnection: () => socket });
    session.on('connect', () => assert.fail('connected'));
    const [error] = await event(session, 'error');
    assert.strictEqual(error.code, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });
});
