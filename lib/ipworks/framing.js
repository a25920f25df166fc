'use strict';
// How a connection's bytes become DataIn events.
const { failure } = require('./errors');

const MIN_LINE_LENGTH = 256;
const MAX_LENGTH = 2 ** 31 - 1;

/** The settings of one connection; those of new ones are the component's defaults. */
class Framing {
  constructor({ eol = Buffer.alloc(0), singleLineMode = false, maxLineLength = 2048, recordLength = 0 } = {}) {
    this.eol = eol;
    this.singleLineMode = singleLineMode;
    this.maxLineLength = maxLineLength;
    this.recordLength = recordLength;
  }

  /** For the native side: records before lines before EOL. */
  native() {
    if (this.recordLength > 0) return { kind: 'record', length: this.recordLength };
    if (this.singleLineMode) return { kind: 'lines', limit: this.maxLineLength };
    if (this.eol.length === 0) return { kind: 'chunks' };
    return { kind: 'delimiter', delimiter: this.eol, keep: false, limit: this.maxLineLength, failOnOverflow: false };
  }
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

module.exports = { Framing, checkLineLength, checkRecordLength };
