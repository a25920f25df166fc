'use strict';

// npm run bench [-- options]: compares c4tls with its peers in interleaved rounds. See README.md.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { makeCertificates } = require('./lib/certificates');
const { Child } = require('./lib/child');
const { PEERS, checkout } = require('./lib/peers');
const { PHASES } = require('./lib/phases');
const { spread, table } = require('./lib/table');

const USAGE = `npm run bench [-- options]
  --quick          shorter rounds, fewer of them: under two minutes
  --only NAMES     only these phases, separated by commas: ${PHASES.map((phase) => phase.name).join(', ')}
  --rounds N       1 to 50 (default 5, with --quick 3)
  --seconds S      length of one measurement, 0.1 to 30 (default 3, with --quick 0.7)
  --idle N         idle connections, 10 to 15000 (default 2000, with --quick 1000)
  --peers NAMES    of ${Object.keys(PEERS).join(', ')}; ratios are to the last (default c4tls,node-tls).
                   NAME=DIRECTORY is c4tls as another checkout has it, built
  --details        user and system time apart, and the client's
  --json FILE      all values of all rounds`;

/** Milliseconds a server may live: longer than any run. */
const SERVER_LIMIT = 15 * 60 * 1000;

function number(value, fallback, min, max) {
  const parsed = value === undefined ? fallback : Number(value);
  if (parsed >= min && parsed <= max) return parsed;
  throw new RangeError(`${value}: not a number from ${min} to ${max}`);
}

function readOptions() {
  const string = { type: 'string' };
  const boolean = { type: 'boolean', default: false };
  const { values } = parseArgs({
    options: {
      quick: boolean, details: boolean, help: boolean,
      only: string, rounds: string, seconds: string, idle: string, peers: string, json: string,
    },
  });
  const only = values.only?.split(',');
  const phases = PHASES.filter((phase) => !only || only.includes(phase.name));
  if (phases.length === 0 || (only && phases.length !== only.length)) throw new RangeError('--only: unknown phase');
  const seen = new Map();
  const peers = (values.peers ?? 'c4tls,node-tls').split(',').map((spec) => {
    const [name, directory] = spec.split('=');
    const peer = directory ? checkout(directory) : PEERS[name];
    if (!peer) throw new RangeError(`--peers: unknown peer ${spec}`);
    // The same peer twice tells how much of a ratio is noise.
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return { name: count === 1 ? name : `${name}#${count}`, ...peer };
  });
  const { quick, details, help, json } = values;
  // More than two peers share the time of two.
  const share = 2 / Math.max(2, peers.length);
  return {
    quick, details, help, json, phases, peers,
    rounds: number(values.rounds, quick ? 3 : 5, 1, 50),
    seconds: number(values.seconds, (quick ? 0.7 : 3) * share, 0.1, 30),
    warmup: quick ? 0.2 : 0.6,
    idle: number(values.idle, quick ? 1000 : 2000, 10, 15_000),
  };
}

/** Builds the load generator and returns its path; C4TLS_LOAD names one that is built. */
function buildLoad() {
  if (process.env.C4TLS_LOAD) return process.env.C4TLS_LOAD;
  const args = ['build', '--release', '-p', 'c4tls-load', '--message-format=json-render-diagnostics'];
  const stdio = ['ignore', 'pipe', 'inherit'];
  const output = execFileSync('cargo', args, { cwd: path.join(__dirname, '..'), stdio, maxBuffer: 64 << 20 });
  for (const line of output.toString().trim().split('\n')) {
    const message = JSON.parse(line);
    if (message.executable && message.target.name === 'c4tls-load') return message.executable;
  }
  throw new Error('cargo built no c4tls-load');
}

async function start(peer, directory) {
  const server = new Child(peer.name, peer.command, [...peer.args, directory], SERVER_LIMIT);
  server.ports = (await server.next('ready')).ports;
  return server;
}

/** Measures one phase on one peer; the peer's server is `servers`' or, for a fresh one, its own. */
async function measure(phase, peer, run, servers) {
  const own = phase.fresh || !servers.has(peer) || servers.get(peer).exited;
  const server = own ? await start(peer, run.directory) : servers.get(peer);
  if (own && !phase.fresh) servers.set(peer, server);
  try {
    return await phase.measure(run, server);
  } finally {
    if (phase.fresh) await server.end();
  }
}

