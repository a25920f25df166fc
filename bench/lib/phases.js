'use strict';

const { setTimeout: sleep } = require('node:timers/promises');
const { Child } = require('./child');
const { BULK } = require('./protocol');
const { snapshot } = require('./usage');

/** Why a server without the service of a phase has no values of it. */
const NOT_SERVED = 'its server does not do this';

/** Handshakes per second of the event-loop phase. */
const RATE = 300;

/** Milliseconds a load may take beyond its warm-up and its measured part. */
const GRACE = 40_000;

/** Starts the load generator. `run` says for how long. */
function load(run, server, service, mode, options, seconds = run.seconds) {
  const args = [mode, '--addr', `127.0.0.1:${server.ports[service]}`, '--wait'];
  const all = { seconds, warmup: run.warmup, limit: Math.ceil(seconds * 2 + run.warmup + GRACE / 1000), ...options };
  for (const [name, value] of Object.entries(all)) args.push(`--${name}`, ...(value === true ? [] : [String(value)]));
  return new Child(`load ${mode} on ${server.name}`, run.load, args, all.limit * 1000 + 5000);
}

/** One load from its warm-up to its end: what the client reports, and what the server spent meanwhile. */
async function measure(run, server, service, mode, options) {
  const client = load(run, server, service, mode, options);
  try {
    await client.next('ready');
    const before = await snapshot(server);
    client.send('go');
    const report = await client.next('result');
    const after = await snapshot(server);
    if (report.operations === 0 || report.failures > 0) {
      throw new Error(`${report.failures} connections failed: ${report.firstFailure}`);
    }
    const spent = {};
    for (const kind of Object.keys(before)) spent[kind] = after[kind] - before[kind];
    return { report, spent };
  } finally {
    await client.end();
  }
}

/** CPU and latency per operation, in microseconds. */
function perOperation({ report, spent }) {
  return {
    rate: report.perSecond,
    cpu: spent.total / report.operations,
    thread: spent.thread / report.operations,
    p50: report.p50,
    p99: report.p99,
    user: spent.user / report.operations,
    system: spent.system / report.operations,
    client: (report.clientCpuSeconds * 1e6) / report.operations,
  };
}

function perMegabyte({ report, spent }) {
  const megabytes = report.bytes / 1e6;
  return {
    throughput: report.megabytesPerSecond,
    efficiency: (megabytes / spent.total) * 1e6,
    thread: spent.thread / megabytes,
    user: spent.user / megabytes,
    system: spent.system / megabytes,
    client: (report.clientCpuSeconds * 1e6) / megabytes,
  };
}

const handshake = (options) => async (run, server, service) => {
  // A handshake of the warm-up brings two tickets, or one, for the measured part.
  const warmup = options.resume ? run.seconds : run.warmup;
  const measured = await measure(run, server, service, 'handshake', { connections: 32, warmup, ...options });
  if (options.resume && measured.report.resumed < measured.report.operations * 0.95) {
    throw new Error(`only ${measured.report.resumed} of ${measured.report.operations} handshakes resumed`);
  }
  return perOperation(measured);
};

const echo = (connections, window, options = {}) => async (run, server, service) =>
  perOperation(await measure(run, server, service, 'echo', { connections, window, size: 1024, ...options }));

const WEB_SOCKET = { websocket: true };

/** Messages with a delimiter, each of which comes to the program and is sent back by itself. */
const lines = (size, window) => async (run, server, service) =>
  perOperation(await measure(run, server, service, 'lines', { connections: 64, window, size }));

const bulk = (mode) => async (run, server, service) =>
  perMegabyte(await measure(run, server, service, mode, { connections: 4, window: 2, size: BULK }));

/** The values of `delay`, in microseconds; words where a runtime cannot tell. */
function compareDelays(idle, loaded) {
  return {
    loaded99: loaded.p99 * 1000,
    loadedMax: loaded.max * 1000,
    idle99: idle.p99 * 1000,
    share: loaded.interval99 ? loaded.interval99 / idle.interval99 : 'its monitorEventLoopDelay reports something else',
  };
}

