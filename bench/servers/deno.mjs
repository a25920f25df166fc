// The server that is measured, on Deno's own sockets: `Deno.listenTls`, a loop that accepts, and for every connection a
// loop that reads and awaits its writes.
//
//   deno run -A --v8-flags=--expose-gc deno.mjs DIRECTORY     as the servers of Node

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { BULK, BLOCK, SERVICES } = require('../lib/protocol.js');
const { control, credentials } = require('./control.js');

/** Bytes of a TLS record at most. */
const RECORD = 16 * 1024;

const block = new Uint8Array(BLOCK).fill('x'.charCodeAt(0));

async function writeAll(conn, data) {
  for (let written = 0; written < data.length;) written += await conn.write(data.subarray(written));
}

const handlers = {
  async echo(conn) {
    const buffer = new Uint8Array(RECORD);
    for (let count; (count = await conn.read(buffer)) !== null;) await writeAll(conn, buffer.subarray(0, count));
  },

  // Every byte that comes asks for BULK bytes.
  async download(conn) {
    const buffer = new Uint8Array(RECORD);
    for (let count; (count = await conn.read(buffer)) !== null;) {
      for (let owed = count * BULK; owed > 0; owed -= BLOCK) await writeAll(conn, block);
    }
  },

  // Every BULK bytes that have come are answered with one byte.
  async upload(conn) {
    const buffer = new Uint8Array(BLOCK);
    const answer = new TextEncoder().encode('k');
    let received = 0;
    for (let count; (count = await conn.read(buffer)) !== null;) {
      for (received += count; received >= BULK; received -= BULK) await writeAll(conn, answer);
    }
  },

  // The client closes at once, and the first read sees that.
  async handshake(conn) {
    const buffer = new Uint8Array(1);
    while (await conn.read(buffer) !== null);
  },
};

async function serve(conn, handler) {
  try {
    await handler(conn);
  } catch {
    // A connection that the client has reset concerns no other.
  } finally {
    conn.close();
  }
}

async function accept(listener, handler) {
  for await (const conn of listener) serve(conn, handler);
}

const ports = {};
for (const [service, key] of Object.entries(SERVICES)) {
  const listener = Deno.listenTls({ hostname: '127.0.0.1', port: 0, ...credentials(key) });
  accept(listener, handlers[service.split('-')[0]]);
  ports[service] = listener.addr.port;
}

// WebSocket is on Deno's HTTP server, without permessage-deflate. It sends no pings: the load generator answers none.
const options = { hostname: '127.0.0.1', port: 0, ...credentials('p256'), onListen() {} };
const web = Deno.serve(options, (request) => {
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
  socket.binaryType = 'arraybuffer';
  socket.addEventListener('message', ({ data }) => socket.send(data));
  return response;
});
ports.websocket = web.addr.port;

control({
  ports,
  versions: { deno: Deno.version.deno, v8: Deno.version.v8 },
  collectGarbage: globalThis.gc,
});
