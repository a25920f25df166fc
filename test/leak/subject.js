'use strict';

// The measured program: c4tls on one side of every connection. Runs with --expose-gc.

const fs = require('fs');
const { once } = require('events');
const { setTimeout: sleep } = require('timers/promises');
const pki = require('../support/pki');
const { subject: tls } = require('../support/subject');
const { until } = require('../support/time');
const { answerLines } = require('./lines');
const { visit } = require('./visits');

/** How long growth is looked for, ms. */
const WATCH = 1_500;

let served = 0;
let server;

function counts() {
  const byKind = {};
  for (const kind of process.getActiveResourcesInfo?.() ?? []) byKind[kind] = (byKind[kind] ?? 0) + 1;
  return { files: fs.readdirSync('/proc/self/fd').length, ...byKind };
}

function connections() {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => error ? reject(error) : resolve(count));
  });
}

async function collect() {
  for (let i = 0; i < 4; i++) {
    global.gc();
    await sleep(20);
  }
}

/** The largest RSS during WATCH. */
async function peakRss() {
  let peak = 0;
  for (const end = Date.now() + WATCH; Date.now() < end;) {
    peak = Math.max(peak, process.memoryUsage.rss());
    await sleep(10);
  }
  return peak;
}

let base;
let finished = false;

answerLines({
  async listen({ paused }) {
    server = tls.createServer({ ...pki.pair('ec'), pauseOnConnect: !!paused }, (socket) => {
      served++;
      socket.on('error', () => {});
      if (!paused) socket.pipe(socket);
    });
    server.on('tlsClientError', () => {}).listen(0, '127.0.0.1');
    await once(server, 'listening');
    base = process.memoryUsage.rss();
    return { port: server.address().port };
  },

  visit: ({ port, count }) => visit(tls, port, count),

  async measure() {
    await until(async () => await connections() === 0, 10_000, 'the end of all connections');
    await collect();
    const { rss, heapUsed, external } = process.memoryUsage();
    return { counts: counts(), rss, heap: heapUsed + external, served };
  },

  async watch() {
    return { base, peak: await peakRss(), finished };
  },

  async fill({ port, bytes, pieces }) {
    const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: pki.ca });
    await once(socket, 'secureConnect');
    base = process.memoryUsage.rss();
    // Filled, so that these pages are really there.
    for (let i = 0; i < pieces; i++) socket.write(Buffer.alloc(bytes / pieces, 1));
    socket.write('', () => {
      finished = true;
    });
    return { base, peak: await peakRss(), finished };
  },
});
