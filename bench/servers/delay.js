'use strict';

// How late the event loop is. A second thread says the time every PERIOD; what the loop hears is that much older.
// Timers of the loop itself cannot tell: libuv counts whole milliseconds, so a loop that is merely woken 300 times a
// second, by a byte on a plain socket, has 1 ms timers of which one in a hundred is a whole millisecond late.

const { monitorEventLoopDelay, performance } = require('node:perf_hooks');
const process = require('node:process');
const { Worker } = require('node:worker_threads');

/** Milliseconds between two pings. */
const PERIOD = 2;

/** Pings at the beginning that do not count: the thread has just started. */
const FIRST = 20;

const PINGER = `
  const { parentPort } = require('node:worker_threads');
  const { performance } = require('node:perf_hooks');
  const never = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    Atomics.wait(never, 0, 0, ${PERIOD});
    parentPort.postMessage(performance.timeOrigin + performance.now());
  }`;

/**
 * Begins to measure. What it returns ends that and gives `p99` and `max` of the delay in milliseconds, and in Node
 * `interval99`: the p99 that `monitorEventLoopDelay()` has with its default resolution of 10 ms.
 */
function measureDelay() {
  const delays = [];
  let count = 0;
  const pinger = new Worker(PINGER, { eval: true });
  pinger.on('message', (sent) => {
    if (++count > FIRST) delays.push(performance.timeOrigin + performance.now() - sent);
  });
  const inNode = process.versions.bun === undefined && process.versions.deno === undefined;
  const histogram = inNode ? monitorEventLoopDelay() : null;
  histogram?.enable();
  return () => {
    histogram?.disable();
    pinger.terminate();
    delays.sort((a, b) => a - b);
    const percentile = (share) => delays[Math.ceil(share * delays.length) - 1];
    return { p99: percentile(0.99), max: percentile(1), interval99: histogram?.percentile(99) };
  };
}

module.exports = { measureDelay };
