'use strict';

// With one or two threads the event loop's thread runs the sockets' tasks itself while it is behind with light work.
// What threads are for stays: whatever that thread does next, the others are served.

const assert = require('assert');
const tls = require('tls');
const { startNode } = require('../support/node-program');
const { dial, event, readBytes } = require('../support/net');

/** An echo server that stops its event loop at the message of that number until a byte comes in. */
const PROGRAM = `
  const fs = require('fs');
  const STOP = 10_000;
  let count = 0;
  const server = tls.createServer(pki.pair('ec'), (socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      if (++count === STOP) {
        fs.writeSync(1, 'stopped\\n');
        fs.readSync(0, Buffer.alloc(1));
      }
      socket.write(data);
    });
  });
  server.listen(0, '127.0.0.1', () => console.log('port', server.address().port));
`;

const CONNECTIONS = 48;
const MIB = 1 << 20;

describe('A thread that is behind', () => {
  for (const threads of ['1', '2']) {
    it(`and stops leaves handshakes to the others; C4TLS_THREADS=${threads}`, async () => {
      const server = startNode(PROGRAM, { env: { C4TLS_THREADS: threads }, timeout: 25_000 });
      const [, port] = await server.waitFor(/port (\d+)/);
      // Each with one message in flight.
      for (let i = 0; i < CONNECTIONS; i++) {
        const client = dial(tls, port);
        client.on('error', () => {});
        client.on('data', (data) => client.write(data));
        client.write('x'.repeat(100));
      }
      await server.waitFor(/stopped/, 20_000);
      const late = dial(tls, port);
      await event(late, 'secureConnect');
      // The event loop goes on, and everything with it, be it light or not.
      const much = Buffer.alloc(2 * MIB, 'much');
      const answer = readBytes(late, much.length);
      late.write(much);
      server.child.stdin.write('.');
      assert.ok((await answer).equals(much));
    });
  }
});
