'use strict';

// An express server over https, with client certificates, and https.request as its client.

const assert = require('assert');
const { createHash, randomBytes } = require('crypto');
const express = require('express');
const https = require('https');
const pki = require('../../support/pki');

const BODY = randomBytes(4 * 1024 * 1024);
const digest = (data) => createHash('sha256').update(data).digest('hex');

const app = express();
app.set('trust proxy', false);
app.get('/', (request, response) => {
  const { socket } = request;
  response.json({
    protocol: request.protocol, secure: request.secure, authorized: socket.authorized,
    version: socket.getProtocol(), cipher: socket.getCipher().name, client: socket.getPeerCertificate().subject?.CN,
  });
});
app.get('/download', (request, response) => response.send(BODY));
app.post('/upload', express.raw({ limit: '8mb' }), (request, response) => response.send(digest(request.body)));
app.get('/item/:id', (request, response) => response.status(201).set('x-item', request.params.id).end());

const server = https.createServer({ ...pki.pair('rsa'), ca: pki.ca, requestCert: true, rejectUnauthorized: false }, app);

function ask(options, body) {
  return new Promise((resolve, reject) => {
    https.request({ host: 'localhost', port: server.address().port, ca: pki.ca, ...options }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }));
    }).on('error', reject).end(body);
  });
}

async function main() {
  const result = {};
  result.plain = JSON.parse((await ask({ path: '/' })).body);
  result.certified = JSON.parse((await ask({ path: '/', ...pki.pair('client') })).body);
  assert.ok((await ask({ path: '/download' })).body.equals(BODY));
  const headers = { 'content-type': 'application/octet-stream' };
  assert.strictEqual(`${(await ask({ method: 'POST', path: '/upload', headers }, BODY)).body}`, digest(BODY));

  const agent = new https.Agent({ keepAlive: true, maxSockets: 4 });
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => ask({ path: `/item/${i}`, agent })));
  result.items = answers.map(({ status, headers: { 'x-item': item } }) => `${status} ${item}`).join();
  agent.destroy();

  result.untrusted = await ask({ path: '/', ca: pki.read('otherca.pem') }).catch(({ code }) => code);
  result.wrongName = await ask({ path: '/', servername: 'else.test' }).catch(({ code }) => code);
  return result;
}

server.listen(0, async () => {
  console.log(JSON.stringify(await main()));
  server.close();
  server.closeAllConnections();
});
