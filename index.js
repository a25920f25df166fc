'use strict';
// The package's public module: Node's `tls`, and what it has beyond that.
const binding = require('./lib/core/binding');
const check = require('./lib/core/validate');
const { codes } = require('./lib/core/errors');
const tls = require('./lib/tls');

/** Longest validity in days: the year stays below 10000, where X.509 dates end. */
const MAX_DAYS = 365_000;

/**
 * Makes a self-signed certificate for development and tests.
 * @param {object} [options]
 * @param {string[]} [options.names] host names and IP addresses; default ['localhost', '127.0.0.1', '::1']
 * @param {number} [options.days] validity in days from now, 1 to 365000; default 30
 * @param {string} [options.keyType] 'ec' (P-256), 'rsa' (2048 bits) or 'ed25519'; default 'ec'
 * @returns {{ cert: string, key: string }} both in PEM
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE (days), ERR_INVALID_ARG_VALUE (no such key type, no name at all, or
 *   one that is neither a DNS name nor an IP address)
 */
tls.generateCertificate = function generateCertificate(options = {}) {
  check.object(options, 'options');
  const { names = ['localhost', '127.0.0.1', '::1'], days = 30, keyType = 'ec' } = options;
  if (!Array.isArray(names)) throw new codes.ERR_INVALID_ARG_TYPE('options.names', 'Array', names);
  names.forEach((name, i) => check.string(name, `options.names[${i}]`));
  check.integer(days, 'options.days', 1, MAX_DAYS);
  check.string(keyType, 'options.keyType');
  return binding.generateCertificate({ names, days, keyType });
};

module.exports = tls;
