'use strict';

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const readline = require('node:readline');

const alive = new Set();

/** A process that is talked with in lines: words to it, JSON objects from it. It never outlives this one. */
class Child {
  /**
   * @param {string} name for error messages
   * @param {string} command
   * @param {string[]} args
   * @param {number} limit milliseconds; the process is killed after that
   * @param {Record<string, string>} [env] beside this process's
   */
  constructor(name, command, args, limit, env = {}) {
    this.name = name;
    this.exited = false;
    this._messages = [];
    this._wake = null;
    this._problem = null;
    this._process = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } });
    this.pid = this._process.pid;
    alive.add(this);
    this._timer = setTimeout(() => this._fail(`still running after ${limit / 1000} s`), limit);
    // A process that is gone reports itself by its exit; what is written to it meanwhile is lost anyway.
    this._process.stdin.on('error', () => {});
    this._process.on('error', (error) => this._fail(error.message));
    this._process.on('close', (code, signal) => {
      this.exited = true;
      alive.delete(this);
      clearTimeout(this._timer);
      this._problem ??= new Error(`${name} ended (${signal ?? `status ${code}`})`);
      this._wake?.();
    });
    readline.createInterface({ input: this._process.stdout }).on('line', (line) => {
      this._messages.push(line);
      this._wake?.();
    });
  }

  /** The next object from the process; rejects when it reports an error, ends, or is too late. */
  async next(event) {
    while (this._messages.length === 0) {
      if (this._problem) throw this._problem;
      await new Promise((resolve) => {
        this._wake = resolve;
      });
      this._wake = null;
    }
    const message = JSON.parse(this._messages.shift());
    if (message.event === event) return message;
    throw new Error(`${this.name}: ${message.message ?? `expected ${event}, not ${message.event}`}`);
  }

  send(word) {
    this._process.stdin.write(`${word}\n`);
  }

  /** Sends a command and returns its answer. */
  ask(word) {
    this.send(word);
    return this.next(word);
  }

  /** Ends the process by the end of its standard input and waits for that. */
  async end() {
    if (this.exited) return;
    const closed = once(this._process, 'close');
    this._process.stdin.end();
    await closed;
  }

  kill() {
    this._process.kill('SIGKILL');
  }

  _fail(reason) {
    this._problem = new Error(`${this.name}: ${reason}`);
    this._wake?.();
    this.kill();
  }
}

process.on('exit', () => {
  for (const child of alive) child.kill();
});

exports.Child = Child;
