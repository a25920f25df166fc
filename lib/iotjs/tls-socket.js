'use strict';
const tls = require('../tls');
const { watchClient } = require('../tls/connect');
const { createSecureContext } = require('./secure-context');

const kBound = Symbol('bound to a TLSSocket');

/**
 * @param {stream.Duplex} socket carries the ciphertext; also there as `_socket`
 * @param {object} [options] isServer, secureContext or what createSecureContext takes
 * @throws Error 'Socket already bound' when another TLSSocket has the socket
 */
function TLSSocket(socket, options = {}) {
  if (!(this instanceof TLSSocket)) return new TLSSocket(socket, options);
  if (socket) {
    if (socket[kBound]) throw new Error('Socket already bound');
    Object.defineProperty(socket, kBound, { value: true });
  }
  Reflect.apply(tls.TLSSocket, this, [socket, {
    strictEof: true,
    ...options,
    secureContext: options.secureContext ?? createSecureContext(options),
  }]);
  this._socket = socket;
}
Object.setPrototypeOf(TLSSocket.prototype, tls.TLSSocket.prototype);
Object.setPrototypeOf(TLSSocket, tls.TLSSocket);

// A socket made by a server or by connect() is looked after there; any other client starts by itself.
TLSSocket.prototype._begin = function(socket) {
  const options = this._tlsOptions;
  if (!options.isServer && !this._controlReleased && this._handle) {
    this._releaseControl();
    watchClient(this, {
      checkServerIdentity: tls.checkServerIdentity,
      minDHSize: 1024,
      ...options,
      socket,
      rejectUnauthorized: options.rejectUnauthorized === true,
    });
    this._start();
  }
  tls.TLSSocket.prototype._begin.call(this, socket);
};

/** 'unknown' until the handshake is done, then the version; null for a server's socket and after the end. */
TLSSocket.prototype.getProtocol = function() {
  if (this._tlsOptions.isServer || !this._handle) return null;
  if (!this._secureEstablished) return 'unknown';
  return tls.TLSSocket.prototype.getProtocol.call(this);
};

module.exports = { TLSSocket };
