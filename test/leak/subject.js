'use strict';

// The measured program: c4tls on one side of every connection. Runs with --expose-gc.

const fs = require('fs');
const { setTimeout: sleep } = require('timers/promises');
const { subject: tls } = require('../support/subject');
const { until } = require('../support/time');
const { answerLines } = require('../support/lines');
const { listenEcho } = require('./echo');
const { visit } = require('./visits');

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

answerLines({
  async listen() {
    server = await listenEcho(tls, () => served++);
    return { port: server.address().port };
  },

  visit: ({ port, count }) => visit(tls, port, count),

  async measure() {
    await until(async () => await connections() === 0, 10_000, 'the end of all connections');
    await collect();
    const { rss, heapUsed, external } = process.memoryUsage();
    return { counts: counts(), rss, heap: heapUsed + external, served };
  },
});
