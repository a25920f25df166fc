'use strict';
// Arguments as Lua drivers give them: trailing ones may be missing, numbers may be text. What is thrown here becomes
// [false, message], so it never repeats an argument that may be secret.
const { inspect } = require('util');
const { toBytes } = require('../core/bytes');

const EMPTY = Buffer.alloc(0);

function refuse(text) {
  throw new Error(text);
}

const isMissing = (value) => value === undefined || value === null;

/** A whole number from 0 to `most`, or null. Text counts as the number it shows, as in Lua. */
function wholeNumber(value, most) {
  const number = typeof value === 'string' && /^\s*\d+\s*$/.test(value) ? Number(value) : value;
  return Number.isInteger(number) && number >= 0 && number <= most ? number : null;
}

function readPort(value) {
  return wholeNumber(value, 0xffff) ??
    refuse(`port must be a whole number from 0 to 65535, not ${inspect(value, { depth: 0 })}`);
}

/** A bit mask; 0, missing and empty stand for `standard`. */
function readBits(value, name, standard, known) {
  const bits = isMissing(value) || value === '' ? 0 : wholeNumber(value, 2 ** 31 - 1) ??
    refuse(`${name} must be a whole number, not ${inspect(value, { depth: 0 })}`);
  if ((bits & ~known) !== 0) refuse(`${name} has unknown bits: 0x${(bits & ~known).toString(16)}`);
  return bits === 0 ? standard : bits;
}

/** Text or bytes as a Buffer, which is empty for what is missing. */
function readBytes(value, name, encoding = 'utf8') {
  if (isMissing(value)) return EMPTY;
  if (typeof value === 'string') return Buffer.from(value, encoding);
  return ArrayBuffer.isView(value) ? toBytes(value) : refuse(`${name} must be a string or a Buffer`);
}

function readText(value, name) {
  if (isMissing(value)) return '';
  return typeof value === 'string' ? value : refuse(`${name} must be a string`);
}

/** What a connection gets: bytes, text, or a number, which Lua takes for text. Null for anything else. */
function readPayload(value, encoding) {
  if (Buffer.isBuffer(value)) return value;
  if (typeof value === 'string') return Buffer.from(value, encoding);
  if (typeof value === 'number') return Buffer.from(String(value), 'latin1');
  return ArrayBuffer.isView(value) ? toBytes(value) : null;
}

module.exports = { readBits, readBytes, readPayload, readPort, readText, refuse, wholeNumber };
