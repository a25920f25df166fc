'use strict';
// One client as the native side has it: its events, one after another.
const { Target } = require('../core/dispatch');
const { kinds } = require('../core/events');
const { plainAddress } = require('../core/plain-address');
const { Cutter } = require('./cutter');
const { describe, numberOf } = require('./errors');
const { Framing, lineOf } = require('./framing');
const { Sender } = require('./sender');

const ABORTED = 10053;
const RESET = 10054;
const TIMED_OUT = 10060;
const HANDSHAKE = 276;
const REFUSED = 280;
const NO_CERTIFICATE = 281;
const DECRYPTION = 284;
/** ERROR's argument when a system call failed. */
const SYSTEM = 2;

const TIMEOUTS = new Set(['ERR_C4TLS_IDLE_TIMEOUT', 'ERR_TLS_HANDSHAKE_TIMEOUT']);
const EMPTY = Buffer.alloc(0);
const NOW = Promise.resolve();
// Messages of one connection, one behind the promise jobs of the other, before others have their turn.
const IN_A_ROW = 64;

const json = (payload) => JSON.parse(payload.toString());
const endpoint = (found) => ({ address: plainAddress(found?.address), port: found?.port ?? 0 });

/** Runs `act` when the promise jobs of this event have run: whoever awaits one event then hears of the next. */
function afterPromises(act) {
  // queueMicrotask() would make an AsyncResource of its own for each.
  NOW.then(() => process.nextTick(act));
}

class ConnectionHandle extends Target {
  /**
   * @param {object} server that is told: see socket-server.js
   * @param {object} native
   * @param {number} id of it
   * @param {import('./listening').ListeningHandle} listening where it came from
   * @param {string} [type] name of the async resource
   */
  constructor(server, native, id, listening, type = 'SSLSERVERCONNECTION') {
    super(type);
    const { framing, idleTimeout, timeout, linger } = listening.defaultsOf(native);
    this.listening = listening;
    this.server = server;          // null when the end has been told
    this.native = native;
    this.framing = new Framing(framing);
    this.idleTimeout = idleTimeout;
    this.linger = linger;          // a disconnection lets what is queued leave
    this.kind = framing.kind;      // how the native side cuts
    this.eol = framing.eol;
    this.connectionId = String(id);
    this.connected = false;
    this.leaving = false;          // the program has disconnected it
    this.failedStatus = 0;         // number of the error that ended it
    this.failedText = '';
    this.acceptData = true;
    this.isPaused = false;         // by the program, not for a loop that is behind
    this.held = [];                // messages that wait: the program has paused, or others come first
    this.cutter = null;            // from when the program has changed the framing
    this.pumping = false;          // the next message comes when promise jobs have run
    this.pumpNow = null;           // made when it is needed
    this.row = 0;                  // so many without a turn of the event loop
    this.told = 0;                 // the wake in which the last message was given at once
    this.ending = false;           // the client sends no more
    this.closed = false;
    this.local = this.remote = endpoint();
    this.refusal = REFUSED;        // its number, when the client is refused for its certificate
    this.sender = this.makeSender(timeout, () => server._sendLimit(), () => this.server?._onReadyToSend(this));
    this.public = null;            // the Connection that programs see
    this.reader = null;            // of `for await`
    this.paced = false;            // see onMessage
    this.attach(id);
  }

  makeSender(timeout, limit, onReady) {
    return new Sender(this.native, timeout, limit, onReady);
  }

  onEvent(kind, arg, payload) {
    switch (kind) {
      case kinds.MESSAGE: this.onMessage(payload ?? EMPTY, (arg & 1) !== 0); break;
      case kinds.DRAIN: this.sender.onDrain(); break;
      case kinds.SECURE: this.onSecure(); break;
      case kinds.EOF: this.onEnd(); break;
      case kinds.ERROR: this.onError(arg, json(payload)); break;
      case kinds.CLOSED: this.onClosed(arg === 1); break;
      case kinds.CERTIFICATE: this.server._onCertificateWanted(this, json(payload)); break;
      case kinds.CLIENT_CERTIFICATE: this.onClientCertificate(json(payload)); break;
      case kinds.RENEGOTIATION: this.native.answerRenegotiation(); break;
      case kinds.KEYLOG: this.server._onKeylog(payload); break;
      case kinds.TRACE: this.server._onTrace(this, payload.toString().trimEnd()); break;
      case kinds.STALLED: this.sender.onStalled(); break;
      case kinds.FILE_PROGRESS: this.sender.onFileProgress(json(payload)); break;
      case kinds.FILE_DONE: this.sender.onFileDone(arg === 1, payload === null ? null : json(payload)); break;
    }
  }

  onSecure() {
    if (this.connected) return;    // a renegotiation
    this.learnAddresses();
    this.connected = this.sender.isReady = true;
    // Data comes behind what is told of the connection.
    this.pumping = true;
    this.server._onSecure(this);
  }

  // They are known beyond the socket's end.
  learnAddresses() {
    this.local = endpoint(this.native.getsockname());
    this.remote = endpoint(this.native.getpeername());
  }

  /** Data may come. */
  begin() {
    this.pumping = false;
    this.pump();
  }

  onClientCertificate(verdict) {
    if (!verdict.present) this.refusal = NO_CERTIFICATE;
    this.server._onClientCertificate(this, verdict);
  }

