'use strict';
// What is sent to one client: at once as far as it goes, or, with a Timeout, as a promise of all of it; and files.
const binding = require('../core/binding');
const { failure, numberOf } = require('./errors');

const INTERRUPTED = 10004;
const INVALID_ARGUMENT = 10022;
const WOULD_BLOCK = 10035;
const RESET = 10054;
const TIMED_OUT = 10060;
const EVERYTHING = Number.MAX_SAFE_INTEGER;
// Of a send that waits, so much goes to the native side at once: its owner keeps the whole of it anyway.
const PORTION = 1 << 20;
/** What a send is that was taken whole at once. */
const DONE = Promise.resolve();

const isFile = (job) => job.path !== undefined;

class Sender {
  #native;
  #limit;                // gives the most bytes that may wait for the kernel
  #jobs = [];            // sends and files that wait for each other, first to last
  #starved = false;      // a send was refused: ReadyToSend follows
  #isFullTold = false;   // an Error event has said so, and not all has left since
  #closing = false;      // what is taken may still be lost, which is known at the end
  #onReady;

  /**
   * @param {object} native connection
   * @param {number} timeout seconds; 0: sends do not wait
   * @param {() => number} limit
   * @param {() => void} onReady a send may be tried again
   */
  constructor(native, timeout, limit, onReady) {
    this.#native = native;
    this._id = native.id;
    this.#limit = limit;
    this.#onReady = onReady;
    this.bytesSent = 0;
    this.isReady = false;
    this.timeout = timeout;
  }

  /** Takes bytes as the timeout says. `form`: what a subclass makes of them. */
  send(bytes, form) {
    return this.#mustWait() ? this.#await({ bytes, form }) : this.#promised(this.attempt(bytes, form));
  }

  /** The same for bytes that are good for this call only. */
  sendCopy(bytes, form) {
    if (this.#mustWait()) return this.#await({ bytes: Buffer.from(bytes), form });
    return this.#promised(this.attempt(bytes, form));
  }

  #mustWait() {
    return this.timeout > 0 || (this.#jobs.length > 0 && this.#jobs.some(isFile));
  }

  #promised(problem) {
    return problem === null ? DONE : Promise.reject(problem);
  }

  /** Without a timeout: at once, as far as it goes. Returns what went wrong, or null. */
  attempt(bytes, form) {
    if (this.#jobs.length > 0) return this.#refuse(0);
    const job = { bytes, form, taken: false };
    const taken = this._put(job, this.#limit(), false);
    if (taken < 0) {
      this.bytesSent = 0;
      return this._lost();
    }
    this.bytesSent = taken;
    return job.taken ? null : this.#refuse(taken);
  }

  /**
   * Gives a job's bytes to the native side: `job.taken` says then whether it is done with them, and if not `job.bytes`
   * are those that are left.
   * @param {{ bytes: Buffer, form: any, taken: boolean }} job
   * @param {number} limit most bytes that may wait for the kernel
   * @param {boolean} whole all or nothing
   * @returns {number} bytes taken; -1: the client has gone
   */
  _put(job, limit, whole) {
    const { bytes } = job;
    const taken = binding.send(this._id, bytes, limit, whole);
    job.taken = taken === bytes.length;
    if (taken > 0 && !job.taken) job.bytes = bytes.subarray(taken);
    return taken;
  }

  /** The error of a send to a client that has gone. */
  _lost() {
    return failure(RESET);
  }

  /** The error of a file that cannot begin. */
  _noFile() {
    return this._lost();
  }

  /** The file behind everything that was given before. Sends that come later follow it. */
  sendFile(path, onProgress) {
    return this.#await({ path, onProgress });
  }

  // A send, not a file, is under way and waits.
  #isWaiting() {
    return this.#jobs.length > 0 && !isFile(this.#jobs[0]);
  }

  // Nothing taken: ReadyToSend follows. A part taken: it does not, as documented.
  #refuse(taken) {
    this.bytesSent = taken;
    if (taken === 0) {
      this.#starved = true;
      this.isReady = false;
    }
    return failure(WOULD_BLOCK);
  }

  /** A full queue is told once, until all of it has left. False: it was told. */
  tellFull() {
    if (this.#isFullTold) return false;
    this.#isFullTold = true;
    return true;
  }

  #await(job) {
    this.bytesSent = 0;
    return new Promise((resolve, reject) => {
      this.#jobs.push({ taken: false, ...job, resolve, reject });
      if (this.#jobs.length === 1) this.#advance();
    });
  }

  // The first job goes on, and those behind it when it is done.
  #advance() {
    while (this.#jobs.length > 0) {
      const [job] = this.#jobs;
      if (this.#closing && job.taken) return;
      if (isFile(job)) {
        this.#native.setStallTimeout(this.timeout * 1000);
        if (this.#native.sendFile(job.path)) return;
        this.#jobs.shift().reject(this._noFile());
        continue;
      }
      if (!job.taken && this._put(job, PORTION, false) < 0) {
        this.abandon(this._lost());
        return;
      }
      if (!job.taken || (this.timeout > 0 && this.#native.pendingBytes() > 0)) {
        if (job.taken) this.#native.awaitDrain();
        this.#native.setStallTimeout(this.timeout * 1000);
        return;
      }
      this.#jobs.shift().resolve();
    }
    this.#native.setStallTimeout(0);
    if (this.#starved) this.#native.awaitDrain();
  }

  /** Everything that was taken is in the kernel. */
  onDrain() {
    this.#isFullTold = false;
    if (this.#isWaiting()) {
      this.#advance();
      return;
    }
    if (!this.#starved) return;
    this.#starved = false;
    this.isReady = true;
    this.#onReady();
  }

  /** The client has taken nothing for the time of the timeout. */
  onStalled() {
    this.#native.setStallTimeout(0);
    const [job] = this.#jobs;
    if (job?.path === undefined) {
      this.abandon(failure(TIMED_OUT));
    } else {
      job.isLate = true;
      this.#native.interruptFile();
    }
  }

  onFileProgress({ sent, total }) {
    this.#jobs[0]?.onProgress?.(sent, total);
  }

  onFileDone(interrupted, problem) {
    const job = this.#jobs[0]?.path === undefined ? undefined : this.#jobs.shift();
    if (job === undefined) return;
    if (interrupted) job.reject(failure(job.isLate ? TIMED_OUT : INTERRUPTED));
    else if (problem === null) job.resolve();
    else job.reject(failure(numberOf(problem, INVALID_ARGUMENT), problem.message));
    this.#advance();
  }

  /** Stops the file or the waiting send that is under way. */
  interrupt() {
    if (this.#jobs.length === 0) return;
    if (isFile(this.#jobs[0])) {
      this.#native.interruptFile();
      return;
    }
    this.#jobs.shift().reject(failure(INTERRUPTED));
    this.#advance();
  }

  /** The connection is about to end: what waits is taken, up to a file that has not begun. */
  close() {
    this.#closing = true;
    for (const [index, job] of this.#jobs.entries()) {
      if (isFile(job) && index > 0) break;
      if (!isFile(job) && !job.taken) this._put(job, EVERYTHING, true);
    }
  }

  /** The connection has ended; `status`: the number of its error, or 0. */
  end(status) {
    const jobs = this.#jobs;
    this.#jobs = [];
    for (const { taken, resolve, reject } of jobs) {
      if (status === 0 && taken) resolve();
      else reject(failure(status || RESET));
    }
  }

  /** Every waiting job fails. */
  abandon(error) {
    const jobs = this.#jobs;
    this.#jobs = [];
    for (const { reject } of jobs) reject(error);
  }
}

module.exports = { DONE, Sender };
