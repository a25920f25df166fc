'use strict';

// https.request, https.get and https.Agent over our sockets.

const assert = require('assert');
const http = require('http');
const nodeHttps = require('https');
const url = require('url');
const pki = require('../support/pki');
const { betterThanNode, subject: tls } = require('../support/subject');
const { track } = require('../support/cleanup');
const { until } = require('../support/time');
const { event, serve } = require('../support/net');
const { fetchText, gone, https, serveHttps, to } = require('../support/https');

async function page(options) {
  let connections = 0;
  const { server, port } = await serveHttps(options, (request, response) => {
    response.end(`${request.method} ${request.url} ${request.headers.host} ${request.socket.isSessionReused()}`);
  });
  server.on('secureConnection', () => connections++);
  return { server, port, connections: () => connections };
}

function agentOf(options) {
  const agent = new https.Agent({ ca: pki.ca, ...options });
  track({ close: () => agent.destroy(), on() {} });
  return agent;
}

describe('https.request', () => {
  it('takes text, URL, url.parse(), and options beside them', async () => {
    const { port } = await page();
    const address = `https://localhost:${port}/a?b`;
    const more = { ca: pki.ca };
    const wanted = `GET /a?b localhost:${port} false`;
    const legacy = Object.assign(url.parse(address), more);
    for (const args of [[address, more], [new URL(address), more], [legacy], [{ ...legacy }]]) {
      const { socket, body } = await fetchText(undefined, () => https.get(...args));
      assert.strictEqual(body.replace(/true$/, 'false'), wanted);
      assert.ok(socket instanceof tls.TLSSocket);
      assert.strictEqual(socket.authorized, true);
    }
    const request = https.request(address, { method: 'PUT', ca: pki.ca });
    assert.ok(request instanceof http.ClientRequest);
    assert.match((await fetchText(undefined, () => request.end('x'))).body, /^PUT /);
    assert.throws(() => https.get('http://localhost'), { code: 'ERR_INVALID_PROTOCOL' });
    assert.throws(() => https.get('localhost'), { code: 'ERR_INVALID_URL' });
  });

  it('sends nothing to a server that it does not trust', async () => {
    const { server, port } = await page();
    let requests = 0;
    server.on('request', () => requests++);
    for (const options of [{ ca: [] }, { servername: 'other.test' }]) {
      const [error] = await event(https.request(to(port, { agent: false, ...options })).end('secret'), 'error');
      assert.match(error.code, /UNABLE_TO_VERIFY|ERR_TLS_CERT_ALTNAME_INVALID/);
    }
    await fetchText(to(port, { agent: false }));
    assert.strictEqual(requests, 1);
  });

  it('a signal aborts it', async () => {
    const { port } = await serveHttps({}, () => {});
    const control = new AbortController();
    const request = https.get(to(port, { signal: control.signal }));
    request.once('socket', () => control.abort());
    const [error] = await event(request, 'error');
    assert.strictEqual(error.code, 'ABORT_ERR');
  });

  it('goes through the agent that is globalAgent now', async () => {
    const { port } = await page();
    const before = https.globalAgent;
    try {
      https.globalAgent = agentOf({ servername: 'localhost' });
      const { response } = await fetchText({ host: '127.0.0.1', port });
      assert.strictEqual(response.req.agent, https.globalAgent);
    } finally {
      https.globalAgent = before;
    }
  });

  it('agent: false makes one of ours for itself', async () => {
    const { port } = await page();
    const { response } = await fetchText(to(port, { agent: false }));
    assert.ok(response.req.agent instanceof https.Agent);
    assert.notStrictEqual(response.req.agent, https.globalAgent);
  });
});

