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

// Once, and only until the handshake is done.
function reportable(socket) {
  return !socket._controlReleased && !socket[kErrorEmitted];
}

// Of a socket that is reportable.
function report(socket, error) {
  socket[kErrorEmitted] = true;
  socket._tlsOptions.server.emit('tlsClientError', error, socket);
}

// Node hangs up on a client whose certificate it refuses, and programs expect that code; the reason is beside it.
function hungUp(cause) {
  return connReset(`socket hang up: ${cause.message}`, { cause });
}

function onFailure(error) {
  if (!reportable(this)) return;
  const refused = this.authorizationError !== null && this.authorizationError === error.code;
  report(this, refused ? hungUp(error) : error);
}

// The client went away in mid-handshake.
function onClose(hadError) {
  // An Error costs its stack: none for a connection that ended well.
  if (!hadError && reportable(this)) report(this, connReset('socket hang up'));
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
