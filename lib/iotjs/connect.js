'use strict';
const net = require('net');
const tls = require('../tls');
const { connectWith, normalizeArguments } = require('../tls/connect');
const { createSecureContext } = require('./secure-context');
const { TLSSocket } = require('./tls-socket');

const DEFAULT_PORT = 443;

/**
 * connect(options[, callback]), connect(port[, host][, options][, callback]); an option wins over its positional form.
 * @param {object} options host ('localhost'), port (443), socket, rejectUnauthorized (false), servername (host, unless
 *   that is an IP address), session, minDHSize (1024 bits), lookup; and what createSecureContext takes
 * @returns {TLSSocket}
 */
function connect(...args) {
  const { options: given, callback } = normalizeArguments(args);
  const options = { checkServerIdentity: tls.checkServerIdentity, minDHSize: 1024, strictEof: true, ...given };
  if (options.port === undefined && options.path == null) options.port = DEFAULT_PORT;
  options.host ??= 'localhost';
  if (options.servername === undefined && net.isIP(options.host) === 0 && !options.socket) {
    options.servername = options.host;
  }
  if (!Buffer.isBuffer(options.session)) options.session = undefined;
  options.rejectUnauthorized = options.rejectUnauthorized === true;
  options.secureContext ??= createSecureContext(options);
  return connectWith(TLSSocket, options, callback);
}

module.exports = { connect };
