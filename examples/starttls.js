'use strict';
// A connection that begins in clear text and changes to TLS, as mail servers do.
// Look at: new TLSSocket(socket, { isServer: true, ... }) on one side, connect({ socket, ... }) on the other.

const net = require('net');
const tls = require('..');    // in your program: require('c4tls')

const { cert, key } = tls.generateCertificate();
const secureContext = tls.createSecureContext({ cert, key });

const server = net.createServer((socket) => {
  socket.write('220 ready\n');
  socket.once('data', (command) => {
    console.log('server read in clear:', String(command).trim());
    socket.write('220 go ahead\n', () => {
      const secured = new tls.TLSSocket(socket, { isServer: true, secureContext });
      secured.on('error', (error) => console.log('server:', error.code));
      secured.on('data', (secret) => {
        console.log('server read over TLS:', String(secret).trim());
        secured.end('250 understood\n');
      });
    });
  });
});

server.listen(0, '127.0.0.1', () => {
  const socket = net.connect(server.address().port, '127.0.0.1');
  let greeted = false;
  socket.on('data', function onLine(line) {
    console.log('client read in clear:', String(line).trim());
    if (!greeted) {
      greeted = true;
      socket.write('STARTTLS\n');
      return;
    }
    // From here on the bytes of `socket` belong to TLS.
    socket.off('data', onLine);
    const secured = tls.connect({ socket, ca: cert, servername: 'localhost' }, () => {
      console.log('client:', secured.getProtocol());
      secured.write('the password\n');
    });
    secured.on('data', (text) => console.log('client read over TLS:', String(text).trim()));
    secured.on('close', () => server.close());
  });
});
