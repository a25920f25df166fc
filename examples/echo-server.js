'use strict';

const tls = require('..');

const { key, cert } = tls.generateCertificate({ names: ['localhost'] });

const server = tls.createServer({ key, cert }, (socket) => {
  socket.on('error', (error) => console.log('a connection failed:', error.message));
  socket.pipe(socket);
});
server.on('tlsClientError', (error) => console.log('a handshake failed:', error.message));

server.listen(0, 'localhost', () => {
  const client = tls.connect({ port: server.address().port, host: 'localhost', ca: cert });
  client.setEncoding('utf8');
  client.write('echo');
  client.on('data', (text) => {
    console.log('the server sent back:', text);
    client.end();
    server.close();
  });
});
