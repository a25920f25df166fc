'use strict';
const tls = require('../tls');
const { codes } = require('../core/errors');

const { ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE } = codes;

/**
 * @param {object} [options] ca, cert, key: string or Buffer in PEM; and what Node's createSecureContext takes
 * @throws ERR_INVALID_ARG_TYPE for a ca, cert or key of another type; ERR_INVALID_ARG_VALUE for a key without cert
 */
function createSecureContext(options = {}) {
  for (const name of ['ca', 'cert', 'key']) {
    const value = options[name];
    if (value !== undefined && typeof value !== 'string' && !Buffer.isBuffer(value)) {
      throw new ERR_INVALID_ARG_TYPE(`options.${name}`, ['string', 'Buffer'], value);
    }
  }
  if (options.key && !options.cert) {
    throw new ERR_INVALID_ARG_VALUE('options.cert', options.cert, 'must be given with a key');
  }
  // An empty list: no certificate is trusted by default.
  return tls.createSecureContext({ ...options, ca: options.ca ?? [] });
}

module.exports = { createSecureContext };
