'use strict';

// Builds the native addon with cargo and puts it beside binding.js, where the loader finds it.
//   node scripts/build.js [--debug]
// Cargo decides what is out of date: OpenSSL is compiled once and stays in the target folder.

const { spawn, spawnSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { localFileName } = require('../locate-binding');

const ROOT = path.join(__dirname, '..');

/** What cargo compiles; the addon is fresh while it is newer than all of these. */
const SOURCES = ['src', 'scripts/openssl', 'build.rs', 'Cargo.toml', 'Cargo.lock', '.cargo/config.toml'];

/** The program's path when it can be started, looking in rustup's folder too; undefined when not. */
function findProgram(name) {
  const inRustup = path.join(process.env.CARGO_HOME || path.join(os.homedir(), '.cargo'), 'bin', name);
  return [name, inRustup].find((candidate) => {
    const { status, error } = spawnSync(candidate, ['--version'], { stdio: 'ignore' });
    return !error && status === 0;
  });
}

/** Names of the tools that a build needs and this machine lacks. */
function missingTools() {
  const missing = [];
  if (!findProgram('cargo')) missing.push('Rust (https://rustup.rs)');
  // OPENSSL_NO_VENDOR says that OpenSSL is built already: its own build tools are not needed then.
  const vendored = !process.env.OPENSSL_NO_VENDOR || process.env.OPENSSL_NO_VENDOR === '0';
  if (vendored && !findProgram('perl')) missing.push('perl');
  // On Windows the Rust toolchain finds Visual Studio's cl and nmake by itself, outside of PATH.
  if (process.platform === 'win32') return missing;
  if (vendored && !findProgram(process.env.MAKE || 'make')) missing.push('make');
  if (!findProgram((process.env.CC || 'cc').split(' ')[0])) missing.push('a C compiler (cc)');
  return missing;
}

function newestChange(file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...fs.readdirSync(file).map((name) => newestChange(path.join(file, name))));
}

/** True when there is a local build and nothing that it is made of changed since. */
function isFresh() {
  const built = fs.statSync(path.join(ROOT, localFileName()), { throwIfNoEntry: false });
  return built !== undefined && SOURCES.every((name) => newestChange(path.join(ROOT, name)) <= built.mtimeMs);
}

/** Puts the library in place in one step: a process that has the old file loaded keeps its own copy. */
function place(library) {
  const target = path.join(ROOT, localFileName());
  const temporary = `${target}.${process.pid}.tmp`;
  fs.copyFileSync(library, temporary);
  try {
    fs.renameSync(temporary, target);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    // Windows does not replace a library that a process has loaded.
    throw new Error(`cannot replace ${target} (${error.code}): end the programs that use it and build again`,
      { cause: error });
  }
  return target;
}

/**
 * Runs cargo and installs what it made. `stderr` is passed to spawn ('inherit' shows cargo's progress);
 * `onStart(child)` sees the child first. Resolves with the addon's path, rejects with a one-line message.
 */
function build({ debug = false, stderr = 'inherit', onStart } = {}) {
  const args = ['build', '--lib', '--message-format=json-render-diagnostics'];
  if (!debug) args.push('--release');
  return new Promise((resolve, reject) => {
    const cargo = spawn(findProgram('cargo') ?? 'cargo', args, { cwd: ROOT, stdio: ['ignore', 'pipe', stderr] });
    onStart?.(cargo);
    let messages = '';
    cargo.stdout.setEncoding('utf8').on('data', (text) => {
      messages += text;
    });
    cargo.on('error', (error) => reject(new Error(`cargo does not start: ${error.message}`)));
    cargo.on('close', (code, signal) => {
      if (code !== 0) {
        reject(new Error(`cargo build failed (${signal ?? `exit code ${code}`}); its messages are above`));
        return;
      }
      try {
        resolve(place(findLibrary(messages)));
      } catch (error) {
        reject(error);
      }
    });
  });
}

/** The shared library among cargo's messages, wherever its target folder is. */
function findLibrary(messages) {
  for (const line of messages.split('\n')) {
    if (!line.startsWith('{')) continue;
    const message = JSON.parse(line);
    if (message.reason !== 'compiler-artifact' || !message.target.kind.includes('cdylib')) continue;
    const library = message.filenames.find((name) => /\.(so|dylib|dll)$/.test(name));
    if (message.target.name === 'c4tls' && library) return library;
  }
  throw new Error('cargo made no shared library');
}

module.exports = { build, isFresh, missingTools };

if (require.main === module) {
  build({ debug: process.argv.includes('--debug') }).then((file) => {
    console.log(`c4tls: built ${path.relative(process.cwd(), file)}`);
  }, (error) => {
    console.error(`c4tls: ${error.message}`);
    process.exitCode = 1;
  });
}
