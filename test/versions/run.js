'use strict';

// npm run test:versions: the smoke program, and the tests of test/tls, test/https, test/control4 and test/ipworks,
// under every Node of package.json beside this file (npm's `node` packages, installed here when missing, with the last
// mocha that runs in Node 18). One line per version; fails when one of them fails.
//   --smoke      the smoke program only
//   NAME...      only these, such as node18

const { execFileSync, spawn } = require('child_process');
const fs = require('fs');
const path = require('path');
const { dependencies } = require('./package.json');

const ROOT = path.join(__dirname, '..', '..');
const MOCHA = path.join(__dirname, 'node_modules', 'mocha', 'bin', 'mocha.js');
const TESTS = ['tls', 'https', 'control4', 'ipworks'].map((face) => `test/${face}/*.test.js`);
const SMOKE_TIME = 60_000;       // ms
const TESTS_TIME = 900_000;

function binaryOf(name) {
  const file = process.platform === 'win32' ? 'node.exe' : 'node';
  return path.join(__dirname, 'node_modules', name, 'bin', file);
}

/** Installs when a version is missing; false when that fails, with npm's own words on stderr. */
function install(names) {
  const isComplete = () => [MOCHA, ...names.map(binaryOf)].every((file) => fs.existsSync(file));
  if (isComplete()) return true;
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  try {
    // The packages' own install scripts fetch the binary that fits this platform.
    execFileSync(npm, ['ci', '--no-audit', '--no-fund', '--ignore-scripts=false'],
      { cwd: __dirname, stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' });
  } catch {
    return false;
  }
  return isComplete();
}

/** Runs a program to its end: {ok, output}. */
function run(file, args, timeout) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], timeout, killSignal: 'SIGKILL' });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    child.on('error', (error) => resolve({ ok: false, output: error.message }));
    child.on('close', (code, signal) => {
      resolve({ ok: code === 0 && signal === null, output: `${output}\n[exit code ${code}, signal ${signal}]` });
    });
  });
}

function count(output, word) {
  return Number(new RegExp(`(\\d+) ${word}`).exec(output)?.[1] ?? 0);
}

/** Runs everything under one version; true when all of it passed. */
async function tryVersion(name, smokeOnly) {
  const node = binaryOf(name);
  const version = execFileSync(node, ['-p', 'process.version'], { encoding: 'utf8' }).trim();
  const smoke = await run(node, [path.join(__dirname, 'smoke.js')], SMOKE_TIME);
  const outputs = smoke.ok ? [] : [smoke.output];
  let tests = 'not run';
  if (!smokeOnly) {
    const result = await run(node, [MOCHA, '--reporter', 'dot', '--no-config',
      '--require', 'test/support/hooks.js', '--timeout', '60000', ...TESTS], TESTS_TIME);
    tests = `${count(result.output, 'passing')} passed, ${count(result.output, 'failing')} failed`;
    if (!result.ok) outputs.push(result.output);
  }
  console.log(`${version.padEnd(10)} ${outputs.length === 0 ? 'ok  ' : 'FAIL'}  ` +
    `smoke: ${smoke.ok ? 'passed' : 'FAILED'}  tests: ${tests}`);
  for (const output of outputs) console.error(output);
  return outputs.length === 0;
}

async function main() {
  const args = process.argv.slice(2);
  const chosen = args.filter((arg) => !arg.startsWith('--'));
  const names = chosen.length > 0 ? chosen : Object.keys(dependencies);
  const unknown = names.filter((name) => !Object.hasOwn(dependencies, name));
  if (unknown.length > 0) {
    console.error(`Not in test/versions/package.json: ${unknown.join(', ')}`);
    return 2;
  }
  if (!install(names)) {
    console.error('The versions of Node could not be installed (npm ci in test/versions)');
    return 1;
  }
  let passed = true;
  for (const name of names) passed = await tryVersion(name, args.includes('--smoke')) && passed;
  return passed ? 0 : 1;
}

main().then((code) => {
  process.exitCode = code;
});
