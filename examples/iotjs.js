'use strict';

const { generateCertificate } = require('..');
const tls = require('../iotjs');

const { key, cert } = generateCertificate({ names: ['localhost'] });

const server = tls.createServer({ key, cert }, (socket) => {
  socket.on('error', () => {});
  socket.end('hello, thing');
});

server.listen(0, 'localhost', () => {
  // IoT.js does not verify the server unless it is told to: tell it.
  const options = { port: server.address().port, host: 'localhost', ca: cert, rejectUnauthorized: true };
  const client = tls.connect(options, () => console.log('authorized:', client.authorized));
  client.on('data', (data) => console.log(String(data)));
  client.on('close', () => server.close());
});
