'use strict';
// Readings of one client: config('SSLNegotiatedVersion[connectionId]').
const { failure } = require('./errors');

const READINGS = new Map(Object.entries({
  SSLNegotiatedCipher: ({ native }) => native.getCipher()?.name ?? '',
  SSLNegotiatedCipherStrength: ({ native }) => String(native.getCipher()?.bits ?? ''),
  SSLNegotiatedCipherSuite: ({ native }) => native.getCipher()?.standardName ?? '',
  SSLNegotiatedKeyExchange: ({ native }) => native.getKeyExchange()?.name ?? '',
  SSLNegotiatedKeyExchangeStrength: ({ native }) => String(native.getKeyExchange()?.bits ?? ''),
  SSLNegotiatedVersion: ({ native }) => native.getProtocol() ?? '',
}).map(([name, read]) => [name.toLowerCase(), read]));

/** Whether a setting's name is that of a reading. */
function isReading(name) {
  return READINGS.has(name.toLowerCase());
}

/** What was negotiated with a client, as text. */
function negotiated(handle, name) {
  const read = READINGS.get(name.toLowerCase());
  if (read === undefined) throw failure(10022, `"${name}" is no setting of a connection.`);
  return read(handle);
}

module.exports = { isReading, negotiated };
