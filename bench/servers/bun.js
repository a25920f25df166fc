'use strict';

// The server that is measured, on Bun's own sockets: `Bun.listen` has one set of handlers for all connections of a
// service, what belongs to a connection is its `data`, and `write` takes what the socket takes at the moment. The rest
// is written when the socket has drained. WebSocket is `Bun.serve`'s.
//
//   bun bun.js DIRECTORY     as the servers of Node

const process = require('node:process');
const { BULK, BLOCK, SERVICES } = require('../lib/protocol');
const { control, credentials } = require('./control');

const block = Buffer.alloc(BLOCK, 'x');

/** Writes what waits, as far as the socket takes it. */
function flush(socket) {
  const { waiting } = socket.data;
  while (waiting.length > 0) {
    const written = Math.max(socket.write(waiting[0]), 0);
    if (written < waiting[0].length) {
      waiting[0] = waiting[0].subarray(written);
      return;
    }
    waiting.shift();
  }
}

function pump(socket) {
  const { data } = socket;
  while (data.owed > 0) {
    const size = Math.min(BLOCK, data.owed);
    const written = Math.max(socket.write(block, 0, size), 0);
    data.owed -= written;
    if (written < size) return;
  }
}

const handlers = {
  echo: {
    open(socket) {
      socket.data = { waiting: [] };
    },
    data(socket, data) {
      const { waiting } = socket.data;
      if (waiting.length > 0) {
        waiting.push(data);
        return;
      }
      const written = Math.max(socket.write(data), 0);
      if (written < data.length) waiting.push(data.subarray(written));
    },
    drain: flush,
  },

  // Every byte that comes asks for BULK bytes.
  download: {
    open(socket) {
      socket.data = { owed: 0 };
    },
    data(socket, data) {
      const idle = socket.data.owed === 0;
      socket.data.owed += data.length * BULK;
      if (idle) pump(socket);
    },
    drain: pump,
  },

  // Every BULK bytes that have come are answered with one byte.
  upload: {
    open(socket) {
      socket.data = { received: 0 };
    },
    data(socket, data) {
      const state = socket.data;
      state.received += data.length;
      while (state.received >= BULK) {
        state.received -= BULK;
        socket.write('k');
      }
    },
  },

  // The client closes at once; the socket then ends by itself.
  handshake: {
    data() {},
  },
};

const ports = {};
for (const [service, key] of Object.entries(SERVICES)) {
  const listener = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    tls: credentials(key),
    socket: { ...handlers[service.split('-')[0]], error(socket) { socket.terminate(); } },
  });
  ports[service] = listener.port;
}

/** It sends no pings: the load generator answers none. */
const QUIET = { idleTimeout: 0, sendPings: false };

for (const perMessageDeflate of [false, true]) {
  const web = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: credentials('p256'),
    fetch(request, server) {
      return server.upgrade(request) ? undefined : new Response('WebSocket alone', { status: 426 });
    },
    websocket: {
      ...QUIET,
      perMessageDeflate,
      message(socket, message) {
        socket.send(message, perMessageDeflate);
      },
    },
  });
  ports[perMessageDeflate ? 'websocket-deflate' : 'websocket'] = web.port;
}
control({
  ports,
  versions: { bun: Bun.version, boringssl: process.versions.boringssl.slice(0, 12) },
  collectGarbage: () => Bun.gc(true),
});
