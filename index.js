'use strict';
// The package's public module: Node's `tls`, and what it has beyond that.
const binding = require('./lib/core/binding');
const tls = require('./lib/tls');

/**
 * Makes a self-signed certificate for development and tests.
 * @param {object} [options]
 * @param {string[]} [options.names] host names and IP addresses; default ['localhost', '127.0.0.1', '::1']
 * @param {number} [options.days] validity in days from now; default 30
 * @param {string} [options.keyType] 'ec' (P-256), 'rsa' (2048 bits) or 'ed25519'; default 'ec'
 * @returns {{ cert: string, key: string }} both in PEM
 */
tls.generateCertificate = function generateCertificate(options = {}) {
  const { names = ['localhost', '127.0.0.1', '::1'], days = 30, keyType = 'ec' } = options;
  return binding.generateCertificate({ names, days, keyType });
};

module.exports = tls;
