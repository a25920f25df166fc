'use strict';
const tls = require('../tls');
const { createSecureContext } = require('./secure-context');
const { TLSSocket } = require('./tls-socket');

/**
 * @param {object} [options] secureContext, or what createSecureContext takes; and Node's server options
 * @param {function} [listener] for 'secureConnection'
 */
function Server(options, listener) {
  if (!(this instanceof Server)) return new Server(options, listener);
  if (typeof options === 'function') {
    listener = options;
    options = undefined;
  }
  Reflect.apply(tls.Server, this, [options, listener]);
  this.strictEof = true;
}
Object.setPrototypeOf(Server.prototype, tls.Server.prototype);
Object.setPrototypeOf(Server, tls.Server);

Server.prototype._TLSSocket = TLSSocket;

Server.prototype._createSecureContext = function(wanted, options) {
  if (options.secureContext) return options.secureContext;
  // As they were given: a wrong type is an error even when falsy.
  const { ca, cert, key } = options;
  return createSecureContext({ ...wanted, ca, cert, key });
};

function createServer(options, listener) {
  return new Server(options, listener);
}

module.exports = { Server, createServer };
