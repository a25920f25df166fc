'use strict';

// The other side of the measured program, with Node's own tls.

const tls = require('tls');
const { once } = require('events');
const pki = require('../support/pki');
const { answerLines } = require('./lines');
const { visit } = require('./visits');

answerLines({
  /** An echo server; `paused`: one that never reads. */
  async listen({ paused }) {
    const server = tls.createServer(pki.pair('ec'), (socket) => {
      socket.on('error', () => {});
      if (!paused) socket.pipe(socket);
    });
    server.on('tlsClientError', () => {}).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { port: server.address().port };
  },

  visit: ({ port, count }) => visit(tls, port, count),

  /** Starts to write `bytes`, as fast as they are taken. */
  async push({ port, bytes }) {
    const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: pki.ca });
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    const block = Buffer.alloc(1 << 20);
    let left = bytes;
    const fill = () => {
      while (left > 0) {
        left -= block.length;
        if (!socket.write(block)) return;
      }
    };
    socket.on('drain', fill);
    fill();
    return {};
  },
});
