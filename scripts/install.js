'use strict';

// npm's install script: makes sure that there is an addon to load. Nothing happens where a prebuilt platform
// package fits or the local build is fresh; otherwise the addon is built from source, in release mode.

const fs = require('fs');
const { build, isFresh, missingTools } = require('./build');
const { loadLocal, loadPrebuilt, platformTriple } = require('../locate-binding');

/** How often a long build says that it is still at work, in milliseconds. */
const HEARTBEAT = 10_000;

/**
 * Writes to the terminal itself where npm hides what install scripts print (npm shows it when they fail).
 * Without a terminal, as in CI, it says nothing: then the plain output is what there is.
 */
function openTerminal() {
  try {
    return fs.openSync(process.platform === 'win32' ? '\\\\.\\CONOUT$' : '/dev/tty', 'w');
  } catch {
    return undefined;
  }
}

const hidden = !process.stderr.isTTY;
const terminal = hidden ? openTerminal() : undefined;

function say(line) {
  process.stderr.write(`c4tls: ${line}\n`);
  if (terminal === undefined) return;
  try {
    // The first characters clear what npm's spinner has drawn on this line.
    fs.writeSync(terminal, `\r\x1b[Kc4tls: ${line}\n`);
  } catch { /* progress is a courtesy: its loss must not fail the install */ }
}

function loads(load) {
  try {
    return load() !== undefined;
  } catch {
    return false;
  }
}

/** Tells on the terminal which crate cargo is at, every HEARTBEAT; cargo's own lines go to stderr as they are. */
function reportProgress(cargo) {
  const started = Date.now();
  let last = 'starting';
  let rest = '';
  cargo.stderr.setEncoding('utf8').on('data', (text) => {
    process.stderr.write(text);
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      const step = /^\s*(Compiling|Downloaded|Building) (\S+)/.exec(line);
      if (step) last = `${step[1].toLowerCase()} ${step[2]}`;
    }
  });
  const timer = setInterval(() => say(`${Math.round((Date.now() - started) / 1000)} s, ${last}`), HEARTBEAT);
  cargo.on('close', () => clearInterval(timer));
}

async function install() {
  if (loads(loadPrebuilt)) return;
  if (isFresh() && loads(loadLocal)) return;
  const missing = missingTools();
  if (missing.length > 0) {
    throw new Error(`there is no prebuilt addon for ${platformTriple()}, and building it needs ${missing.join(', ')}: ` +
      'install that and run "npm rebuild c4tls"');
  }
  say('building the native addon (a few minutes the first time, OpenSSL included)');
  const started = Date.now();
  await build(hidden ? { stderr: 'pipe', onStart: reportProgress } : {});
  loadLocal();   // throws when what was built does not load
  say(`built in ${Math.round((Date.now() - started) / 1000)} s`);
}

install().catch((error) => {
  say(error.message);
  process.exitCode = 1;
});
