'use strict';

const tls = require('..');

const { key, cert } = tls.generateCertificate({ names: ['localhost'] });

// The server's order of preference decides.
const server = tls.createServer({ key, cert, ALPNProtocols: ['chat/2', 'chat/1'] }, (socket) => {
  socket.on('error', () => {});
  socket.end(`let us speak ${socket.alpnProtocol}`);
});

server.listen(0, 'localhost', () => {
  const { port } = server.address();
  const client = tls.connect({ port, host: 'localhost', ca: cert, ALPNProtocols: ['chat/1', 'chat/2'] });
  client.setEncoding('utf8').on('data', (text) => console.log(text));
  client.on('close', () => {
    const other = tls.connect({ port, host: 'localhost', ca: cert, ALPNProtocols: ['mail/1'] });
    other.on('error', (error) => console.log('nothing in common:', error.code));
    other.on('close', () => server.close());
  });
});
