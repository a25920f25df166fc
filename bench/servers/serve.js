'use strict';

// The server that is measured, written as its users write one, for any module with the interface of Node's `tls`.
//
//   node --expose-gc node-tls.js DIRECTORY     DIRECTORY holds p256.pem, p256.key, rsa.pem, rsa.key

const { BULK, BLOCK, SERVICES } = require('../lib/protocol');
const { control, credentials } = require('./control');

const handlers = {
  echo(socket) {
    socket.on('data', (data) => socket.write(data));
  },

  // Every byte that comes asks for BULK bytes.
  download(socket) {
    const block = Buffer.alloc(BLOCK, 'x');
    let owed = 0;
    let waiting = false;
    const pump = () => {
      waiting = false;
      while (owed > 0) {
        owed -= BLOCK;
        if (!socket.write(block)) {
          waiting = true;
          socket.once('drain', pump);
          return;
        }
      }
    };
    socket.on('data', (data) => {
      owed += data.length * BULK;
      if (!waiting) pump();
    });
  },

  // Every BULK bytes that have come are answered with one byte.
  upload(socket) {
    let received = 0;
    socket.on('data', (data) => {
      received += data.length;
      while (received >= BULK) {
        received -= BULK;
        socket.write('k');
      }
    });
  },

  // The client closes at once; a server socket then ends by itself, when somebody reads it.
  handshake(socket) {
    socket.resume();
  },
};

/**
 * @param {object} tls the module
 * @param {Record<string, string>} versions what is in it, by name
 * @param {Record<string, (tls: object, credentials: {key: string, cert: string}) => Promise<number>>} [others] services
 *   in the idiom of the module, by name: each starts, and gives its port
 */
module.exports = async function serve(tls, versions, others = {}) {
  const ports = {};
  for (const [service, key] of Object.entries(SERVICES)) {
    const handler = handlers[service.split('-')[0]];
    const server = tls.createServer({ ...credentials(key), minVersion: 'TLSv1.3' }, (socket) => {
      socket.on('error', () => socket.destroy());
      handler(socket);
    });
    await new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    ports[service] = server.address().port;
  }
  for (const [service, start] of Object.entries(others)) ports[service] = await start(tls, credentials('p256'));
  control({
    ports,
    versions: { node: process.versions.node, ...versions },
    collectGarbage: globalThis.gc,
  });
};
