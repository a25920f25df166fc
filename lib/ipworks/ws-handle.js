'use strict';
// One client of WSServer as the native side has it: its opening request, messages, pings, and the end.
const { kinds } = require('../core/events');
const { ConnectionHandle, afterPromises } = require('./connection-handle');
const { Cutter } = require('./cutter');
const { failure } = require('./errors');
const { MessageSender } = require('./message-sender');
const { UNOPENED } = require('./ws-connection');

/** MESSAGE's argument, as bits. */
const LAST = 1;
const TEXT = 2;
const FIRST = 4;

/** DataIn's dataFormat. */
const CONTINUATION = 0;
const FORMAT_TEXT = 1;
const FORMAT_BINARY = 2;

const ABNORMAL = 1006;
const SEND_FAILED = 4202;
const NO_BUFFER = 10055;
const TIMED_OUT = 10060;
const MESSAGE_TOO_LONG = 10040;
const MAX_CONTROL = 125;
const BROKEN = 'ERR_C4TLS_WEBSOCKET';
const TOO_MANY = 'ERR_C4TLS_TOO_MANY_PINGS';

/** Why the native side has not taken a ping or pong, as a numbered error. */
function refusal(error) {
  return failure(error.code === TOO_MANY ? NO_BUFFER : SEND_FAILED, error.message, { cause: error });
}

class WebSocketHandle extends ConnectionHandle {
  #pings = new Map();        // of ours that wait: by number, { resolve, reject, timer }
  #complaint = null;         // what the client did wrong, until the code is known
  #owesClose = false;        // the client has sent its Close, and ours has not followed
  // In LineMode: how many bytes the cutter was given, and the parts of messages that they were: { begin, end, mark }.
  #given = 0;
  #parts = [];

  constructor(server, native, id, listening) {
    super(server, native, id, listening, 'WSSERVERCONNECTION');
    this.isSecure = false;
    this.answered = 0;         // status of the answer to the opening request
    this.lineMode = false;
    this.dataFormat = 0;
    this.request = UNOPENED;
    this.closeStatus = null;   // [code, reason] when the end is known
  }

  makeSender(timeout, limit, onReady) {
    return new MessageSender(this.native, timeout, limit, onReady, () => this.server._maxFrameSize());
  }

  onEvent(kind, arg, payload) {
    switch (kind) {
      case kinds.MESSAGE: this.onMessage(payload ?? Buffer.alloc(0), arg); break;
      case kinds.UPGRADE: this.onUpgrade(JSON.parse(payload.toString())); break;
      case kinds.OPEN: this.onOpen(); break;
      case kinds.PING_IN: this.server._onPing(this, payload ?? Buffer.alloc(0), false); break;
      case kinds.PONG_IN: this.onPong(arg, payload ?? Buffer.alloc(0)); break;
      case kinds.CLOSE_IN: this.onCloseFrame(arg, payload === null ? '' : payload.toString()); break;
      default: super.onEvent(kind, arg, payload);
    }
  }

  // ---- opening

  onSecure() {
    if (this.isSecure) return;     // a renegotiation
    this.isSecure = true;
    this.learnAddresses();
    this.server._onSecure(this);
  }

  onUpgrade(request) {
    const extensions = request.extensions.join(', ');
    this.request = { ...request, origin: request.origin ?? '', extensions };
    this.server._onUpgrade(this, this.request);
  }

  /** The program has decided. */
  onAnswered(status) {
    this.answered = status;
    this.server._onAnswered(this, status);
  }

  onOpen() {
    this.connected = this.sender.isReady = true;
    this.pumping = true;           // data comes behind what is told of the connection
    this.server._onOpen(this);
  }

  // ---- what comes

