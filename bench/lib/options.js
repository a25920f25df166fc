'use strict';

const fs = require('node:fs');
const { parseArgs } = require('node:util');
const { PEERS, choosePeers } = require('./peers');
const { PHASES } = require('./phases');

const USAGE = `npm run bench [-- options]
  --quick          shorter rounds, fewer of them: under two minutes
  --only NAMES     only these phases, separated by commas: ${PHASES.map((phase) => phase.name).join(', ')};
                   websocket stands for all of its own, which are measured only when they are named
  --rounds N       1 to 50 (default 5, with --quick 3; with --quick and more than two peers 2)
  --seconds S      length of one measurement, 0.1 to 30 (default 3, with --quick 0.7; less with more than two peers)
  --idle N         idle connections, 10 to 15000 (default 2000, with --quick 1000)
  --peers NAMES    of ${Object.keys(PEERS).join(', ')}; ratios are to the last (default all that are installed).
                   NAME=DIRECTORY is c4tls as another checkout has it, built
  --details        user and system time apart, and the client's
  --json FILE      all values of all rounds
  --results NAME   the same as bench/results/NAME.json, and the ratios as a chart, bench/results/NAME.svg`;

/** Files that a process has open beside the idle connections: the busy connections, listeners, the runtime's own. */
const OTHER_FILES = 200;

function number(value, fallback, min, max) {
  const parsed = value === undefined ? fallback : Number(value);
  if (parsed >= min && parsed <= max) return parsed;
  throw new RangeError(`${value}: not a number from ${min} to ${max}`);
}

/** The phases that are named, by their own name or their group's; those without a group when nothing is. */
function choosePhases(names) {
  if (names === undefined) return PHASES.filter(({ group }) => !group);
  const only = names.split(',');
  const isOf = (name) => (phase) => phase.name === name || phase.group === name;
  if (!only.every((name) => PHASES.some(isOf(name)))) throw new RangeError('--only: unknown phase');
  return PHASES.filter((phase) => only.some((name) => isOf(name)(phase)));
}

/** The peers that have a part in `phases`. */
function peersOf(phases) {
  const hasPart = ([, { group }]) => !group || phases.some((phase) => phase.group === group);
  return Object.fromEntries(Object.entries(PEERS).filter(hasPart));
}

/** Most files that a process may open. Node has raised its own limit to this, and its children inherit that. */
function openFilesLimit() {
  const [, hard] = /^Max open files +\S+ +(\d+)/m.exec(fs.readFileSync('/proc/self/limits', 'latin1')) ?? [];
  return Number(hard ?? Infinity);
}

/** Throws a RangeError unless server and client can hold `idle` connections each. */
function checkOpenFiles(idle, limit = openFilesLimit()) {
  const needed = idle + OTHER_FILES;
  if (needed <= limit) return;
  throw new RangeError(
    `--idle ${idle}: needs ${needed} open files in a process, the hard limit is ${limit}; ` +
    `raise it (\`ulimit -Hn ${needed}\` as root) or use at most --idle ${limit - OTHER_FILES}`,
  );
}

/** What `argv` asks for. Throws a RangeError or parseArgs's TypeError. */
function readOptions(argv) {
  const string = { type: 'string' };
  const boolean = { type: 'boolean', default: false };
  const { values } = parseArgs({
    args: argv,
    options: {
      quick: boolean, details: boolean, help: boolean,
      only: string, rounds: string, seconds: string, idle: string, peers: string, json: string, results: string,
    },
  });
  const { quick, details, help, json, results } = values;
  if (help) return { help };
  if (results !== undefined && !/^\w[\w.-]*$/.test(results)) throw new RangeError(`--results: ${results} is no file name`);
  const phases = choosePhases(values.only);
  const { peers, notice } = choosePeers(values.peers, values.peers ? PEERS : peersOf(phases));
  const idle = number(values.idle, quick ? 1000 : 2000, 10, 15_000);
  if (phases.some((phase) => phase.fresh)) checkOpenFiles(idle);
  const many = peers.length > 2;
  const [rounds, seconds] = quick ? [many ? 2 : 3, many ? 0.6 : 0.7] : [5, (3 * 2) / Math.max(2, peers.length)];
  return {
    quick, details, json, results, phases, peers, notice, idle,
    rounds: number(values.rounds, rounds, 1, 50),
    seconds: number(values.seconds, seconds, 0.1, 30),
    warmup: quick ? 0.2 : 0.6,
  };
}

module.exports = { USAGE, checkOpenFiles, choosePhases, peersOf, readOptions };
