'use strict';
// tls.connect: a client TLSSocket, its connection, and what is checked when the handshake is done.
const net = require('net');
const nodeTls = require('./node-tls');
const check = require('../core/validate');
const { codes, connReset, withCode } = require('../core/errors');
const face = require('./face');
const { TLSSocket } = require('./tls-socket');
const sessionState = require('./session-state');
const { normalize } = require('./socket-connect');
const { kConnectOptions, kPendingSession, kVerified } = require('./symbols');

// What Node itself changed: thrown errors in place of failed assertions, and of a warning.
const NODE = Number(process.versions.node.split('.')[0]);
const CHECKS_OPTIONS = NODE >= 22;
const CHECKS_KEEP_ALIVE = NODE >= 24;
const REFUSES_IP_SERVERNAME = NODE >= 25;

let ipServernameWarned = false;
let allowUnauthorizedWarned = false;

// Options may follow a positional port, host or path, and win over those.
function normalizeArguments(args) {
  const { options, callback } = normalize(args);
  const more = [args[1], args[2]].find((arg) => arg !== null && typeof arg === 'object');
  return { options: more === undefined ? options : Object.assign(options, more), callback };
}

function allowUnauthorized() {
  const allowed = process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0';
  if (allowed && !allowUnauthorizedWarned) {
    allowUnauthorizedWarned = true;
    process.emitWarning('Setting the NODE_TLS_REJECT_UNAUTHORIZED environment variable to \'0\' makes TLS ' +
                        'connections and HTTPS requests insecure by disabling certificate verification.');
  }
  return allowed;
}

// The peer's identity, unless a resumed session vouches for it.
function verify(socket, options) {
  const failure = socket._handle.verifyError();
  if (failure || socket.isSessionReused()) return failure;
  const host = sessionState.identityOf(options);
  const { checkServerIdentity } = options;
  // Node's own check looks at the leaf alone; the chain is made only to be shown.
  if (checkServerIdentity === nodeTls.checkServerIdentity &&
      !checkServerIdentity(host, socket.getPeerCertificate())) return undefined;
  return checkServerIdentity(host, socket.getPeerCertificate(true));
}

function onSecure() {
  const options = this[kConnectOptions];
  const key = this.getEphemeralKeyInfo();
  if (key?.type === 'DH' && key.size < options.minDHSize) {
    this.emit('error', new codes.ERR_TLS_DH_PARAM_SIZE(key.size));
    this.destroy();
    return;
  }
  const failure = verify(this, options);
  if (failure) {
    this.authorized = false;
    this.authorizationError = failure.code || failure.message;
    if (options.rejectUnauthorized !== false) {
      this.destroy(failure);
      return;
    }
  } else {
    this.authorized = true;
  }
  this.secureConnecting = false;
  this.emit('secureConnect');

  this[kVerified] = true;
  const session = this[kPendingSession];
  this[kPendingSession] = null;
  if (session) this.emit('session', session);
  this.removeListener('end', onEnd);
}

// The peer went away in mid-handshake.
function onEnd() {
  if (this._hadError) return;
  this._hadError = true;
  const { path, host, port, localAddress } = this[kConnectOptions];
  const error = connReset('Client network socket disconnected before secure TLS connection was established');
  this.destroy(Object.assign(error, { path, host, port, localAddress }));
}

function warnOfIpServername(servername) {
  if (ipServernameWarned || !net.isIP(servername)) return;
  ipServernameWarned = true;
  process.emitWarning('Setting the TLS ServerName to an IP address is not permitted by RFC 6066. This will be ' +
                      'ignored in a future version.', 'DeprecationWarning', 'DEP0123');
}

/** Makes the checks of a client happen when the handshake of `socket` is done. */
function watchClient(socket, options) {
  socket[kConnectOptions] = options;
  socket.on('secure', onSecure);
  socket.prependListener('end', onEnd);
}

/** Connects a new `Socket` (TLSSocket or a class made from it); `options` are complete. */
function connectWith(Socket, options, callback) {
  const socket = new Socket(options.socket, {
    allowHalfOpen: options.allowHalfOpen,
    secureContext: options.secureContext,
    isServer: false,
    requestCert: true,
    rejectUnauthorized: options.rejectUnauthorized,
    session: sessionState.release(options.session, options),
    ALPNProtocols: options.ALPNProtocols,
    pskCallback: options.pskCallback,
    requestOCSP: options.requestOCSP,
    enableTrace: options.enableTrace,
    highWaterMark: options.highWaterMark,
    onread: options.onread,
    signal: options.signal,
    strictEof: options.strictEof,
  });
  if (callback) socket.once('secureConnect', callback);

  // A socket that was given is connected by whoever gave it.
  if (!options.socket) {
    if (options.timeout) socket.setTimeout(options.timeout);
    if (options.noDelay) socket.setNoDelay(true);
    if (options.keepAlive) socket.setKeepAlive(true, options.keepAliveInitialDelay);
    socket._handle.startAtOnce = true;
    socket.connect(options, socket._start);
  }
  socket._releaseControl();
  if (options.servername) {
    warnOfIpServername(options.servername);
    socket.setServername(options.servername);
  }
  if (options.socket) socket._start();
  watchClient(socket, options);
  return socket;
}

function assertion(message) {
  return withCode('ERR_INTERNAL_ASSERTION', message);
}

function checkOptions({ checkServerIdentity, minDHSize, keepAliveInitialDelay }) {
  if (CHECKS_KEEP_ALIVE && keepAliveInitialDelay !== undefined) {
    check.number(keepAliveInitialDelay, 'options.keepAliveInitialDelay');
  }
  if (CHECKS_OPTIONS) {
    check.func(checkServerIdentity, 'options.checkServerIdentity');
    check.number(minDHSize, 'options.minDHSize');
    if (!(minDHSize >= 1)) throw new codes.ERR_OUT_OF_RANGE('options.minDHSize', '>= 1', minDHSize);
    return;
  }
  if (typeof checkServerIdentity !== 'function') throw assertion('options.checkServerIdentity is not a function');
  if (typeof minDHSize !== 'number') throw assertion(`options.minDHSize is not a number: ${minDHSize}`);
  if (!(minDHSize > 0)) throw assertion(`options.minDHSize is not a positive number: ${minDHSize}`);
}

/**
 * connect(options[, cb]), connect(path[, options][, cb]), connect(port[, host][, options][, cb])
 * @returns {TLSSocket}
 */
function connect(...args) {
  const { options: wanted, callback } = normalizeArguments(args);
  const options = {
    rejectUnauthorized: !allowUnauthorized(),
    ciphers: face.DEFAULT_CIPHERS,
    checkServerIdentity: face.checkServerIdentity,
    minDHSize: 1024,
    ...wanted,
  };
  checkOptions(options);
  options.secureContext ||= face.createSecureContext(options);
  if (REFUSES_IP_SERVERNAME && options.servername && net.isIP(options.servername)) {
    throw new codes.ERR_INVALID_ARG_VALUE('options.servername', options.servername,
                                          'Setting the TLS ServerName to an IP address is not permitted.');
  }
  options.rejectUnauthorized = options.rejectUnauthorized !== false;
  return connectWith(TLSSocket, options, callback);
}

module.exports = { connect, connectWith, normalizeArguments, watchClient };
