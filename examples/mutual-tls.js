'use strict';

const tls = require('..');

const ours = tls.generateCertificate({ names: ['localhost'] });
const friend = tls.generateCertificate({ names: ['friend.example'] });

// With requestCert, clients that have no certificate from `ca` do not come in.
const server = tls.createServer({ ...ours, ca: friend.cert, requestCert: true }, (socket) => {
  socket.on('error', () => {});
  socket.end(`welcome, ${socket.getPeerCertificate().subject.CN}`);
});
server.on('tlsClientError', (error) => console.log('server refused a client:', error.code));

server.listen(0, 'localhost', () => {
  const { port } = server.address();
  const known = tls.connect({ port, host: 'localhost', ca: ours.cert, ...friend });
  known.setEncoding('utf8').on('data', (text) => console.log(text));
  known.on('close', () => {
    const stranger = tls.connect({ port, host: 'localhost', ca: ours.cert });
    stranger.on('error', (error) => console.log('the stranger got:', error.code));
    stranger.on('close', () => server.close());
    stranger.resume();
  });
});
