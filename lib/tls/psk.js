'use strict';
// Pre-shared keys: the native handshake is parked until the program's pskCallback has answered. A method of TLSSocket.
const check = require('../core/validate');
const { toBytes } = require('../core/bytes');
const { codes } = require('../core/errors');
const { kPskCallback } = require('./symbols');

const { ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE } = codes;

// OpenSSL's, in bytes.
const MAX_KEY = 512;
const MAX_IDENTITY = 256;

function checkLength(value, length, limit, name, what) {
  if (length > limit) throw new ERR_INVALID_ARG_VALUE(name, value, `${what} exceeds ${limit} bytes`);
}

// The key as bytes, or undefined.
function serverKey(socket, identity) {
  const given = socket[kPskCallback](socket, identity);
  if (given === undefined || given === null) return undefined;
  let key = given;
  if (!ArrayBuffer.isView(given)) {
    if (typeof given !== 'object') {
      throw new ERR_INVALID_ARG_TYPE('ret', ['Object', 'Buffer', 'TypedArray', 'DataView'], given);
    }
    key = given.psk;
    check.bytes(key, 'psk');
  }
  checkLength(key, key.byteLength, MAX_KEY, 'psk', 'Pre-shared key');
  return key;
}

// { psk, identity } or undefined.
function clientKey(socket, hint) {
  const given = socket[kPskCallback](hint);
  if (given === undefined || given === null) return undefined;
  check.object(given, 'ret');
  const { psk, identity } = given;
  check.bytes(psk, 'psk');
  checkLength(psk, psk.byteLength, MAX_KEY, 'psk', 'Pre-shared key');
  check.string(identity, 'identity');
  checkLength(identity, Buffer.byteLength(identity), MAX_IDENTITY, 'identity', 'PSK identity');
  return { psk, identity };
}

// The first of the identities that has a key, as OpenSSL looks for it.
function findKey(socket, identities) {
  for (const identity of identities) {
    const psk = serverKey(socket, identity);
    if (psk?.byteLength > 0) return { psk, identity };
    if (!socket._handle) return undefined;
  }
  return undefined;
}

// A key is wanted: { identities } of a server, { hint } of a client.
function _onPskWanted({ identities, hint }) {
  let found;
  try {
    found = identities ? findKey(this, identities) : clientKey(this, hint);
  } catch (error) {
    this.destroy(error);
    return;
  }
  // The callback may have destroyed the socket.
  this._handle?.native.answerPsk(found?.identity, found && toBytes(found.psk));
}

module.exports = { _onPskWanted };
