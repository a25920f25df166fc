'use strict';
// A new certificate for a server that goes on running.
// Look at: setSecureContext() counts from the next connection on; those that are open stay as they are.

const { once } = require('events');
const tls = require('..');    // in your program: require('c4tls')

const old = tls.generateCertificate({ names: ['old.example', '127.0.0.1'] });
const renewed = tls.generateCertificate({ names: ['renewed.example', '127.0.0.1'] });

const server = tls.createServer(old, (socket) => socket.pipe(socket));

async function connect() {
  const socket = tls.connect({ port: server.address().port, host: '127.0.0.1', ca: [old.cert, renewed.cert] });
  await once(socket, 'secureConnect');
  return socket;
}

async function main() {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const before = await connect();
  console.log('before:', before.getPeerCertificate().subject.CN);

  server.setSecureContext(renewed);     // in your program: when the files have changed

  const after = await connect();
  console.log('after:', after.getPeerCertificate().subject.CN);

  before.write('still here');
  const [text] = await once(before, 'data');
  console.log('the first connection:', String(text));

  before.end();
  after.end();
  server.close();
}

main();
