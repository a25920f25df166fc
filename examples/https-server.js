'use strict';

const http = require('http');
const https = require('https');
const tls = require('..');

const { key, cert } = tls.generateCertificate({ names: ['localhost'] });

const web = http.createServer((request, response) => {
  response.end(`you asked for ${request.url} over ${request.socket.getProtocol()}\n`);
});

// http takes any stream as a connection: ours are TLS already.
const server = tls.createServer({ key, cert, ALPNProtocols: ['http/1.1'] }, (socket) => {
  socket.on('error', () => {});
  web.emit('connection', socket);
});

server.listen(0, 'localhost', () => {
  const { port } = server.address();
  https.get({ host: 'localhost', port, path: '/news', ca: cert, agent: false }, async (response) => {
    console.log(response.statusCode, (await response.toArray()).join('').trim());
    server.close();
  });
});
