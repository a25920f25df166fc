'use strict';
// From a server-side TLSSocket's events to those of its Server.
const { connReset } = require('../core/errors');
const { kErrorEmitted } = require('./symbols');

function onSecure() {
  if (this._requestCert) {
    const failure = this._handle.verifyError();
    if (failure) {
      this.authorizationError = failure.code;
      if (this._rejectUnauthorized) this.destroy();
    } else {
      this.authorized = true;
    }
  }
  if (!this.destroyed && this._releaseControl()) {
    this.secureConnecting = false;
    this._tlsOptions.server.emit('secureConnection', this);
  }
}

function report(socket, error) {
  if (socket._controlReleased || socket[kErrorEmitted]) return;
  socket[kErrorEmitted] = true;
  socket._tlsOptions.server.emit('tlsClientError', error, socket);
}

function onFailure(error) {
  report(this, error);
}

// The client went away in mid-handshake.
function onClose(hadError) {
  if (!hadError) report(this, connReset('socket hang up'));
}

function onKeylog(line) {
  this._tlsOptions.server.emit('keylog', line, this);
}

/** Lets `server` speak for `socket` until its handshake is done. */
function attach(server, socket) {
  socket.on('secure', onSecure);
  if (server.listenerCount('keylog') > 0) socket.on('keylog', onKeylog);
  socket[kErrorEmitted] = false;
  socket.on('close', onClose);
  socket.on('_tlsError', onFailure);
  socket.on('error', onFailure);
}

module.exports = { attach };
