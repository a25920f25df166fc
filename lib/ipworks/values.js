'use strict';
// Checks of what programs give as properties and arguments.
const { toBytes } = require('../core/bytes');
const { failure } = require('./errors');

const INVALID_ARGUMENT = 10022;

const invalid = (name, expected) => failure(INVALID_ARGUMENT, `${name} must be ${expected}.`);

/** A whole number from `min` to `max`. */
function whole(value, name, min, max) {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw invalid(name, `a whole number from ${min} to ${max}`);
}

const SECONDS = 2 ** 31 / 1000 | 0;

/** A whole number of seconds, which as milliseconds is still one of 32 bits. */
function seconds(value, name) {
  return whole(value, name, 0, SECONDS);
}

function flag(value, name) {
  if (typeof value === 'boolean') return value;
  throw invalid(name, 'true or false');
}

function text(value, name) {
  if (typeof value === 'string') return value;
  throw invalid(name, 'a string');
}

/** Bytes as a Buffer: a view as it is, text as UTF-8. */
function bytes(value, name) {
  if (typeof value === 'string' || ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return toBytes(value);
  throw invalid(name, 'a Uint8Array or a string');
}

/** The same, but a copy: what the program does with its own later changes nothing. */
function copied(value, name) {
  return Buffer.from(bytes(value, name));
}

// The native side's limit.
const MAX_EOL = 65536;

/** An end-of-line string; empty for none. */
function eol(value, name) {
  const found = copied(value, name);
  if (found.length <= MAX_EOL) return found;
  throw invalid(name, `at most ${MAX_EOL} bytes`);
}

/** How many bytes of UTF-8 there are up to the last character that is complete. */
function wholeCharacters(utf8) {
  const { length } = utf8;
  for (let back = 1; back <= Math.min(4, length); back++) {
    const byte = utf8[length - back];
    if ((byte & 0xc0) === 0x80) continue;
    const size = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return size > back ? length - back : length;
  }
  return length;
}

module.exports = { bytes, copied, eol, flag, invalid, seconds, text, whole, wholeCharacters };
