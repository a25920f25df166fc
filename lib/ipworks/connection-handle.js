'use strict';
// One client as the native side has it: its events, and what is sent to it.
const binding = require('../core/binding');
const { Target } = require('../core/dispatch');
const { kinds } = require('../core/events');
const { describe, failure, numberOf } = require('./errors');

const WOULD_BLOCK = 10035;
const TIMED_OUT = 10060;
const RESET = 10054;
const HANDSHAKE = 276;
const ENCRYPTION = 284;
const DONE = Promise.resolve();

const json = (payload) => JSON.parse(payload.toString());

class ConnectionHandle extends Target {
  /**
   * @param {object} server that is told: see socket-server.js
   * @param {object} native
   * @param {number} id of it
   */
  constructor(server, native, id) {
    super('SSLSERVERCONNECTION');
    this.server = server;
    this.native = native;
    this.connectionId = String(id);
    this.connected = false;
    this.failedStatus = 0;         // number of the error that ended it
    this.failedText = '';
    this.acceptData = true;
    this.held = null;              // messages that came after pauseData()
    this.readyToSend = false;
    this.bytesSent = 0;
    this.timeout = 0;              // seconds; 0: sends do not wait
    this.waiting = [];             // synchronous sends, in order
    this.file = null;              // the file under way
    this.starved = false;          // a send was refused: ReadyToSend follows
    this.public = null;            // the Connection that programs see
    this.attach(id);
  }

  onEvent(kind, arg, payload) {
    switch (kind) {
      case kinds.MESSAGE: this.onMessage(payload ?? Buffer.alloc(0), (arg & 1) !== 0); break;
      case kinds.DRAIN: this.onDrain(); break;
      case kinds.SECURE: this.server._onSecure(this); break;
      case kinds.EOF: this.onEnd(); break;
      case kinds.ERROR: this.onError(arg, json(payload)); break;
      case kinds.CLOSED: this.onClosed(); break;
      case kinds.CERTIFICATE: this.server._onCertificateWanted(this, json(payload)); break;
      case kinds.CLIENT_CERTIFICATE: this.server._onClientCertificate(this, json(payload)); break;
      case kinds.KEYLOG: this.server._onKeylog(payload); break;
      case kinds.TRACE: this.server._onTrace(this, payload.toString()); break;
      case kinds.STALLED: this.rejectWaiting(failure(TIMED_OUT)); break;
      case kinds.FILE_PROGRESS: this.onFileProgress(json(payload)); break;
      case kinds.FILE_DONE: this.onFileDone(arg, payload === null ? null : json(payload)); break;
    }
  }

  // ---- what comes

  onMessage(bytes, ended) {
    if (this.acceptData && this.held === null) this.server._onMessage(this, bytes, ended);
    else (this.held ??= []).push([bytes, ended]);
  }

  pause() {
    this.acceptData = false;
    this.native.readStop();
  }

  /** What was held back is delivered first, in later turns like everything else. */
  resume() {
    if (this.acceptData) return;
    this.acceptData = true;
    this.native.readStart();
    if (this.held !== null) setImmediate(() => this.release());
  }

  release() {
    while (this.acceptData && this.held?.length > 0) {
      const [bytes, ended] = this.held.shift();
      this.server._onMessage(this, bytes, ended);
    }
    if (this.held?.length === 0) {
      this.held = null;
      if (this.closedLate) this.finishClosing();
    }
  }

  // The client sends no more: what is queued still leaves.
  onEnd() {
    this.native.finish(this.server._lingerTime());
  }

  // ---- what is sent

  /** Takes `bytes` as Timeout says. */
  send(bytes) {
    if (this.timeout > 0) return this.sendAll(bytes);
    if (this.waiting.length > 0 || this.file !== null) return this.refuse(0, bytes);
    const taken = binding.send(this.id, bytes, this.server._sendLimit(), false);
    if (taken < 0) return Promise.reject(failure(RESET));
    this.bytesSent = taken;
    return taken === bytes.length ? DONE : this.refuse(taken, bytes);
  }

