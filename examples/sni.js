'use strict';
// One server, several names, a certificate for each.
// Look at: addContext() needs no JavaScript during a handshake; SNICallback does, and may answer later.

const { once } = require('events');
const tls = require('..');    // in your program: require('c4tls')

const nobody = tls.generateCertificate({ names: ['default.example'] });
const shop = tls.generateCertificate({ names: ['shop.example'] });
const blog = tls.generateCertificate({ names: ['*.blog.example'] });

async function ask(port, servername) {
  const socket = tls.connect({
    port, host: '127.0.0.1', servername,
    rejectUnauthorized: false,      // the example looks at the certificate itself, trusted or not
  });
  await once(socket, 'secureConnect');
  console.log(servername, '->', socket.getPeerCertificate().subject.CN);
  socket.end();
  await once(socket, 'close');
}

async function serve(options, names, contexts = []) {
  const server = tls.createServer({ ...nobody, ...options }, (socket) => socket.end());
  for (const [name, pair] of contexts) server.addContext(name, pair);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  for (const name of names) await ask(server.address().port, name);
  server.close();
}

async function main() {
  console.log('addContext:');
  await serve({}, ['shop.example', 'ann.blog.example', 'other.example'],
              [['shop.example', shop], ['*.blog.example', blog]]);

  console.log('SNICallback:');
  await serve({
    SNICallback(servername, callback) {
      // Such as from a database. The handshake waits; no thread does.
      const pair = servername === 'shop.example' ? shop : nobody;
      setImmediate(callback, null, tls.createSecureContext(pair));
    },
  }, ['shop.example', 'other.example']);
}

main();
