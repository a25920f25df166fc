'use strict';

// The other side of the measured program, with Node's own tls.

const tls = require('tls');
const { once } = require('events');
const pki = require('../support/pki');
const { answerLines } = require('../support/lines');
const { visit } = require('./visits');

answerLines({
  /** An echo server. */
  async listen() {
    const server = tls.createServer(pki.pair('ec'), (socket) => {
      socket.on('error', () => {});
      socket.pipe(socket);
    });
    server.on('tlsClientError', () => {}).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { port: server.address().port };
  },

  visit: ({ port, count }) => visit(tls, port, count),
});
