'use strict';

// Clients of sslserver-load.test.js, of Node's own tls: each counts the lines that it gets.

const tls = require('tls');
const { answerLines } = require('../../support/lines');
const pki = require('../../support/pki');

/** Handshakes under way at once. */
const AT_ONCE = 64;

const context = tls.createSecureContext({ ca: pki.ca });
const clients = [];
let lines = 0;
let strange = 0;

function connect(port, expected) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', secureContext: context });
    const client = { socket, lines: 0, rest: '' };
    socket.setEncoding('latin1');
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      socket.off('error', reject);
      socket.on('error', () => {});
      clients.push(client);
      resolve();
    });
    socket.on('data', (text) => {
      const parts = (client.rest + text).split('\r\n');
      client.rest = parts.pop();
      for (const part of parts) {
        client.lines++;
        lines++;
        if (part !== expected) strange++;
      }
    });
  });
}

answerLines({
  async connect({ port, count, expected }) {
    let left = count;
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) await connect(port, expected);
    }));
    return { connected: clients.length };
  },

  look: () => ({
    lines, strange, least: Math.min(...clients.map((client) => client.lines)),
    open: clients.filter(({ socket }) => !socket.destroyed).length,
  }),

  say() {
    for (const { socket } of clients) socket.write('hello\n');
    return {};
  },
});
