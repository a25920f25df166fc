'use strict';

// An echo server for .ci/audit: DIRECTORY of its certificates, `ec` or `rsa`, 1 to ask clients for theirs. Prints its
// port. It ends by itself after ten minutes.

const fs = require('fs');
const path = require('path');
const c4tls = require('..');

const [directory, type, mutual] = process.argv.slice(2);
const read = (name) => fs.readFileSync(path.join(directory, name));

const server = c4tls.createServer({
  key: read(`${type}.key`),
  cert: read(`${type}.pem`),
  ca: read('ca.pem'),
  requestCert: mutual === '1',
  rejectUnauthorized: mutual === '1',
  handshakeTimeout: 10_000,
  allowHalfOpen: false,
});
server.on('secureConnection', (socket) => {
  socket.on('error', () => {});
  socket.pipe(socket);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
setTimeout(() => process.exit(), 600_000).unref();
