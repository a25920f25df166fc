'use strict';

// node bench/micro/dispatch.js [--time MILLISECONDS]: events per second through lib/core/dispatch.js, from the batch
// that the addon hands over to the listeners, with a stub in the addon's place.

const path = require('node:path');
const { parseArgs } = require('node:util');

process.env.C4TLS_BINDING = path.join(__dirname, 'stub-binding.js');
const { deliver } = require('./stub-binding');
const { Target } = require('../../lib/core/dispatch');
const { kinds } = require('../../lib/core/events');

/** Events of one measured call: a full batch, or as many smaller ones as make up for it. */
const EVENTS = 1024;

/** The flag of a payload in a buffer of its own. */
const LARGE = 0x100;

/** A batch has `each` events, of `size` bytes, for every one of `targets`; `large` ones have buffers of their own. */
const CASES = [
  { name: '1 target, 1 event a batch', targets: 1, each: 1, size: 1024 },
  { name: '1 target, 64 events a batch', targets: 1, each: 64, size: 1024 },
  { name: '64 targets, 1 event each', targets: 64, each: 1, size: 1024 },
  { name: '64 targets, 16 events each', targets: 64, each: 16, size: 1024 },
  { name: '1024 targets, 1 event each', targets: 1024, each: 1, size: 1024 },
  { name: '64 targets, 1 event each, own buffers', targets: 64, each: 1, size: 16 * 1024, large: true },
];

let received = 0;

/** A connection whose listener counts bytes. */
class Counter extends Target {
  onEvent(kind, arg, payload) {
    if (kind === kinds.DATA) received += payload.length;
  }
}

function makeBatch({ targets, each, size, large = false }) {
  const count = targets * each;
  const words = [count, large ? count : 0, 0, 0];
  for (let round = 0; round < each; round++) {
    for (let id = 1; id <= targets; id++) words.push(id, large ? kinds.DATA | LARGE : kinds.DATA, 0, size);
  }
  return {
    count,
    words: Uint32Array.from(words),
    slab: large ? null : Buffer.alloc(count * size),
    large: large ? Array.from({ length: count }, () => Buffer.alloc(size)) : [],
  };
}

/** One measured call; checked once, so that no figure is of events that went nowhere. */
function makeTask(kase) {
  const batch = makeBatch(kase);
  const repeat = EVENTS / batch.count;
  const task = () => {
    for (let i = 0; i < repeat; i++) deliver(batch);
  };
  received = 0;
  task();
  if (received !== EVENTS * kase.size) throw new Error(`${kase.name}: ${received} bytes arrived`);
  return task;
}

async function main() {
  const { values } = parseArgs({ options: { time: { type: 'string', default: '1000' } } });
  const time = Number(values.time);
  if (!(time >= 10 && time <= 60_000)) throw new RangeError(`--time ${values.time}: not a number from 10 to 60000`);
  const { Bench } = await import('tinybench');
  for (let id = 1; id <= Math.max(...CASES.map(({ targets }) => targets)); id++) new Counter('BENCH').attach(id);
  const bench = new Bench({ time, warmupTime: time / 4 });
  for (const kase of CASES) bench.add(kase.name, makeTask(kase));
  await bench.run();
  console.table(bench.table(({ name, result }) => {
    if (result.state !== 'completed') throw result.error ?? new Error(`${name}: ${result.state}`);
    const nanoseconds = (milliseconds) => Number((milliseconds * 1e6 / EVENTS).toFixed(1));
    const { p50, p99 } = result.latency;
    return {
      'dispatch': name,
      'events/s': Math.round(EVENTS * 1000 / p50),
      'ns/event, median': nanoseconds(p50),
      'ns/event, p99': nanoseconds(p99),
    };
  }));
}

main().catch((error) => {
  console.error(error instanceof RangeError ? error.message : error);
  process.exitCode = 1;
});
