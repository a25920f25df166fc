'use strict';

// npm run conformance [-- --update] [NAME-REGEX ...]: Node core's own tls and https tests against this package. See
// README.md.

const { spawnSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const ROOT = path.join(__dirname, '..', '..');
/**
 * What is run: the lists of names (files of the runner's), or all names that match, and the floor that they are held
 * against. The two lists are Node's documented behaviour, and that with tests that read undocumented properties.
 */
const SUITES = [
  { lists: ['list-applicable-v20.txt', 'list-applicable-with-undocumented-v20.txt'], floor: 'floor.txt' },
  { names: /^test-https-/, floor: 'floor-https.txt', options: { https: path.join(ROOT, 'https.js') } },
];

const args = process.argv.slice(2);
const update = args.includes('--update');
const patterns = args.filter((arg) => arg !== '--update');

/** The folder of the runner: C4TLS_CONFORMANCE_DIR, or `conformance` in the `shared` folder beside the checkout. */
function findTool() {
  const places = [process.env.C4TLS_CONFORMANCE_DIR, path.join(ROOT, '..', 'shared', 'conformance')].filter(Boolean);
  const found = places.find((dir) => fs.existsSync(path.join(dir, 'run.js')));
  if (!found) {
    throw new Error(`no runner in ${places.join(' or ')}: set C4TLS_CONFORMANCE_DIR to the folder with run.js`);
  }
  return path.resolve(found);
}

/** Downloads the suite unless it is there; returns its folder. It stays outside of git. */
function getSuite(tool) {
  const dir = process.env.C4TLS_CONFORMANCE_SUITE || path.join(ROOT, '.conformance', 'suite');
  if (!fs.existsSync(path.join(dir, 'test', 'parallel'))) {
    console.log(`downloading Node's test suite to ${dir}`);
    const { status } = spawnSync(path.join(tool, 'get-suite.sh'), [dir], { stdio: ['ignore', 'inherit', 'inherit'] });
    if (status !== 0) throw new Error('the suite could not be downloaded');
  }
  return dir;
}

/** The names in a list of the runner's. */
function readList(tool, list) {
  const lines = fs.readFileSync(path.join(tool, list), 'utf8').split('\n');
  return lines.map((line) => line.replace(/#.*/, '').trim()).filter(Boolean);
}

/** The suite's tests whose file names match. */
function namesIn(suite, pattern) {
  return ['parallel', 'sequential'].flatMap((dir) => fs.readdirSync(path.join(suite, 'test', dir))
    .filter((name) => pattern.test(name)).map((name) => `${dir}/${name}`));
}

/** Runs the tests; the runner prints a line for each. Returns its results: [{test, status, flaky?}]. */
function runSuite(tool, names, suite, more) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-conformance-'));
  const out = path.join(dir, 'result.json');
  const list = path.join(dir, 'list.txt');
  fs.writeFileSync(list, names.join('\n'));
  const options = {
    suite, out, list, ...more,
    'module': path.join(ROOT, 'index.js'),
    'openssl-version': require('../../binding').versions().openssl,
    'retries': 1,
  };
  const argv = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  try {
    const stdio = ['ignore', 'inherit', 'inherit'];
    spawnSync(process.execPath, [path.join(tool, 'run.js'), ...argv, ...patterns], { stdio });
    return JSON.parse(fs.readFileSync(out, 'utf8')).results;
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

function readFloor(file) {
  if (!fs.existsSync(file)) return [];
  return fs.readFileSync(file, 'utf8').split('\n').filter(Boolean);
}

/** Runs one of SUITES; true when nothing of its floor is lost. */
function holds(which, tool, suite) {
  const file = path.join(__dirname, which.floor);
  const lists = (which.lists ?? []).map((list) => [list, new Set(readList(tool, list))]);
  const names = which.names ? namesIn(suite, which.names) : [...new Set(lists.flatMap(([, listed]) => [...listed]))];
  const results = runSuite(tool, names, suite, which.options);
  const passed = results.filter(({ status }) => status === 'pass');
  const passing = new Set(passed.map(({ test }) => test));
  const floor = readFloor(file);
  // With a pattern only what was run can be judged.
  const expected = patterns.length > 0 ? floor.filter((name) => results.some(({ test }) => test === name)) : floor;
  const lost = expected.filter((name) => !passing.has(name));
  // What passed at its second try only is not yet sure enough to insist on.
  const gained = passed.filter(({ test, flaky }) => !flaky && !floor.includes(test)).map(({ test }) => test);
  for (const { test } of results) {
    if (!passing.has(test) && !floor.includes(test)) console.log(`not passing, see README.md: ${test}`);
  }
  for (const name of gained) console.log(`newly passing: ${name}`);
  for (const name of lost) console.log(`LOST: ${name} is in ${which.floor} and does not pass`);
  if (update && gained.length > 0) {
    fs.writeFileSync(file, `${[...floor, ...gained].sort().join('\n')}\n`);
    console.log(`${which.floor} has ${gained.length} more names`);
  }
  for (const [list, listed] of lists) {
    const run = results.filter(({ test }) => listed.has(test));
    console.log(`${list}: ${run.filter(({ test }) => passing.has(test)).length} of ${run.length} passed`);
  }
  console.log(`conformance: ${passing.size} of ${results.length} passed, floor ${floor.length}, ${lost.length} lost`);
  return lost.length === 0;
}

function main() {
  const tool = findTool();
  const suite = getSuite(tool);
  const held = SUITES.map((which) => holds(which, tool, suite));
  process.exitCode = held.every(Boolean) ? 0 : 1;
}

main();
