'use strict';
// An HTTPS server and a client for it, as with Node's https.
// Look at: nothing but the module's name differs.

const tls = require('..');              // in your program: require('c4tls')
const https = require('../https');      // in your program: require('c4tls/https')

const { cert, key } = tls.generateCertificate();

const server = https.createServer({ cert, key }, (request, response) => {
  response.end(`${request.method} ${request.url} over ${request.socket.getProtocol()}\n`);
});

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  https.get({ host: '127.0.0.1', port, path: '/hello', ca: cert, agent: false }, (response) => {
    response.setEncoding('utf8');
    response.on('data', (text) => console.log(response.statusCode, text.trim()));
    response.on('end', () => server.close());
  });
});
