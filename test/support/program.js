'use strict';

// Runs programs (openssl, curl, python, node) beside a test: output collected, always bounded in time, ended by pid.

const { spawn, spawnSync } = require('child_process');
const { track } = require('./cleanup');
const { within } = require('./time');

/** Longest life of a program unless told otherwise, in milliseconds. */
const LIFETIME = 12_000;

class Program {
  constructor(file, args, options = {}) {
    const { timeout = LIFETIME, ...rest } = options;
    this.name = `${file} ${args[0] ?? ''}`;
    this.stdout = '';
    this.stderr = '';
    this.child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], ...rest });
    this.pid = this.child.pid;
    this.waiting = new Set();
    this.child.stdin?.on('error', () => {});   // it may be gone before it has read everything
    for (const name of ['stdout', 'stderr']) {
      this.child[name]?.setEncoding('utf8').on('data', (text) => {
        this[name] += text;
        for (const check of this.waiting) check();
      });
    }
    this.timer = setTimeout(() => {
      this.timedOut = true;
      this.child.kill('SIGKILL');
    }, timeout);
    /** Resolves with {code, signal, stdout, stderr} when the program has ended and its output is read. */
    this.ended = new Promise((resolve, reject) => {
      this.child.on('error', reject);
      this.child.on('close', (code, signal) => {
        clearTimeout(this.timer);
        for (const check of this.waiting) check(true);
        if (this.timedOut) {
          reject(new Error(`${this.name} was still running after ${timeout} ms\n${this.stdout}${this.stderr}`));
        } else {
          resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
        }
      });
    });
    this.ended.catch(() => {});   // whoever awaits it sees the failure; a killed program interests nobody
    track(this);
  }

  /** Resolves with the match once stdout and stderr together match `pattern`; rejects if the program ends first. */
  async waitFor(pattern, ms = 8_000) {
    let check;
    const found = new Promise((resolve, reject) => {
      check = (isOver) => {
        const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
        if (match) resolve(match);
        else if (isOver) reject(new Error(`${this.name} ended without ${pattern}\n${this.stdout}${this.stderr}`));
      };
      this.waiting.add(check);
      check(this.child.exitCode !== null && this.child.stdout?.destroyed);
    });
    try {
      return await within(ms, found, `${pattern} from ${this.name}`);
    } catch (error) {
      error.message += `\n${this.stdout}${this.stderr}`;
      throw error;
    } finally {
      this.waiting.delete(check);
    }
  }

  write(text) {
    this.child.stdin.write(text);
    return this;
  }

  /** Ends the program's input. */
  endInput(text) {
    this.child.stdin.end(text);
    return this;
  }

  signal(name) {
    this.child.kill(name);
  }

  async kill() {
    this.child.kill('SIGKILL');
    await this.ended.catch(() => {});
  }
}

/** Starts a program. */
function start(file, args, options) {
  return new Program(file, args, options);
}

/** Runs a program to its end; `input` is all it reads. Resolves with {code, signal, stdout, stderr}. */
async function run(file, args, { input = '', ...options } = {}) {
  return start(file, args, options).endInput(input).ended;
}

const installed = new Map();

/** True when the program is installed; a test that needs it otherwise skips, saying why in its title. */
function isInstalled(file, args = ['--version']) {
  const probe = JSON.stringify([file, ...args]);
  if (!installed.has(probe)) {
    const { status, error } = spawnSync(file, args, { stdio: 'ignore', timeout: 20_000 });
    installed.set(probe, !error && status === 0);
  }
  return installed.get(probe);
}

/** `it` when the program is installed, otherwise a skipped test that says what is missing. */
function itWith(file, title, body, args) {
  if (isInstalled(file, args)) it(title, body);
  else it.skip(`${title} (skipped: ${file} is not installed)`, body);
}

module.exports = { start, run, isInstalled, itWith };
