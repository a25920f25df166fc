'use strict';
// What listeners get: one object, whose fields cannot be changed but for the few that ask something.
const { inspect } = require('util');
const binding = require('../core/binding');

const UTF8 = 65001;

/** Bytes as text of a code page. */
function decode(bytes, codePage) {
  return codePage === UTF8 ? bytes.toString() : binding.decodeText(codePage, bytes);
}

/** Text as bytes of a code page. */
function encode(text, codePage) {
  return codePage === UTF8 ? Buffer.from(text) : binding.encodeText(codePage, text);
}

const SCRATCH = Buffer.allocUnsafeSlow(64 * 1024);
const MOST_BYTES = 3;        // of a UTF-16 unit in UTF-8

/**
 * `text` and `end` as bytes of a code page, which the next call may write over: what is sent at once needs no buffer of
 * its own.
 */
function encodeBriefly(text, end, codePage) {
  const fits = MOST_BYTES * (text.length + end.length) <= SCRATCH.length;
  if (codePage !== UTF8 || !fits) return encode(text + end, codePage);
  const length = SCRATCH.write(text);
  return SCRATCH.subarray(0, length + (end === '' ? 0 : SCRATCH.write(end, length)));
}

/** The argument of DataIn. Its text is decoded when somebody asks. */
class DataInEvent {
  #connectionId;
  #bytes;
  #ended;
  #codePage;
  #text = null;

  constructor(connectionId, bytes, ended, codePage) {
    this.#connectionId = connectionId;
    this.#bytes = bytes;
    this.#ended = ended;
    this.#codePage = codePage;
  }

  get connectionId() { return this.#connectionId; }
  get text() { return this.#text ??= decode(this.#bytes, this.#codePage); }
  get textB() { return this.#bytes; }
  get EOL() { return this.#ended; }

  toJSON() {
    return { connectionId: this.#connectionId, text: this.text, EOL: this.#ended };
  }

  [inspect.custom]() {
    return this.toJSON();
  }
}

/** The argument of WSServer's DataIn. */
class MessageInEvent extends DataInEvent {
  #dataFormat;
  #isLast;

  constructor(connectionId, bytes, endsLine, codePage, dataFormat, isLast) {
    super(connectionId, bytes, endsLine, codePage);
    this.#dataFormat = dataFormat;
    this.#isLast = isLast;
  }

  get dataFormat() { return this.#dataFormat; }
  get EOM() { return this.#isLast; }

  toJSON() {
    return { ...super.toJSON(), dataFormat: this.#dataFormat, EOM: this.#isLast };
  }
}

/**
 * The argument of another event.
 * @param {object} fields that cannot be changed
 * @param {object} [answers] fields that the listener may change
 */
function eventObject(fields, answers) {
  const made = { ...answers };
  for (const [name, value] of Object.entries(fields)) {
    Object.defineProperty(made, name, { value, enumerable: true });
  }
  return made;
}

module.exports = { DataInEvent, MessageInEvent, decode, encode, encodeBriefly, eventObject };
