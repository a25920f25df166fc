'use strict';

// Node's http2 over our sockets: README's way, with curl and http2.connect, and peers that go away.

const assert = require('assert');
const { createHash, randomBytes } = require('crypto');
const { once } = require('events');
const http = require('http');
const http2 = require('http2');
const pki = require('../support/pki');
const { forEachPairing, subject } = require('../support/subject');
const { isInstalled, run } = require('../support/program');
const { track } = require('../support/cleanup');
const { event, serve } = require('../support/net');

const BODY = randomBytes(3_000_000);
const ROUNDS = 20;

const hash = (bytes) => createHash('sha1').update(bytes).digest('hex');

function answer(request, response) {
  const { url } = request;
  if (url === '/large') response.end(BODY);
  else if (url === '/echo') request.pipe(response);
  else if (url === '/reset') request.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
  else if (url === '/trailers') {
    response.write('body');
    response.addTrailers({ sum: '1' });
    response.end();
  } else if (url === '/push') {
    response.stream.pushStream({ ':path': '/pushed' }, (error, stream) => stream.end('pushed'));
    response.end('main');
  } else response.end(`HTTP/${request.httpVersion} ${url}`);
}

async function serveBoth(tls) {
  const servers = { 'h2': http2.createServer(answer), 'http/1.1': http.createServer(answer) };
  servers.h2.on('sessionError', () => {});
  const { server, port } = await serve(tls, { ALPNProtocols: Object.keys(servers) }, (socket) => {
    socket.on('error', () => {});
    servers[socket.alpnProtocol || 'http/1.1'].emit('connection', socket);
  });
  return { server, port, h2: servers.h2 };
}

function connect(tls, port, options) {
  const session = http2.connect(`https://localhost:${port}`, {
    createConnection: () => track(tls.connect({
      port, host: '127.0.0.1', servername: 'localhost', ca: pki.ca, ALPNProtocols: ['h2'], ...options,
    })),
  });
  session.on('error', () => {});
  return session;
}

async function fetch(session, headers, body) {
  const stream = session.request(headers);
  const chunks = [];
  stream.on('data', (chunk) => chunks.push(chunk));
  stream.end(body);
  await event(stream, 'end');
  return Buffer.concat(chunks);
}

forEachPairing((serverTls, clientTls) => {
  it('bodies both ways, many streams at once, trailers, pushes, resets', async () => {
    const { port } = await serveBoth(serverTls);
    const session = connect(clientTls, port);
    const [large, echo, ...small] = await Promise.all([
      fetch(session, { ':path': '/large' }),
      fetch(session, { ':path': '/echo', ':method': 'POST' }, BODY),
      ...Array.from({ length: 60 }, (_, i) => fetch(session, { ':path': `/${i}` })),
    ]);
    assert.strictEqual(hash(large), hash(BODY));
    assert.strictEqual(hash(echo), hash(BODY));
    small.forEach((body, i) => assert.strictEqual(String(body), `HTTP/2.0 /${i}`));

    const trailing = session.request({ ':path': '/trailers' }).resume();
    assert.strictEqual((await event(trailing, 'trailers'))[0].sum, '1');

    const pushed = new Promise((resolve) => {
      session.once('stream', (stream) => stream.once('data', resolve));
    });
    assert.strictEqual(String(await fetch(session, { ':path': '/push' })), 'main');
    assert.strictEqual(String(await pushed), 'pushed');

    const reset = session.request({ ':path': '/reset' });
    assert.strictEqual((await event(reset, 'error'))[0].code, 'ERR_HTTP2_STREAM_ERROR');
    assert.strictEqual(String(await fetch(session, { ':path': '/after' })), 'HTTP/2.0 /after');
    session.close();
    await event(session, 'close');
  });

  it('a session to a server that is not trusted fails, and the server stays', async () => {
    const { port } = await serveBoth(serverTls);
    for (let i = 0; i < ROUNDS; i++) {
      const session = connect(clientTls, port, { ca: [] });
      const gone = new Promise((resolve) => {
        session.once('close', resolve);
      });
      assert.match((await event(session, 'error'))[0].code, /UNABLE_TO_VERIFY/);
      await gone;
    }
    const session = connect(clientTls, port);
    assert.strictEqual(String(await fetch(session, { ':path': '/on' })), 'HTTP/2.0 /on');
    session.destroy();
  });

  it('clients that leave at once, or in the middle of a body', async () => {
    const { port, h2 } = await serveBoth(serverTls);
    for (let i = 0; i < ROUNDS; i++) {
      const session = connect(clientTls, port);
      const stream = session.request({ ':path': '/large' });
      stream.on('error', () => {});
      if (i % 2 === 0) session.once('connect', () => session.destroy());
      else stream.once('data', () => session.destroy());
      await once(session, 'close');
    }
    const session = connect(clientTls, port);
    const accepted = event(h2, 'session');
    assert.strictEqual(String(await fetch(session, { ':path': '/on' })), 'HTTP/2.0 /on');
    const [served] = await accepted;
    served.destroy();
    await event(session, 'close');
  });
});

describe('curl', () => {
  const test = isInstalled('curl') ? it : it.skip;

  for (const [option, version] of [['--http2', '2.0'], ['--http1.1', '1.1']]) {
    test(`${option} is served`, async function () {
      const { stdout: features } = await run('curl', ['--version']);
      if (option === '--http2' && !/\bHTTP2\b/.test(features)) this.skip();
      const { port } = await serveBoth(subject);
      const args = ['--silent', '--show-error', '--max-time', '8', '--cacert', pki.path('ca.pem'), option];
      const { stdout, stderr } = await run('curl', [...args, `https://localhost:${port}/curl`]);
      assert.strictEqual(stdout, `HTTP/${version} /curl`, stderr);
      const up = await run('curl', [...args, '--data-binary', '@-', `https://localhost:${port}/echo`],
        { input: 'x'.repeat(500_000) });
      assert.strictEqual(up.stdout.length, 500_000, up.stderr);
    });
  }
});
