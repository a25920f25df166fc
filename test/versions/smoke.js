'use strict';

// One program that a version of Node must get through: handshakes with Node's own tls both ways, HTTP over a TLSSocket,
// a Worker, and an end without being told to. Exit code 0 when all of it held.

const assert = require('assert');
const { once } = require('events');
const http = require('http');
const https = require('https');
const nodeTls = require('tls');
const { Worker, isMainThread, parentPort } = require('worker_threads');
const c4tls = require('../..');

const pair = c4tls.generateCertificate({ names: ['localhost'] });
const LIMIT = 50_000;      // ms

async function echoOnce(serverTls, clientTls, version) {
  const server = serverTls.createServer({ ...pair, minVersion: version, maxVersion: version }, (socket) => {
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = clientTls.connect({ port: server.address().port, servername: 'localhost', ca: pair.cert });
  await once(client, 'secureConnect');
  assert.strictEqual(client.getProtocol(), version);
  assert.strictEqual(client.authorized, true);
  assert.strictEqual(client.getPeerCertificate().subject.CN, 'localhost');

  const sent = Buffer.alloc(300_000, 'c4tls ');
  const chunks = [];
  client.on('data', (chunk) => chunks.push(chunk));
  client.end(sent);
  await once(client, 'end');
  assert.ok(Buffer.concat(chunks).equals(sent));
  server.close();
  await once(server, 'close');
}

async function handshakes() {
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    await echoOnce(c4tls, nodeTls, version);
    await echoOnce(nodeTls, c4tls, version);
    await echoOnce(c4tls, c4tls, version);
  }
}

async function overHttp() {
  const page = http.createServer((request, response) => response.end(`you asked for ${request.url}`));
  const server = c4tls.createServer(pair, (socket) => page.emit('connection', socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = new https.Agent({ keepAlive: true });
  for (let i = 0; i < 3; i++) {
    const request = https.get({
      port: server.address().port, servername: 'localhost', ca: pair.cert, agent, path: `/${i}`,
    });
    const [response] = await once(request, 'response');
    let body = '';
    for await (const chunk of response.setEncoding('utf8')) body += chunk;
    assert.strictEqual(body, `you asked for /${i}`);
  }
  agent.destroy();
  server.close();
  await once(server, 'close');
}

async function inWorker() {
  const worker = new Worker(__filename);
  const [message] = await once(worker, 'message');
  assert.strictEqual(message, 'done');
  const [code] = await once(worker, 'exit');
  assert.strictEqual(code, 0);
}

async function main() {
  await handshakes();
  if (!isMainThread) {
    parentPort.postMessage('done');
    return;
  }
  await overHttp();
  await inWorker();
  // Nothing is open now. A process that goes on all the same ends here, and not well.
  setTimeout(() => {
    console.error('Still running; active:', process.getActiveResourcesInfo?.());
    process.exit(3);
  }, LIMIT).unref();
  console.log('done');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
