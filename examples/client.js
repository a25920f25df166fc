'use strict';
// A client: what it checks, what it can ask about the connection, how it comes back faster.
// Look at: without `ca` a self-signed server is refused, with a code that says why.

const { once } = require('events');
const tls = require('..');    // in your program: require('c4tls')

const pair = tls.generateCertificate({ names: ['localhost', '127.0.0.1'] });
const server = tls.createServer(pair, (socket) => socket.end('bye'));

async function connect(options) {
  const socket = tls.connect({ host: '127.0.0.1', port: server.address().port, ...options });
  // With TLS 1.3 the tickets come after the handshake; each may be used once.
  let session;
  socket.on('session', (ticket) => {
    session = ticket;
  });
  await once(socket, 'secureConnect');
  socket.resume();
  await once(socket, 'end');
  return { socket, session };
}

async function refused(options) {
  try {
    await connect(options);
  } catch (error) {
    console.log('refused:', error.code);
  }
}

async function main() {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  await refused({});                                                  // nobody vouches for the server
  await refused({ ca: pair.cert, servername: 'other.example' });      // it is not who it should be
  await refused({ ca: pair.cert, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_CCM_SHA256' });

  const first = await connect({ ca: pair.cert });
  const { socket } = first;
  console.log('protocol:', socket.getProtocol());
  console.log('cipher:', socket.getCipher().name);
  console.log('server:', socket.getPeerCertificate().subjectaltname);
  console.log('resumed:', socket.isSessionReused());

  const second = await connect({ ca: pair.cert, session: first.session });
  console.log('resumed:', second.socket.isSessionReused());
  server.close();
}

main();
