'use strict';

const { once } = require('events');
const pki = require('../support/pki');

/** An echo server of `tls` that listens on a free port; `onConnection` hears of every secured connection. */
async function listenEcho(tls, onConnection = () => {}) {
  const server = tls.createServer(pki.pair('ec'), (socket) => {
    onConnection();
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  server.on('tlsClientError', () => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

module.exports = { listenEcho };
