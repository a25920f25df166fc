'use strict';
// Node's own HTTP server over connections that c4tls has secured.
// Look at: one line joins them, because a TLSSocket is a net.Socket.

const http = require('http');
const https = require('https');
const tls = require('..');    // in your program: require('c4tls')

const { cert, key } = tls.generateCertificate();

const web = http.createServer((request, response) => {
  response.end(`${request.method} ${request.url} over ${request.socket.getProtocol()}\n`);
});

const server = tls.createServer({ cert, key, ALPNProtocols: ['http/1.1'] }, (socket) => {
  web.emit('connection', socket);
});

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  // Any HTTPS client will do; this one is Node's.
  https.get({ host: '127.0.0.1', port, path: '/hello', ca: cert, agent: false }, (response) => {
    response.setEncoding('utf8');
    response.on('data', (text) => console.log(response.statusCode, text.trim()));
    response.on('end', () => server.close());
  });
});
