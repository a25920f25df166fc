'use strict';
// HTTP/2 and HTTP/1.1 on one port, by what the client offers, and a client for each.
// Look at: Node's http2 takes a TLSSocket on both sides; the protocol of the connection chooses the server.

const http = require('http');
const http2 = require('http2');
const tls = require('..');              // in your program: require('c4tls')
const https = require('../https');      // in your program: require('c4tls/https')

const { cert, key } = tls.generateCertificate();

// Both servers speak the same language to a request listener.
function answer(request, response) {
  response.end(`HTTP/${request.httpVersion} ${request.url}, encrypted: ${request.socket.encrypted}`);
}

const servers = { 'h2': http2.createServer(answer), 'http/1.1': http.createServer(answer) };

const server = tls.createServer({ cert, key, ALPNProtocols: Object.keys(servers) }, (socket) => {
  servers[socket.alpnProtocol || 'http/1.1'].emit('connection', socket);
});

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  const destination = { host: '127.0.0.1', port, ca: cert };
  const session = http2.connect(`https://127.0.0.1:${port}`, {
    createConnection: () => tls.connect({ ...destination, ALPNProtocols: ['h2'] }),
  });
  const stream = session.request({ ':path': '/new' });
  stream.setEncoding('utf8');
  stream.on('data', (text) => console.log(text));
  stream.on('end', () => {
    session.close();
    https.get({ ...destination, path: '/old', agent: false }, (response) => {
      response.setEncoding('utf8');
      response.on('data', (text) => console.log(text));
      response.on('end', () => server.close());
    });
  });
});