/** Event-loop delay without and with RATE RSA handshakes a second, in microseconds. */
async function delay(run, server, service) {
  // The first handshakes of a server are not what it does later.
  const client = load(run, server, service, 'handshake', { connections: 64, rate: RATE });
  try {
    await client.next('ready');
    await server.ask('delay-begin');
    await sleep(run.seconds * 1000);
    const idle = await server.ask('delay-end');
    await server.ask('delay-begin');
    client.send('go');
    const report = await client.next('result');
    const loaded = await server.ask('delay-end');
    if (report.failures > 0) throw new Error(`${report.failures} handshakes failed: ${report.firstFailure}`);
    return { ...compareDelays(idle, loaded), p50: report.p50, p99: report.p99 };
  } finally {
    await client.end();
  }
}

/**
 * Memory of idle connections that have each echoed a message, and what 64 busy ones reach without them and beside them;
 * on a server of its own.
 */
const idleConnections = (options = {}, held = {}) => async (run, server, service) => {
  const busy = echo(64, 1, options);
  // Code, pools and heap that the first busy connections load are not memory per idle connection.
  const alone = await busy(run, server, service);
  const before = await server.ask('memory');
  const all = { connections: run.idle, size: 1024, ...options, ...held };
  const holder = load(run, server, service, 'hold', all, run.seconds * 10);
  try {
    await holder.next('ready');
    const after = await server.ask('memory');
    const beside = await busy(run, server, service);
    holder.send('stop');
    const report = await holder.next('result');
    if (report.operations !== run.idle) throw new Error(`${run.idle - report.operations} idle connections were closed`);
    const memory = (after.rss - before.rss) / 1024 / run.idle;
    return { memory, beside: beside.rate, share: beside.rate / alone.rate };
  } finally {
    await holder.end();
  }
};

const row = (metric, unit, better, detail = false) => ({ metric, unit, better, detail });
const details = (per) => [
  row('user', `µs user / ${per}`, 'less', true),
  row('system', `µs system / ${per}`, 'less', true),
  row('client', `client µs / ${per}`, 'less', true),
];
const operations = (name) => [
  row('rate', `${name}s/s`, 'more'),
  row('cpu', `µs CPU / ${name}`, 'less'),
  row('thread', `µs JS thread / ${name}`, 'less'),
  row('p50', 'µs p50', 'less'),
  row('p99', 'µs p99', 'less'),
  ...details(name),
];
const idle = [
  row('memory', 'KiB each', 'less'),
  row('beside', 'echo messages/s beside', 'more'),
  row('share', 'of those without them', 'more'),
];
const megabytes = [
  row('throughput', 'MB/s', 'more'),
  row('efficiency', 'MB / CPU s', 'more'),
  row('thread', 'µs JS thread / MB', 'less'),
  ...details('MB'),
];

/**
 * What is measured, and on which service of a server. `group`: only when it is named. `fresh`: on a server of its own.
 * `measure` returns the values of the rows; one that a peer does not let be measured is a text that tells why. A row
 * whose `detail` is true appears only with --details and in the JSON file.
 */
