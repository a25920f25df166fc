'use strict';
// Autobahn|Testsuite's fuzzing client against an echo server of this package. See ../README.md.
const { execFileSync, fork, spawn } = require('child_process');
const { once } = require('events');
const fs = require('fs');
const path = require('path');

const SUITE = 'autobahntestsuite==25.10.1';
const VIRTUALENV = 'virtualenv==20.15.1';
const directory = path.resolve(__dirname, '../../../.conformance/autobahn');
const program = path.join(directory, 'venv/bin/wstest');

// Everything that does not take minutes; 12 and 13 are permessage-deflate's.
const PROTOCOL = ['1.*', '2.*', '3.*', '4.*', '5.*', '6.*', '7.*', '9.*', '10.*'];
const SAMPLE = ['12.1.*', '13.1.1', '13.2.1', '13.3.1', '13.4.1', '13.5.1', '13.6.1', '13.7.1'];
const GOOD = ['OK', 'INFORMATIONAL'];

function python2() {
  const versions = path.join(process.env.PYENV_ROOT ?? path.join(process.env.HOME ?? '/', '.pyenv'), 'versions');
  const installed = fs.existsSync(versions) ? fs.readdirSync(versions).filter((name) => name.startsWith('2.7')) : [];
  for (const python of ['python2.7', ...installed.map((name) => path.join(versions, name, 'bin/python2.7'))]) {
    try {
      execFileSync(python, ['--version'], { stdio: 'ignore' });
      return python;
    } catch {
      // The next one, or none.
    }
  }
  return null;
}

// The suite is a program for CPython 2.7.
function install(python) {
  if (fs.existsSync(program)) return;
  const boot = path.join(directory, 'boot');
  const stdio = ['ignore', 'ignore', 'inherit'];
  const pip = ['install', '-q', '--disable-pip-version-check'];
  execFileSync(python, ['-W', 'ignore', '-m', 'pip', ...pip, '--target', boot, VIRTUALENV], { stdio });
  const env = { ...process.env, PYTHONPATH: boot };
  execFileSync(python, ['-m', 'virtualenv', '-q', path.join(directory, 'venv')], { stdio, env });
  execFileSync(path.join(directory, 'venv/bin/pip'), [...pip, SUITE], { stdio });
}

async function serve(scheme) {
  const server = fork(path.join(__dirname, 'echo-server.js'), scheme === 'wss' ? ['tls'] : []);
  const port = await new Promise((resolve, reject) => {
    server.once('message', resolve);
    server.once('exit', () => reject(new Error('the echo server ended')));
  });
  return { server, url: `${scheme}://127.0.0.1:${port}` };
}

/** Runs `cases` against a server of its own; how many are as the RFC wants, and how many are not. */
async function run(name, scheme, cases) {
  const work = path.join(directory, name);
  fs.rmSync(work, { recursive: true, force: true });
  fs.mkdirSync(work, { recursive: true });
  const { server, url } = await serve(scheme);
  fs.writeFileSync(path.join(work, 'spec.json'), JSON.stringify({
    'options': { failByDrop: false },
    'outdir': path.join(work, 'reports'),
    'servers': [{ agent: 'c4tls', url, options: { version: 18 } }],
    cases,
    'exclude-cases': [],
    'exclude-agent-cases': {},
  }));
  const log = fs.openSync(path.join(work, 'log'), 'w');
  const client = spawn(program, ['-m', 'fuzzingclient', '-s', 'spec.json'], { cwd: work, stdio: ['ignore', log, log] });
  const [status] = await once(client, 'exit');
  fs.closeSync(log);
  if (server.connected) server.disconnect();
  if (status !== 0) throw new Error(`wstest ended with ${status}: see ${path.join(work, 'log')}`);
  const results = Object.entries(JSON.parse(fs.readFileSync(path.join(work, 'reports/index.json'))).c4tls ?? {});
  const seen = ([, { behavior, behaviorClose }]) => [behavior, behaviorClose];
  const bad = results.filter((result) => !seen(result).every((one) => GOOD.includes(one)));
  for (const result of bad) console.log(`${name} ${result[0]}: ${seen(result).join(', ')}`);
  console.log(`${name}: ${results.length - bad.length} of ${results.length}`);
  return { passed: results.length - bad.length, failed: results.length === 0 ? 1 : bad.length };
}

async function main() {
  const python = python2();
  if (python === null) {
    console.log('websocket: no CPython 2.7 here, which the suite needs: skipped');
    return;
  }
  install(python);
  const asked = process.argv.slice(2);
  const results = [];
  if (asked.length > 0 && !asked.includes('--all')) {
    results.push(await run(asked.join('_').replaceAll('*', 'x'), 'ws', asked));
  } else {
    results.push(await run('ws', 'ws', PROTOCOL), await run('wss', 'wss', PROTOCOL));
  }
  if (asked.includes('--all')) {
    results.push(...await Promise.all([run('deflate-12', 'ws', ['12.*']), run('deflate-13', 'ws', ['13.*'])]));
  } else if (asked.length === 0) {
    results.push(await run('deflate', 'ws', SAMPLE));
  }
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  console.log(`websocket: ${sum('passed')} passed, ${sum('failed')} failed`);
  process.exitCode = sum('failed') > 0 ? 1 : 0;
}

main();