  // ---- what comes

  onMessage(bytes, ended) {
    if (this.leaving) return;
    if (this.cutter === null && this.acceptData && !this.pumping && this.held.length === 0) {
      if (this.told !== this.wake) {
        this.told = this.wake;
        this.deliver(bytes, ended);
        return;
      }
      // Another one in the same wake: promise jobs of the first have not run.
      this.pumpLater();
    }
    if (this.cutter === null) this.held.push({ bytes, ended });
    else this.cutter.push(this.uncut(bytes, ended));
    this.pump();
  }

  // As the native side has cut it.
  deliver(bytes, ended) {
    const isLine = ended && this.kind === 'lines';
    this.server._onMessage(this, isLine ? lineOf(bytes) : bytes, ended || this.kind === 'chunks');
  }

  // As the cutter has.
  deliverCut({ bytes, ended }) {
    this.server._onMessage(this, bytes, ended);
  }

  // The bytes that the native side made a message of.
  uncut(bytes, ended) {
    return ended && this.kind === 'delimiter' ? Buffer.concat([bytes, this.eol]) : bytes;
  }

  /** The framing has changed. What was not given yet is cut by the new one. */
  reframe() {
    if (this.cutter !== null) {
      this.cutter.reframe();
    } else {
      this.cutter = new Cutter(this.framing);
      for (const { bytes, ended } of this.held) this.cutter.push(this.uncut(bytes, ended));
      this.held = [];
      if (this.kind !== 'chunks' && !this.closed) this.native.setFraming({ kind: 'chunks' });
      if (this.closed) this.cutter.finish();
    }
    this.pumpLater();
  }

  /** The program's wish. */
  pause() {
    this.isPaused = true;
    this.hold();
  }

  resume() {
    this.isPaused = false;
    this.release();
  }

  /** Nothing is delivered or read. */
  hold() {
    this.acceptData = false;
    this.native.readStop();
  }

  /** What was held back is delivered first; unless the program has paused it. */
  release() {
    if (this.acceptData || this.isPaused) return;
    this.acceptData = true;
    this.native.readStart();
    this.pumpLater();
  }

  pumpLater() {
    if (this.pumping) return;
    this.pumping = true;
    this.pumpNow ??= () => {
      this.pumping = false;
      this.runInAsyncScope(this.pump, this);
    };
    this.row = (this.row + 1) % IN_A_ROW;
    if (this.row === 0) setImmediate(this.pumpNow);
    else afterPromises(this.pumpNow);
  }

  /** Bytes have come that are not given yet. */
  hasData() {
    return this.isWaiting() || (!this.closed && this.native.hasPartial());
  }

  isWaiting() {
    return this.cutter === null ? this.held.length > 0 : !this.cutter.isEmpty;
  }

  // Delivers one message that waits; others, and the end behind them, when promise jobs have run.
  pump() {
    if (this.pumping || this.server === null) return;
    if (!this.isWaiting()) {
      this.row = 0;
      if (this.closed) this.server._onClosed(this);
      else if (this.ending) this.finish();
      return;
    }
    if (!this.acceptData) return;
    if (this.cutter === null) {
      this.pumpLater();
      const { bytes, ended } = this.held.shift();
      this.deliver(bytes, ended);
      return;
    }
    const message = this.cutter.next();
    if (message === null) return;
    this.pumpLater();
    this.deliverCut(message);
  }

  // ---- the end

  /** The program's wish. */
  disconnect() {
    this.abandonInput();
    if (this.closed) {
      this.pumpLater();
    } else if (this.linger && this.connected) {
      this.finish();
    } else {
      this.native.close(true);
    }
  }

  // Nobody asks for what has come.
  abandonInput() {
    this.leaving = true;
    this.held = [];
    this.cutter = null;
  }

  // The client sends no more. What it has sent is given first, and answered.
  onEnd() {
    this.ending = true;
    this.cutter?.finish();
    this.pump();
  }

  // What is queued still leaves.
  finish() {
    this.ending = false;
    this.sender.close();
    this.native.finish(this.server._lingerTime());
  }

  onError(arg, { code, message, ...rest }) {
    if (this.failedStatus !== 0) return;
    if (TIMEOUTS.has(code)) this.failedStatus = TIMED_OUT;
    else if (arg === SYSTEM) this.failedStatus = numberOf({ code, ...rest }, RESET);
    else if (code === 'ERR_C4TLS_CLIENT_CERTIFICATE') this.failedStatus = this.refusal;
    else this.failedStatus = this.connected ? DECRYPTION : HANDSHAKE;
    this.failedText = arg === SYSTEM || this.failedStatus === TIMED_OUT ? '' : message;
  }

  /** `[status, text]` of the end. */
  status() {
    // One that ends in its handshake has not connected.
    const status = this.failedStatus || (this.connected ? 0 : this.leaving ? ABORTED : RESET);
    return [status, this.failedText === '' ? describe(status) : `${describe(status)} ${this.failedText}`];
  }

  // `lossy`: the client took nothing of the last for too long.
  onClosed(lossy) {
    this.closed = true;
    this.native.close();           // lets the native session go
    this.sender.end(this.failedStatus || (lossy ? TIMED_OUT : 0));
    this.detach();
    this.cutter?.finish();
    // What the program has paused comes first.
    this.pump();
  }
}

module.exports = { ConnectionHandle, afterPromises };