  onMessage(bytes, mark) {
    if (this.#pings.size > 0) this.#refreshPings();
    return super.onMessage(bytes, mark);
  }

  deliver(bytes, mark) {
    const format = (mark & FIRST) === 0 ? CONTINUATION : (mark & TEXT) === 0 ? FORMAT_BINARY : FORMAT_TEXT;
    this.server._onMessage(this, bytes, format, (mark & LAST) !== 0, false, (mark & TEXT) !== 0);
  }

  deliverCut({ bytes, ended, mark }) {
    const taken = this.#given - this.cutter.length;
    const begin = taken - mark - bytes.length;
    const first = this.#parts.find(({ end }) => end > begin) ?? this.#parts[0];
    const isText = first !== undefined && (first.mark & TEXT) !== 0;
    // Whether a message ended with the line, or with the mark behind it.
    let isLast = false;
    while (this.#parts.length > 0 && this.#parts[0].end <= taken) {
      const part = this.#parts.shift();
      isLast ||= (part.mark & LAST) !== 0 && part.end > begin && part.end >= taken - mark;
    }
    this.server._onMessage(this, bytes, CONTINUATION, isLast, ended, isText);
  }

  uncut(bytes, mark) {
    const begin = this.#given;
    this.#given += bytes.length;
    const before = this.#parts.at(-1);
    // Parts without bytes may end a message, and are no lines; a client may send any number of them.
    if (bytes.length === 0 && before?.end === begin) before.mark |= mark & LAST;
    else this.#parts.push({ begin, end: this.#given, mark });
    return bytes;
  }

  // The bytes that are no line yet, as parts of their messages.
  #uncutRest() {
    const rest = this.cutter.next()?.bytes ?? Buffer.alloc(0);
    const offset = this.#given - rest.length;
    for (const { begin, end, mark } of this.#parts.splice(0)) {
      const bytes = rest.subarray(Math.max(0, begin - offset), Math.max(0, end - offset));
      const ended = begin < offset ? mark & ~FIRST : mark;
      if (bytes.length > 0 || (ended & LAST) !== 0) this.held.push({ bytes, ended });
    }
  }

  /** Lines, or messages, from what was not given yet. */
  changeLineMode(on) {
    if (on === this.lineMode) return;
    this.lineMode = this.framing.singleLineMode = on;
    if (on) {
      this.cutter = new Cutter(this.framing);
      for (const { bytes, ended } of this.held) this.cutter.push(this.uncut(bytes, ended));
      this.held = [];
      if (this.closed) this.cutter.finish();
    } else {
      this.#uncutRest();
      this.cutter = null;
    }
    this.pumpLater();
  }

  set maxLineLength(length) {
    this.framing.maxLineLength = length;
    this.cutter?.reframe();
  }

  // ---- pings

  /** Resolves with the pong, or, without a timeout, at once. */
  ping() {
    let number;
    try {
      number = this.native.ping(null);
    } catch (error) {
      return Promise.reject(refusal(error));
    }
    const { timeout } = this.sender;
    if (timeout === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pings.delete(number);
        reject(failure(TIMED_OUT));
      }, timeout * 1000);
      this.#pings.set(number, { resolve, reject, timer });
    });
  }

  /** A ping, or a pong that nobody asked for, with a payload. */
  sendControl(isPing, payload) {
    if (payload.length > MAX_CONTROL) throw failure(MESSAGE_TOO_LONG, `A ping or pong has at most ${MAX_CONTROL} bytes.`);
    try {
      if (isPing) this.native.ping(payload);
      else this.native.pong(payload);
    } catch (error) {
      throw refusal(error);
    }
  }

  // Who answers a ping need not answer those before it.
  onPong(number, payload) {
    for (const [sent, { resolve, timer }] of this.#pings) {
      if (sent > number) break;
      this.#pings.delete(sent);
      clearTimeout(timer);
      resolve();
    }
    this.server._onPing(this, payload, true);
  }

  // A client that sends is alive.
  #refreshPings() {
    for (const { timer } of this.#pings.values()) timer.refresh();
  }

  #endPings(error) {
    for (const { reject, timer } of this.#pings.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#pings.clear();
  }

  // ---- the end

  disconnect() {
    if (!this.connected || this.closed) {
      super.disconnect();
      return;
    }
    if (this.leaving) return;
    this.abandonInput();
    // Behind what the program has paused is the client's answer.
    if (!this.acceptData) this.native.readStart();
    const { code, reason, wait } = this.server._farewell(this);
    this.sender.close();
    this.native.closeWebSocket(code, reason, wait);
    if (wait === 0) this.closeStatus ??= [code, reason];
  }

  onCloseFrame(code, reason) {
    this.closeStatus ??= [code, reason];
    this.#owesClose = true;
    if (!this.pumping) afterPromises(() => this.#answerClose());
    if (this.#complaint === null) return;
    this.server._onViolation(this, code, this.#complaint);
    this.#complaint = null;
  }

  // What the program sends in answer to earlier messages leaves before our Close frame.
  #answerClose() {
    if (!this.#owesClose || this.pumping || this.closed) return;
    this.#owesClose = false;
    this.sender.close();
    this.native.answerClose();
  }

  pump() {
    super.pump();
    this.#answerClose();
  }

  // The native side ends by itself.
  onEnd() {
    this.cutter?.finish();
    this.pump();
  }

  onError(arg, problem) {
    if (problem.code === BROKEN) this.#complaint = problem.message;
    else super.onError(arg, problem);
  }

  status() {
    return this.closeStatus ?? [ABNORMAL, this.failedText];
  }

  onClosed(lossy) {
    this.#endPings(this.sender._lost());
    super.onClosed(lossy);
  }
}

module.exports = { WebSocketHandle };
