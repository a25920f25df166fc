'use strict';

// Short connections to a TLS server, of every kind there is.

const net = require('net');
const pki = require('../support/pki');

const BATCH = 50;
const HTTP = 'GET / HTTP/1.1\r\n\r\n';
// A record header and the beginning of a ClientHello.
const HALF_HELLO = Buffer.from('1603010200010001fc0303', 'hex');

/** Each takes (dial, port, done) and calls done() when its connection has closed. */
const KINDS = [
  // Three good ones: an echo, a bare handshake, one that the server's data finds destroyed.
  (dial, port, done) => {
    const socket = dial(port, done);
    socket.on('data', () => socket.end());
    socket.write('hello');
  },
  (dial, port, done) => {
    const socket = dial(port, done);
    socket.on('secureConnect', () => socket.end());
    socket.resume();
  },
  (dial, port, done) => {
    const socket = dial(port, done);
    socket.on('secureConnect', () => {
      socket.write('hello');
      socket.destroy();
    });
  },
  // A reset behind the handshake, of a connection that the program made itself.
  (dial, port, done) => {
    const socket = net.connect(port, '127.0.0.1').on('error', () => {});
    dial(port, done, { socket }).on('secureConnect', () => socket.resetAndDestroy()).resume();
  },
  // A certificate that the client does not accept.
  (dial, port, done) => {
    dial(port, done, { servername: 'wrong.test' });
  },
  // A client that gives up in mid-handshake.
  (dial, port, done) => {
    const socket = dial(port, done);
    socket.on('connect', () => setImmediate(() => socket.destroy()));
  },
  // No TLS at all; half of a hello; nothing.
  (dial, port, done) => raw(port, done).write(HTTP),
  (dial, port, done) => raw(port, done).end(HALF_HELLO),
  (dial, port, done) => {
    const socket = raw(port, done);
    socket.on('connect', () => socket.resetAndDestroy());
  },
];

function raw(port, done) {
  return net.connect(port, '127.0.0.1').on('error', () => {}).on('close', done).resume();
}

/** Makes `count` connections with `tls`, BATCH at a time; resolves when all have closed. */
async function visit(tls, port, count) {
  const context = tls.createSecureContext({ ca: pki.ca });
  const dial = (to, done, options) => tls.connect({
    port: to, host: '127.0.0.1', servername: 'localhost', secureContext: context, ...options,
  }).on('error', () => {}).on('close', done);
  for (let made = 0; made < count; made += BATCH) {
    await new Promise((resolve) => {
      let left = Math.min(BATCH, count - made);
      const done = () => {
        if (--left === 0) resolve();
      };
      for (let i = 0; i < Math.min(BATCH, count - made); i++) KINDS[(made + i) % KINDS.length](dial, port, done);
    });
  }
  return { done: count };
}

module.exports = { visit };
