'use strict';
// Argument checks with the texts of Node's own.
const { codes } = require('./errors');

const { ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE, ERR_SOCKET_BAD_PORT } = codes;

function boolean(value, name) {
  if (typeof value !== 'boolean') throw new ERR_INVALID_ARG_TYPE(name, 'boolean', value);
}

function string(value, name) {
  if (typeof value !== 'string') throw new ERR_INVALID_ARG_TYPE(name, 'string', value);
}

function func(value, name) {
  if (typeof value !== 'function') throw new ERR_INVALID_ARG_TYPE(name, 'Function', value);
}

function object(value, name) {
  if (value === null || Array.isArray(value) || typeof value !== 'object') {
    throw new ERR_INVALID_ARG_TYPE(name, 'Object', value);
  }
}

function array(value, name) {
  if (!Array.isArray(value)) throw new ERR_INVALID_ARG_TYPE(name, 'Array', value);
}

function bytes(value, name = 'buffer') {
  if (!ArrayBuffer.isView(value)) {
    throw new ERR_INVALID_ARG_TYPE(name, ['Buffer', 'TypedArray', 'DataView'], value);
  }
}

function number(value, name) {
  if (typeof value !== 'number') throw new ERR_INVALID_ARG_TYPE(name, 'number', value);
}

/** A whole number from `min` to `max`. */
function integer(value, name, min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER) {
  number(value, name);
  if (!Number.isInteger(value)) throw new ERR_OUT_OF_RANGE(name, 'an integer', value);
  if (value < min || value > max) throw new ERR_OUT_OF_RANGE(name, `>= ${min} && <= ${max}`, value);
}

function int32(value, name, min = -(2 ** 31), max = 2 ** 31 - 1) {
  integer(value, name, min, max);
}

/** 0 to 2^32 - 1, from 1 when `positive`. */
function uint32(value, name, positive = false) {
  integer(value, name, positive ? 1 : 0, 2 ** 32 - 1);
}

/** A port as number or numeric string; returns the number. */
function port(value, name = 'Port') {
  const ok = (typeof value === 'number' || (typeof value === 'string' && value.trim().length > 0)) &&
    +value === (+value >>> 0) && value <= 0xffff;
  if (!ok) throw new ERR_SOCKET_BAD_PORT(name, value);
  return value | 0;
}

module.exports = { array, boolean, bytes, func, int32, integer, number, object, port, string, uint32 };