describe('https.Agent', () => {
  it('is an http.Agent with the defaults of Node\'s, with and without new', () => {
    for (const agent of [new https.Agent(), https.Agent({})]) {
      const expected = new nodeHttps.Agent();
      assert.ok(agent instanceof https.Agent && agent instanceof http.Agent);
      for (const name of ['defaultPort', 'protocol', 'maxCachedSessions', 'maxSockets', 'maxFreeSockets', 'keepAlive']) {
        assert.strictEqual(agent[name], expected[name], name);
      }
    }
    assert.deepStrictEqual({ ...https.globalAgent.options }, { ...nodeHttps.globalAgent.options });
  });

  it('getName() gives what Node\'s gives', () => {
    const values = {
      host: 'a', port: 1, localAddress: '127.0.0.1', family: 6, socketPath: '/s', ca: 'CA', cert: 'C', ciphers: 'X',
      clientCertEngine: 'e', key: 'K', pfx: 'P', rejectUnauthorized: false, servername: 'n', minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3', secureProtocol: 'TLS_method', crl: 'R', honorCipherOrder: true, ecdhCurve: 'auto',
      dhparam: 'D', secureOptions: 1, sessionIdContext: 'I', sigalgs: 'S', privateKeyIdentifier: 'pi',
      privateKeyEngine: 'pe', passphrase: 'pp', checkServerIdentity: () => {},
    };
    const [agent, expected] = [new https.Agent(), new nodeHttps.Agent()];
    assert.strictEqual(agent.getName(), expected.getName());
    assert.strictEqual(agent.getName(values), expected.getName(values));
    for (const [name, value] of Object.entries(values)) {
      assert.strictEqual(agent.getName({ [name]: value }), expected.getName({ [name]: value }), name);
    }
  });

  it('keepAlive: requests share a connection', async () => {
    const { port, connections } = await page();
    const agent = agentOf({ keepAlive: true });
    for (let i = 0; i < 4; i++) {
      const freed = event(agent, 'free');
      const { response } = await fetchText(to(port, { agent }));
      assert.strictEqual(response.req.reusedSocket, i > 0);
      await freed;
    }
    assert.strictEqual(connections(), 1);
  });

  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    it(`resumes sessions (${version}), as many hosts' as it may keep`, async () => {
      const { port } = await page({ maxVersion: version });
      const reused = async (agent, servername) => {
        const { socket, body } = await fetchText(to(port, { agent, servername }));
        await gone(socket);
        return body.endsWith('true');
      };
      const agent = agentOf({ maxCachedSessions: 1 });
      assert.deepStrictEqual([await reused(agent, 'localhost'), await reused(agent, 'localhost')], [false, true]);
      assert.strictEqual(await reused(agent, 'c4tls.test'), false);      // its session takes the only place
      assert.strictEqual(await reused(agent, 'localhost'), false);
      const none = agentOf({ maxCachedSessions: 0 });
      assert.deepStrictEqual([await reused(none, 'localhost'), await reused(none, 'localhost')], [false, false]);
    });
  }

  it('a check of one request lets nothing through for others', async function () {
    betterThanNode(this);
    const { port, connections } = await page();
    const agent = agentOf({ keepAlive: true });
    const lenient = { agent, servername: 'other.test', checkServerIdentity: () => undefined };
    for (let i = 0; i < 2; i++) {
      const { socket, body } = await fetchText(to(port, lenient));
      assert.match(body, /false$/);
      await gone(socket);
    }
    const [error] = await event(https.get(to(port, { agent, servername: 'other.test' })), 'error');
    assert.strictEqual(error.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
    // The client may be gone before the server has heard of it.
    await until(() => connections() === 3, 5000, 'a third connection');
  });

  it('what a server sends unasked is not taken for an answer', async function () {
    betterThanNode(this);
    const answer = (text) => `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
    const sockets = [];
    const { port } = await serve(tls, {}, (socket) => {
      sockets.push(socket);
      socket.on('error', () => {}).on('data', () => socket.write(answer('asked')));
    });
    const agent = agentOf({ keepAlive: true });
    const freed = event(agent, 'free');
    const { socket: first } = await fetchText(to(port, { agent }));
    await freed;
    assert.strictEqual(first.destroyed, false);
    sockets[0].write(answer('poison'));
    await gone(first);
    assert.strictEqual((await fetchText(to(port, { agent }))).body, 'asked');
    assert.strictEqual(sockets.length, 2);
  });

  it('createConnection() takes options, and port, host and options', async () => {
    const { port } = await page();
    const agent = agentOf();
    const known = { ca: pki.ca, servername: 'localhost' };
    for (const args of [[{ port, host: '127.0.0.1', ...known }], [port, '127.0.0.1', known],
      [port, { host: '127.0.0.1', ...known }]]) {
      const socket = track(agent.createConnection(...args));
      assert.ok(socket instanceof tls.TLSSocket);
      await event(socket, 'secureConnect');
    }
  });

  it('keylog lines come from all its connections', async () => {
    const { port } = await page();
    const agent = agentOf();
    const lines = event(agent, 'keylog');
    const { socket } = await fetchText(to(port, { agent }));
    const [line, source] = await lines;
    assert.match(String(line), /^\w+ [\da-f]{64} [\da-f]+\n$/);
    assert.strictEqual(source, socket);
  });
});
