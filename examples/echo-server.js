'use strict';
// A server that sends back what it gets, and a client that tries it.
// Look at: the same calls as with Node's `tls`; only the name of the module differs.

const tls = require('..');    // in your program: require('c4tls')

const { cert, key } = tls.generateCertificate();

const server = tls.createServer({ cert, key }, (socket) => {
  socket.on('error', (error) => console.log('connection ended with', error.code));
  socket.pipe(socket);
});

// Handshakes that fail are told here; nobody gets a socket for them.
server.on('tlsClientError', (error) => console.log('handshake failed with', error.code));

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  const client = tls.connect({ port, host: '127.0.0.1', ca: cert }, () => {
    console.log('connected with', client.getProtocol());
    client.end('hello');
  });
  client.setEncoding('utf8');
  client.on('data', (text) => console.log('echo:', text));
  client.on('close', () => server.close());
});
