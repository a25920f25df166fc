'use strict';

// npm run bench [-- options]: compares c4tls with its peers in interleaved rounds. See README.md.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { makeCertificates } = require('./lib/certificates');
const { chart } = require('./lib/chart');
const { Child } = require('./lib/child');
const { USAGE, readOptions } = require('./lib/options');
const { measurePhase } = require('./lib/phases');
const { spread, table } = require('./lib/table');

/** Where --results go. */
const RESULTS = path.join(__dirname, 'results');

/** Milliseconds a server may live: longer than any run. */
const SERVER_LIMIT = 15 * 60 * 1000;

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

async function start(peer, run) {
  const server = new Child(peer.name, peer.command, [...peer.args, run.directory], SERVER_LIMIT, peer.env);
  const { ports, versions } = await server.next('ready');
  server.ports = ports;
  run.versions[peer.name] = versions;
  return server;
}

/** Measures one phase on one peer; the peer's server is `servers`' or, for a fresh one, its own. */
async function measure(phase, peer, run, servers) {
  const own = phase.fresh || !servers.has(peer) || servers.get(peer).exited;
  const server = own ? await start(peer, run) : servers.get(peer);
  if (own && !phase.fresh) servers.set(peer, server);
  try {
    return await measurePhase(phase, run, server);
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
    metrics.map((metric) => ({ phase, title, ...metric, values: empty(), ratios: {}, summary: {}, unmeasured: {} })),
  );
  const errors = [];
  const record = (phase, peer, round, values, error) => {
    for (const row of rows) {
      if (row.phase !== phase.name) continue;
      const value = values[row.metric] ?? null;
      // A text tells why there is no number.
      if (typeof value === 'string') row.unmeasured[peer.name] = value;
      else row.values[peer.name][round] = value;
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

const listVersions = (versions) => Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ');

/** Prints the results, and writes them where the options say. */
function publish(results, run) {
  const { machine, versions, settings, peers, took } = results;
  console.log(
    `\n${machine.cpu}, ${machine.cores} cores, ${machine.system}; ${settings.rounds} × ${settings.seconds} s, ` +
    `${settings.idle} idle connections; took ${took.toFixed(0)} s`,
  );
  console.log(peers.map((peer) => `${peer} (${listVersions(versions[peer] ?? {})})`).join('; '));
  console.log(`ratio: to ${peers.at(-1)} in the same round; median, min and max of the rounds\n`);
  console.log(table(results, run));
  const json = `${JSON.stringify(results, null, 2)}\n`;
  if (run.json) fs.writeFileSync(run.json, json);
  if (run.results) {
    fs.mkdirSync(RESULTS, { recursive: true });
    fs.writeFileSync(path.join(RESULTS, `${run.results}.json`), json);
    fs.writeFileSync(path.join(RESULTS, `${run.results}.svg`), chart(results));
  }
}

async function main() {
  const run = readOptions(process.argv.slice(2));
  if (run.help) {
    console.log(USAGE);
    return;
  }
  if (run.notice) console.error(run.notice);
  run.versions = {};
  run.load = buildLoad();
  run.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-bench-'));
  // However it ends, signals included.
  process.once('exit', () => fs.rmSync(run.directory, { recursive: true, force: true }));
  makeCertificates(run.directory);
  const { record, finish } = collect(run);
  const begin = Date.now();
  for (let round = 0; round < run.rounds; round++) await playRound(round, run, record);
  const { rounds, seconds, warmup, idle, versions } = run;
  const results = {
    date: new Date().toISOString(),
    machine: describeMachine(),
    versions,
    command: ['node', 'bench/run.js', ...process.argv.slice(2)].join(' '),
    settings: { rounds, seconds, warmup, idle },
    took: (Date.now() - begin) / 1000,
    ...finish(),
  };
  publish(results, run);
  const { errors } = results;
  if (errors.length > 0) {
    console.error(`\n${errors.length} measurements failed:\n  ${errors.join('\n  ')}`);
    process.exitCode = 1;
  }
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
main().catch((error) => {
  console.error(error instanceof RangeError ? `${error.message}\n\n${USAGE}` : error);
  process.exitCode = 1;
});