const PHASES = [
  {
    name: 'handshake-p256',
    title: 'full handshake, P-256',
    service: 'handshake-p256',
    measure: handshake({}),
    rows: operations('handshake'),
  },
  {
    name: 'handshake-rsa',
    title: 'full handshake, RSA-2048',
    service: 'handshake-rsa',
    measure: handshake({}),
    rows: operations('handshake'),
  },
  {
    name: 'handshake-resumed',
    title: 'resumed handshake',
    service: 'handshake-p256',
    measure: handshake({ resume: true }),
    rows: operations('handshake'),
  },
  {
    name: 'echo-64x1',
    title: 'echo 1 KiB, 64 connections',
    service: 'echo',
    measure: echo(64, 1),
    rows: operations('message'),
  },
  {
    name: 'echo-64x16',
    title: 'the same, 16 in flight',
    service: 'echo',
    measure: echo(64, 16),
    rows: operations('message'),
  },
  {
    name: 'echo-1x1',
    title: 'echo 1 KiB, 1 connection',
    service: 'echo',
    measure: echo(1, 1),
    rows: operations('message'),
  },
  {
    name: 'lines-64x1',
    title: 'delimiter echo 1 KiB, 64 connections',
    service: 'lines',
    measure: lines(1024, 1),
    rows: operations('message'),
  },
  {
    name: 'lines-64x16',
    title: 'delimiter echo, 16 in flight',
    service: 'lines',
    measure: lines(1024, 16),
    rows: operations('message'),
  },
  {
    name: 'lines-64x16-128',
    title: 'delimiter echo 128 B, 16 in flight',
    service: 'lines',
    measure: lines(128, 16),
    rows: operations('message'),
  },
  {
    name: 'datain-64x1',
    title: 'DataIn echo 1 KiB, 64 connections',
    service: 'datain',
    measure: lines(1024, 1),
    rows: operations('message'),
  },
  {
    name: 'datain-64x16',
    title: 'DataIn echo, 16 in flight',
    service: 'datain',
    measure: lines(1024, 16),
    rows: operations('message'),
  },
  {
    name: 'datain-64x16-128',
    title: 'DataIn echo 128 B, 16 in flight',
    service: 'datain',
    measure: lines(128, 16),
    rows: operations('message'),
  },
  {
    name: 'websocket-64x1',
    group: 'websocket',
    title: 'WebSocket echo 1 KiB, 64 connections',
    service: 'websocket',
    measure: echo(64, 1, WEB_SOCKET),
    rows: operations('message'),
  },
  {
    name: 'websocket-64x16',
    group: 'websocket',
    title: 'WebSocket echo, 16 in flight',
    service: 'websocket',
    measure: echo(64, 16, WEB_SOCKET),
    rows: operations('message'),
  },
  {
    name: 'download',
    title: 'download, 4 connections',
    service: 'download',
    measure: bulk('download'),
    rows: megabytes,
  },
  {
    name: 'upload',
    title: 'upload, 4 connections',
    service: 'upload',
    measure: bulk('upload'),
    rows: megabytes,
  },
  {
    name: 'delay',
    title: `event loop, ${RATE} RSA handshakes/s`,
    service: 'handshake-rsa',
    measure: delay,
    rows: [
      row('loaded99', 'µs late p99', 'less'),
      row('share', 'p99 of monitorEventLoopDelay / own idle p99', 'less'),
      row('p50', 'µs handshake p50', 'less'),
      row('p99', 'µs handshake p99', 'less'),
      row('idle99', 'µs late idle p99', 'less', true),
      row('loadedMax', 'µs late max', 'less', true),
    ],
  },
  {
    name: 'idle',
    title: 'idle connections',
    service: 'echo',
    fresh: true,
    measure: idleConnections(),
    rows: idle,
  },
  {
    name: 'websocket-idle',
    group: 'websocket',
    title: 'idle WebSocket connections',
    service: 'websocket',
    fresh: true,
    measure: idleConnections(WEB_SOCKET),
    rows: idle,
  },
  {
    name: 'websocket-idle-deflate',
    group: 'websocket',
    title: 'the same with permessage-deflate',
    service: 'websocket-deflate',
    fresh: true,
    measure: idleConnections(WEB_SOCKET, { deflate: true }),
    rows: idle,
  },
];

/** Measures `phase` on `server`; words in place of all values where the server does not have the phase's service. */
function measurePhase(phase, run, server) {
  if (server.ports[phase.service]) return phase.measure(run, server, phase.service);
  return Object.fromEntries(phase.rows.map(({ metric }) => [metric, NOT_SERVED]));
}

module.exports = { NOT_SERVED, PHASES, measurePhase };
