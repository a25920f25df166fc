'use strict';

// An agent with `proxyEnv`: tunnels through http and https proxies, exceptions, and proxies that refuse.

const assert = require('assert');
const http = require('http');
const net = require('net');
const pki = require('../support/pki');
const { stock } = require('../support/subject');
const { track } = require('../support/cleanup');
const { event, listen } = require('../support/net');
const { fetchText, https, serveHttps, to } = require('../support/https');

/** A proxy that tunnels to where it is asked, or does what `answer(request, socket)` does: {port, asked}. */
async function serveProxy({ secure = false, answer } = {}) {
  const server = secure ? https.createServer(pki.pair('ec')) : http.createServer();
  const asked = [];
  server.on('connect', (request, socket) => {
    asked.push(request);
    socket.on('error', () => {});
    if (answer) {
      answer(request, socket);
      return;
    }
    const far = track(net.connect(Number(request.url.split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(far).pipe(socket);
    }));
    far.on('error', () => socket.destroy());
  });
  return { port: await listen(server), asked };
}

function page() {
  return serveHttps({}, (request, response) => response.end(`page ${request.url}`));
}

function failure(port, agent, options) {
  return event(https.get(to(port, { agent, ...options })), 'error').then(([error]) => error);
}

(stock ? describe.skip : describe)('an agent with proxyEnv', () => {
  it('goes through the proxy, once for connections that are kept', async () => {
    const { port } = await page();
    const proxy = await serveProxy();
    const agent = new https.Agent({ keepAlive: true, proxyEnv: { HTTPS_PROXY: `http://me:p%20w@127.0.0.1:${proxy.port}` } });
    for (const path of ['/1', '/2']) {
      const freed = event(agent, 'free');
      const { socket, body } = await fetchText(to(port, { agent, path }));
      assert.strictEqual(body, `page ${path}`);
      assert.strictEqual(socket.authorized, true);
      await freed;
    }
    agent.destroy();
    assert.strictEqual(proxy.asked.length, 1);
    const [{ url, headers }] = proxy.asked;
    assert.strictEqual(url, `127.0.0.1:${port}`);
    assert.strictEqual(headers.host, url);
    assert.strictEqual(headers['proxy-authorization'], `Basic ${Buffer.from('me:p w').toString('base64')}`);
    assert.strictEqual(headers['proxy-connection'], 'keep-alive');
  });

  it('checks the server\'s certificate behind the proxy', async () => {
    const { port } = await page();
    const proxy = await serveProxy();
    const agent = new https.Agent({ proxyEnv: { https_proxy: `http://127.0.0.1:${proxy.port}` } });
    const error = await failure(port, agent, { servername: 'other.test' });
    assert.strictEqual(error.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('refuses an https proxy that it does not trust', async () => {
    const { port } = await page();
    const proxy = await serveProxy({ secure: true });
    const agent = new https.Agent({ proxyEnv: { https_proxy: `https://localhost:${proxy.port}` } });
    assert.strictEqual((await failure(port, agent)).code, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    assert.strictEqual(proxy.asked.length, 0);
  });

  for (const [exceptions, direct] of [
    ['*', true], ['127.0.0.1', true], ['other, 127.0.0.0-127.0.0.9', true], ['127.0.0.2', false],
    ['.0.0.1', true], ['*.0.1', true], ['.other', false], ['127.0.0.2-127.0.0.9', false],
  ]) {
    it(`no_proxy: ${exceptions} -> ${direct ? 'direct' : 'proxy'}`, async () => {
      const { port } = await page();
      const proxy = await serveProxy();
      const agent = new https.Agent({
        proxyEnv: { https_proxy: `http://127.0.0.1:${proxy.port}`, no_proxy: exceptions },
      });
      assert.strictEqual((await fetchText(to(port, { agent, path: '/' }))).body, 'page /');
      assert.strictEqual(proxy.asked.length, direct ? 0 : 1);
    });
  }

  it('a refusal, an early end and a silent proxy are errors', async () => {
    const { port } = await page();
    for (const [answer, text] of [
      [(_, socket) => socket.end('HTTP/1.1 407 Who are you\r\n\r\n'), /via http:.*HTTP\/1\.1 407 Who are you$/],
      [(_, socket) => socket.end(), /ended unexpectedly$/],
      [() => {}, /timed out after 100ms$/],
    ]) {
      const proxy = await serveProxy({ answer });
      const agent = new https.Agent({ proxyEnv: { https_proxy: `http://u:secret@127.0.0.1:${proxy.port}` } });
      const error = await failure(port, agent, { timeout: String(text).includes('timed') ? 100 : undefined });
      assert.strictEqual(error.code, 'ERR_PROXY_TUNNEL');
      assert.match(error.message, text);
      assert.ok(!error.message.includes('secret'));
    }
  });
});
