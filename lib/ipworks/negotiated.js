'use strict';
// Readings of one client: config('SSLNegotiatedVersion[connectionId]').
const { Certificate } = require('./certificate');
const { failure } = require('./errors');

// The least RSA key for which OpenSSL takes a Diffie-Hellman group, and the group's bits.
const AUTOMATIC_GROUPS = [[7680, 8192], [4096, 4096], [3072, 3072], [2048, 2048], [0, 1024]];

/** Bits of the server's own key. */
function keyBits(native) {
  const certificate = native.getCertificate();
  return certificate === null ? 0 : new Certificate(certificate).getPublicKeyLength();
}

/** `{ name, bits }`; groups have the names of TLS12SupportedGroups and TLS13SupportedGroups. */
function keyExchange(native) {
  const found = native.getKeyExchange();
  if (found === null) return { name: '', bits: '' };
  const { name, bits } = found;
  if (name === 'RSA') return { name, bits: keyBits(native) };
  if (name === 'DHE') {
    const key = keyBits(native);
    return { name, bits: AUTOMATIC_GROUPS.find(([least]) => key >= least)[1] };
  }
  const group = /^(?:x\d+|secp\w+)$/.test(name) ? `ecdhe_${name}` : name.replace(/^ffdhe/, 'ffdhe_');
  return { name: group, bits: bits ?? '' };
}

const READINGS = new Map(Object.entries({
  SSLNegotiatedCipher: (native) => native.getCipher()?.name ?? '',
  SSLNegotiatedCipherStrength: (native) => String(native.getCipher()?.bits ?? ''),
  SSLNegotiatedCipherSuite: (native) => native.getCipher()?.standardName ?? '',
  SSLNegotiatedKeyExchange: (native) => keyExchange(native).name,
  SSLNegotiatedKeyExchangeStrength: (native) => String(keyExchange(native).bits),
  SSLNegotiatedVersion: (native) => native.getProtocol() ?? '',
}).map(([name, read]) => [name.toLowerCase(), read]));

/** Whether a setting's name is that of a reading. */
function isReading(name) {
  return READINGS.has(name.toLowerCase());
}

/** What was negotiated with a client, as text. */
function negotiated({ native }, name) {
  const read = READINGS.get(name.toLowerCase());
  if (read === undefined) throw failure(10022, `"${name}" is no setting of a connection.`);
  return read(native);
}

module.exports = { isReading, negotiated };
