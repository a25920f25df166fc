'use strict';
// Both sides show a certificate; the server lets in only clients that it knows.
// Look at: the refused client is told why by an alert, and the server's program sees the reason as a code.

const { once } = require('events');
const tls = require('..');    // in your program: require('c4tls')

const serverSide = tls.generateCertificate();
const alice = tls.generateCertificate({ names: ['alice.example'] });
const mallory = tls.generateCertificate({ names: ['mallory.example'] });

const server = tls.createServer({
  ...serverSide,
  requestCert: true,
  rejectUnauthorized: true,
  ca: [alice.cert],           // whose clients are welcome
}, (socket) => {
  socket.end(`welcome, ${socket.getPeerCertificate().subject.CN}`);
});

// To Node's programs such a client's connection is reset (ECONNRESET); the reason is the cause.
server.on('tlsClientError', (error) => console.log('server refused a client:', (error.cause ?? error).code));

async function visit(port, pair) {
  const socket = tls.connect({ port, host: '127.0.0.1', ca: serverSide.cert, ...pair });
  socket.setEncoding('utf8');
  socket.on('data', (text) => console.log('client got:', text));
  // In TLS 1.3 a client is ready before the server has looked at its certificate: the refusal comes afterwards.
  socket.on('error', (error) => console.log('client was refused:', error.code));
  await new Promise((resolve) => {
    socket.on('close', resolve);
  });
}

async function main() {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await visit(port, alice);
  await visit(port, mallory);
  server.close();
}

main();
