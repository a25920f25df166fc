'use strict';
// What is sent to one client of WSServer: bytes as messages. Without a Timeout a message has at most MaxFrameSize
// bytes, and what is longer leaves as several; with one it leaves whole, in frames of that size.
const binding = require('../core/binding');
const { failure } = require('./errors');
const { Sender } = require('./sender');
const { wholeCharacters } = require('./values');

const SEND_FAILED = 4202;
const IN_PROGRESS = 10037;
const EMPTY = Buffer.alloc(0);
/** Bytes of the longest character of UTF-8: a text has at least one, be it in several frames. */
const CHARACTER = 4;
/** Flags of a message on its way out. */
const LAST = 1;
const TEXT = 2;

/** What the bytes of a send are: its `form`. */
const AS_TEXT = true;
const AS_BINARY = false;

class MessageSender extends Sender {
  #maxFrame;             // gives MaxFrameSize
  #hasBegun = false;     // a message of messageLength bytes is under way
  #isText = AS_BINARY;   // and of this kind

  /** @param {() => number} maxFrame most bytes of a message without a Timeout */
  constructor(native, timeout, limit, onReady, maxFrame) {
    super(native, timeout, limit, onReady);
    this.#maxFrame = maxFrame;
    this.messageLength = 0;    // bytes that the message under way or the next one still misses; 0: a send is a message
  }

  /** The next so many bytes are one message; 0: every send is one. */
  beginMessage(length) {
    if (this.#hasBegun) throw this.#underWay();
    this.messageLength = length;
  }

  _put(job, limit, whole) {
    if (this.timeout > 0 || whole) return this.#message(job, limit);
    let taken = 0;
    do {
      const length = this.messageLength > 0 ? this.#part(job, limit) : this.#piece(job, limit);
      if (length < 0) return length;
      if (length === 0 && !job.taken) break;
      taken += length;
    } while (!job.taken);
    return taken;
  }

  _lost() {
    return failure(SEND_FAILED);
  }

  _noFile() {
    return this.#hasBegun ? this.#underWay() : this._lost();
  }

  #underWay() {
    return failure(IN_PROGRESS, `MessageLength: ${this.messageLength} bytes are missing.`);
  }

  // All of it as one message.
  #message(job, limit) {
    return this.#give(job, job.bytes.length, LAST, job.form, limit);
  }

  // A message of its own.
  #piece(job, limit) {
    const { bytes, form } = job;
    let length = Math.min(bytes.length, Math.max(this.#maxFrame(), form === AS_TEXT ? CHARACTER : 1));
    if (form === AS_TEXT && length < bytes.length) length = wholeCharacters(bytes.subarray(0, length)) || length;
    return this.#give(job, length, LAST, form, limit);
  }

  // A part of the message of messageLength bytes.
  #part(job, limit) {
    if (job.bytes.length === 0) {
      job.taken = true;
      return 0;
    }
    if (!this.#hasBegun) this.#isText = job.form;
    const length = Math.min(job.bytes.length, this.#maxFrame(), this.messageLength);
    const isLast = length === this.messageLength;
    const given = this.#give(job, length, isLast ? LAST : 0, this.#isText, limit);
    if (given > 0) {
      this.messageLength -= given;
      this.#hasBegun = !isLast;
    }
    return given;
  }

  #give(job, length, flags, isText, limit) {
    const { bytes } = job;
    const all = length === bytes.length;
    const answer = binding.sendMessage(this._id, all ? bytes : bytes.subarray(0, length),
      flags | (isText ? TEXT : 0), limit);
    if (answer < 0 || answer < length) return answer;
    job.bytes = all ? EMPTY : bytes.subarray(length);
    job.taken = all;
    return length;
  }
}

module.exports = { AS_BINARY, AS_TEXT, LAST, MessageSender, TEXT };
