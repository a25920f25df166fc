'use strict';
// Self-signed certificates for development and tests.
const binding = require('../core/binding');
const check = require('../core/validate');
const { codes } = require('../core/errors');

const { ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE } = codes;

const KEY_TYPES = ['ec', 'rsa', 'ed25519'];
const MAX_NAMES = 100;
/** The year stays below 10000, where X.509 dates end. */
const MAX_DAYS = 365_000;

/**
 * Makes a self-signed certificate.
 * @param {object} [options]
 * @param {string[]} [options.names] 1 to 100 host names and IP addresses; default ['localhost', '127.0.0.1', '::1']
 * @param {number} [options.days] validity from now, 1 to 365000; default 30
 * @param {string} [options.keyType] 'ec' (P-256), 'rsa' (2048 bits) or 'ed25519'; default 'ec'
 * @returns {{ cert: string, key: string }} both in PEM
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE
 */
function generateCertificate(options = {}) {
  check.object(options, 'options');
  const { names = ['localhost', '127.0.0.1', '::1'], days = 30, keyType = 'ec' } = options;
  if (!Array.isArray(names)) throw new ERR_INVALID_ARG_TYPE('options.names', 'Array', names);
  if (names.length === 0 || names.length > MAX_NAMES) {
    throw new ERR_INVALID_ARG_VALUE('options.names', names, `must hold 1 to ${MAX_NAMES} names`);
  }
  names.forEach((name, i) => {
    check.string(name, `options.names[${i}]`);
    if (name === '') throw new ERR_INVALID_ARG_VALUE(`options.names[${i}]`, name);
  });
  check.integer(days, 'options.days', 1, MAX_DAYS);
  check.string(keyType, 'options.keyType');
  if (!KEY_TYPES.includes(keyType)) {
    throw new ERR_INVALID_ARG_VALUE('options.keyType', keyType, `must be one of: ${KEY_TYPES.join(', ')}`);
  }
  return binding.generateCertificate({ names, days, keyType });
}

module.exports = { generateCertificate };
