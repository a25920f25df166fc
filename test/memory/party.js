'use strict';

// One side of the connections whose memory is measured: `party.js subject` with c4tls, `party.js peer` with Node's own
// tls. Runs with --expose-gc.

const { createHash } = require('crypto');
const { once } = require('events');
const fs = require('fs');
const net = require('net');
const nodeTls = require('tls');
const pki = require('../support/pki');
const { answerLines } = require('../support/lines');
const { subject } = require('../support/subject');
const { until } = require('../support/time');
const { beginners } = require('./beginners');
const { readers } = require('./readers');
const { writers } = require('./writers');

const tls = process.argv[2] === 'subject' ? subject : nodeTls;
const PATIENCE = 20_000;         // ms
/** Memory is looked at whenever so many bytes have gone by. */
const LOOK = 1 << 20;

const lines = [];                // {socket, wake, received, refusals, hash} of each connection
let server;
let how;                         // the reader
let base = 0;
let peak = 0;
let unlooked = 0;

function look() {
  peak = Math.max(peak, process.memoryUsage.rss());
}

function passed(bytes) {
  unlooked += bytes;
  if (unlooked < LOOK) return;
  unlooked = 0;
  look();
}

function add(socket) {
  const line = { socket, received: 0, refusals: 0, hash: createHash('sha256') };
  socket.on('error', () => {});
  line.wake = readers[how](socket, (chunk) => {
    line.received += chunk.length;
    line.hash.update(chunk);
    passed(chunk.length);
  });
  lines.push(line);
}

function sum(valueOf) {
  return lines.reduce((total, line) => total + valueOf(line), 0);
}

/** Connections of the server, those that JavaScript has not heard of among them. */
function serverConnections() {
  if (!server) return 0;
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => error ? reject(error) : resolve(count));
  });
}

answerLines({
  /** A server whose connections are read by `reader`; `parks`: whose handshakes wait for an answer that never comes. */
  async listen({ reader, parks }) {
    how = reader;
    server = tls.createServer({
      ...pki.pair('ec'),
      pauseOnConnect: reader === 'pauses',
      SNICallback: parks ? () => {} : undefined,
    }, add);
    server.on('tlsClientError', () => {}).listen({ port: 0, host: '127.0.0.1', backlog: 1024 });
    await once(server, 'listening');
    return { port: server.address().port };
  },

  /** `over`: through a net.Socket of JavaScript's. */
  async connect({ port, count, reader, over }) {
    how = reader;
    for (let i = 0; i < count; i++) {
      const way = over ? { socket: net.connect(port, '127.0.0.1') } : { port, host: '127.0.0.1' };
      const socket = tls.connect({ ...way, servername: 'localhost', ca: pki.ca });
      add(socket);
      await once(socket, 'secureConnect');
    }
    return {};
  },

  /** Connections whose handshake does not get beyond the ClientHello; see beginners.js. */
  async begin({ port, count, hello }) {
    how = 'sleeps';
    for (let i = 0; i < count; i++) {
      const socket = net.connect(port, '127.0.0.1');
      add(socket);
      await once(socket, 'connect');
      beginners[hello](socket);
    }
    return {};
  },

  /** From now on memory counts. */
  async measure({ count }) {
    await until(() => lines.length === count, PATIENCE, `${count} connections`);
    global.gc();
    base = peak = process.memoryUsage.rss();
    return {};
  },

  write({ writer, bytes }) {
    for (const line of lines) {
      writers[writer](line.socket, bytes, () => {
        line.refusals++;
      });
    }
    return {};
  },

  /** Keeps the event loop busy until `file` is gone. */
  block({ file, ms }) {
    const end = Date.now() + ms;
    while (fs.existsSync(file) && Date.now() < end) look();
    return { freed: Date.now() < end, growth: peak - base };
  },

  /** Reads on, to the end. */
  wake() {
    for (const { wake } of lines) wake();
    return {};
  },

  async progress({ collect }) {
    if (collect) global.gc();
    look();
    return {
      sent: sum(({ socket }) => socket.bytesWritten - socket.writableLength),
      received: sum(({ received }) => received),
      refusals: Math.min(...lines.map(({ refusals }) => refusals)),
      open: lines.filter(({ socket }) => !socket.destroyed).length,
      connections: await serverConnections(),
      growth: peak - base,
      kept: process.memoryUsage.rss() - base,
    };
  },

  /** The hashes of what was received, each once. */
  hashes() {
    return { hashes: [...new Set(lines.map(({ hash }) => hash.digest('hex')))] };
  },
});