/** One round: every phase on every peer. A round has new servers, and the peers' order changes from phase to phase. */
async function playRound(round, run, record) {
  const servers = new Map();
  try {
    for (const [index, phase] of run.phases.entries()) {
      for (let turn = 0; turn < run.peers.length; turn++) {
        const peer = run.peers[(turn + round + index) % run.peers.length];
        try {
          record(phase, peer, round, await measure(phase, peer, run, servers));
        } catch (error) {
          record(phase, peer, round, {}, error);
        }
      }
    }
  } finally {
    for (const server of servers.values()) await server.end();
  }
}

/** `value` to `base`; null unless both have been measured. */
function ratio(value, base) {
  const quotient = value / base;
  return value === null || base === null || !Number.isFinite(quotient) ? null : quotient;
}

/** Gathers what the rounds measure; the result has every value, and the ratio to the last peer in the same round. */
function collect(run) {
  const names = run.peers.map((peer) => peer.name);
  const base = names.at(-1);
  const empty = () => Object.fromEntries(names.map((name) => [name, new Array(run.rounds).fill(null)]));
  const rows = run.phases.flatMap(({ name: phase, title, rows: metrics }) =>
    metrics.map((metric) => ({ phase, title, ...metric, values: empty(), ratios: {}, summary: {} })),
  );
  const errors = [];
  const record = (phase, peer, round, values, error) => {
    for (const row of rows) {
      if (row.phase === phase.name) row.values[peer.name][round] = values[row.metric] ?? null;
    }
    const problem = error ? `: ${error.message}` : '';
    if (error) errors.push(`round ${round + 1}, ${phase.name}, ${peer.name}${problem}`);
    process.stderr.write(`round ${round + 1}/${run.rounds}  ${phase.name}  ${peer.name}${problem}\n`);
  };
  const finish = () => {
    for (const row of rows) {
      const against = row.values[base];
      for (const name of names) {
        row.ratios[name] = row.values[name].map((value, round) => ratio(value, against[round]));
        row.summary[name] = spread(row.ratios[name]);
      }
    }
    return { peers: names, rows, errors };
  };
  return { record, finish };
}

function describeMachine() {
  const cpus = os.cpus();
  const system = `${os.type()} ${os.release()}`;
  return { cpu: cpus[0]?.model ?? 'unknown', cores: cpus.length, memory: os.totalmem(), system };
}

async function main() {
  const run = readOptions();
  if (run.help) {
    console.log(USAGE);
    return;
  }
  run.load = buildLoad();
  run.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-bench-'));
  try {
    makeCertificates(run.directory);
    const { record, finish } = collect(run);
    const begin = Date.now();
    for (let round = 0; round < run.rounds; round++) await playRound(round, run, record);
    const { rounds, seconds, warmup, idle } = run;
    const results = {
      date: new Date().toISOString(),
      machine: describeMachine(),
      versions: { node: process.version, openssl: process.versions.openssl },
      command: ['node', 'bench/run.js', ...process.argv.slice(2)].join(' '),
      settings: { rounds, seconds, warmup, idle },
      took: (Date.now() - begin) / 1000,
      ...finish(),
    };
    const { machine, versions, errors } = results;
    console.log(
      `\n${machine.cpu}, ${machine.cores} cores, ${machine.system}; Node ${versions.node}; ` +
      `${rounds} rounds of ${seconds} s, ${idle} idle connections; took ${results.took.toFixed(0)} s`,
    );
    console.log(`ratio: to ${results.peers.at(-1)} in the same round; median, min and max of the rounds\n`);
    console.log(table(results, run));
    if (run.json) {
      fs.writeFileSync(run.json, `${JSON.stringify(results, null, 2)}\n`);
    }
    if (errors.length > 0) {
      console.error(`\n${errors.length} measurements failed:\n  ${errors.join('\n  ')}`);
      process.exitCode = 1;
    }
  } finally {
    fs.rmSync(run.directory, { recursive: true, force: true });
  }
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
main().catch((error) => {
  console.error(error instanceof RangeError ? `${error.message}\n\n${USAGE}` : error);
  process.exitCode = 1;
});