  // Nothing taken: ReadyToSend follows. A part taken: it does not, as documented.
  refuse(taken) {
    this.bytesSent = taken;
    if (taken === 0) {
      this.starved = true;
      this.readyToSend = false;
    }
    return Promise.reject(failure(WOULD_BLOCK));
  }

  /** Resolves when all of it is in the kernel. */
  sendAll(bytes) {
    this.bytesSent = 0;
    return new Promise((resolve, reject) => {
      this.waiting.push({ bytes, resolve, reject });
      if (this.waiting.length === 1 && this.file === null) this.advance();
    });
  }

  // The first of the waiting sends goes on.
  advance() {
    while (this.waiting.length > 0) {
      const first = this.waiting[0];
      const taken = binding.send(this.id, first.bytes, this.server._sendLimit(), false);
      if (taken < 0) {
        this.rejectWaiting(failure(RESET));
        return;
      }
      first.bytes = first.bytes.subarray(taken);
      if (this.native.pendingBytes() > 0 || first.bytes.length > 0) {
        this.native.setStallTimeout(this.timeout * 1000);
        return;
      }
      this.waiting.shift();
      first.resolve();
    }
    this.native.setStallTimeout(0);
  }

  rejectWaiting(error) {
    const { waiting } = this;
    this.waiting = [];
    for (const { reject } of waiting) reject(error);
  }

  onDrain() {
    if (this.waiting.length > 0) this.advance();
    if (this.waiting.length > 0 || this.file !== null || !this.starved) return;
    this.starved = false;
    this.readyToSend = true;
    this.server._onReadyToSend(this);
  }

  // ---- files

  sendFile(path, onProgress) {
    return new Promise((resolve, reject) => {
      if (this.file !== null) {
        reject(failure(10037));
        return;
      }
      this.file = { resolve, reject, onProgress };
      this.native.sendFile(path);
    });
  }

  interrupt() {
    if (this.file !== null) this.native.interruptFile();
  }

  onFileProgress({ sent, total }) {
    this.file?.onProgress?.(sent, total);
  }

  onFileDone(interrupted, problem) {
    const { file } = this;
    this.file = null;
    if (file === null) return;
    if (problem !== null) file.reject(failure(numberOf(problem, 10022), problem.message));
    else if (interrupted === 1) file.reject(failure(10004));
    else file.resolve();
    this.onDrain();
    this.advance();
  }

  // ---- the end

  /** The program's wish; `linger`: what is queued still leaves. */
  disconnect(linger) {
    if (linger) this.native.finish(this.server._lingerTime());
    else this.native.close(true);
  }

  onError(arg, problem) {
    if (this.failedStatus !== 0) return;
    if (problem.code === 'ERR_C4TLS_IDLE_TIMEOUT') this.failedStatus = TIMED_OUT;
    else if (arg === 2) this.failedStatus = numberOf(problem, RESET);
    else this.failedStatus = this.connected ? ENCRYPTION : HANDSHAKE;
    this.failedText = arg === 2 || this.failedStatus === TIMED_OUT ? '' : problem.message;
  }

  /** `[status, text]` of the end. */
  status() {
    if (this.failedStatus === 0) return [0, describe(0)];
    const text = describe(this.failedStatus);
    return [this.failedStatus, this.failedText === '' ? text : `${text} ${this.failedText}`];
  }

  onClosed() {
    this.native.close();
    this.rejectWaiting(failure(this.failedStatus || RESET));
    this.file?.reject(failure(this.failedStatus || RESET));
    this.file = null;
    this.detach();
    // The program paused, and has not seen everything yet.
    if (this.held === null) this.finishClosing();
    else if (this.acceptData || !this.connected) this.closedLate = true;
    else this.finishClosing();
  }

  finishClosing() {
    this.server._onClosed(this);
  }
}

module.exports = { ConnectionHandle };
