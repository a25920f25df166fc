'use strict';
// The global is looked up anew with every use.
const { Buffer } = require('buffer');

/** A Buffer of what a program may give as bytes: text as UTF-8, views as they are. */
function toBytes(value) {
  if (typeof value === 'string') return Buffer.from(value);
  if (Buffer.isBuffer(value)) return value;
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return Buffer.from(value);
}

module.exports = { toBytes };
