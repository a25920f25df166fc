'use strict';
// How a connection's bytes become DataIn events.
const { failure } = require('./errors');

const MIN_LINE_LENGTH = 256;
const MAX_LENGTH = 2 ** 31 - 1;
const CR = 0x0d;
const LF = 0x0a;

/** The settings of one connection; those of new ones are the component's defaults. */
class Framing {
  constructor({ eol = Buffer.alloc(0), singleLineMode = false, maxLineLength = 2048, recordLength = 0,
    wholeCharacters = false } = {}) {
    this.eol = eol;
    this.singleLineMode = singleLineMode;
    this.maxLineLength = maxLineLength;
    this.recordLength = recordLength;
    this.wholeCharacters = wholeCharacters;    // a line that is too long is not cut within a character of UTF-8
  }

  /** Records before lines before EOL. */
  get kind() {
    if (this.recordLength > 0) return 'record';
    if (this.singleLineMode) return 'lines';
    return this.eol.length === 0 ? 'chunks' : 'delimiter';
  }

  /** For the native side. Lines keep their ends, so that `uncut` knows which they were. */
  native() {
    const { kind } = this;
    switch (kind) {
      case 'record': return { kind, length: this.recordLength };
      case 'lines': return { kind, keep: true, limit: this.maxLineLength };
      case 'delimiter': return { kind, delimiter: this.eol, keep: false, limit: this.maxLineLength };
      default: return { kind };
    }
  }
}

/** A line without its end. */
function lineOf(bytes) {
  const { length } = bytes;
  const crlf = length > 1 && bytes[length - 1] === LF && bytes[length - 2] === CR;
  return bytes.subarray(0, length - (crlf ? 2 : 1));
}

/** A MaxLineLength, or an error. */
function checkLineLength(value) {
  if (Number.isInteger(value) && value >= MIN_LINE_LENGTH && value <= MAX_LENGTH) return value;
  throw failure(10022, `MaxLineLength must be a whole number from ${MIN_LINE_LENGTH} to ${MAX_LENGTH}.`);
}

/** A RecordLength, or an error. */
function checkRecordLength(value) {
  if (Number.isInteger(value) && value >= 0 && value <= MAX_LENGTH) return value;
  throw failure(10022, `RecordLength must be a whole number from 0 to ${MAX_LENGTH}.`);
}

module.exports = { Framing, checkLineLength, checkRecordLength, lineOf };
