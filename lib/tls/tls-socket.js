'use strict';
// TLSSocket: a net.Socket whose bytes travel through the native side.
const net = require('net');
const check = require('../core/validate');
const { hooks } = require('../core/events');
const { codes } = require('../core/errors');
const commandLine = require('./command-line');
const face = require('./face');
const http2Wrapper = require('./http2-wrapper');
const peerCertificate = require('./peer-certificate');
const psk = require('./psk');
const questions = require('./questions');
const sessionState = require('./session-state');
const { AcceptedSocket } = require('./accepted-socket');
const { ContextHandle, SecureContext } = require('./secure-context');
const { Pump } = require('./duplex');
const { TLSHandle } = require('./handle');
const { connectSocket } = require('./socket-connect');
const {
  kAccepted, kALPNCallback, kConnectOptions, kPendingSession, kPskCallback, kSniTable, kTakeOver, kVerified,
} = require('./symbols');

const {
  ERR_INVALID_ARG_TYPE, ERR_INVALID_HANDLE_TYPE, ERR_SOCKET_CLOSED, ERR_SOCKET_CLOSED_BEFORE_CONNECTION,
  ERR_TLS_INVALID_CONTEXT, ERR_TLS_INVALID_STATE, ERR_TLS_SNI_FROM_SERVER,
} = codes;

function contextOf(options) {
  const context = options.secureContext || options.credentials || face.createSecureContext(options);
  if (!(context.context instanceof ContextHandle)) throw new ERR_TLS_INVALID_CONTEXT('context');
  return context;
}

/**
 * @param {stream.Duplex} [socket] what carries the ciphertext; without one, connect() opens a connection
 * @param {object} [opts] isServer, server, secureContext or what createSecureContext takes, requestCert,
 *   rejectUnauthorized, ALPNProtocols, ALPNCallback, SNICallback, pskCallback, pskIdentityHint, session, requestOCSP,
 *   enableTrace, handshakeTimeout (ms), pauseOnConnect, allowHalfOpen, highWaterMark, onread, signal
 */
function TLSSocket(socket, opts) {
  if (socket && typeof socket.pipe !== 'function') {
    throw new ERR_INVALID_ARG_TYPE('socket', 'stream.Duplex', socket);
  }
  const options = { ...opts };
  if (options.enableTrace == null) options.enableTrace = commandLine.traceTls();
  else check.boolean(options.enableTrace, 'options.enableTrace');
  if (options.ALPNProtocols) {
    face.convertALPNProtocols(options.ALPNProtocols, options);
    check.bytes(options.ALPNProtocols, 'options.ALPNProtocols');
  }

  this._tlsOptions = options;
  this._secureEstablished = false;
  this._securePending = false;
  this._newSessionPending = false;
  this._controlReleased = false;
  this.secureConnecting = true;
  this._SNICallback = null;
  this[kALPNCallback] = null;
  this[kPskCallback] = null;
  this.servername = null;
  this.alpnProtocol = null;
  this.authorized = false;
  this.authorizationError = null;
  this[kVerified] = false;
  this[kPendingSession] = null;
  this.encrypted = true;

  const context = contextOf(options);
  const raw = socket instanceof AcceptedSocket ? socket[kTakeOver]() : null;
  const handle = options[kAccepted] ?? new TLSHandle(context, raw?.native, raw?.id);
  handle.owner = this;
  handle._secureContext = context;
  // Writes of the stream's earlier owner go out before the first byte of TLS.
  const unsent = socket && raw === null && socket.writableLength > 0;

  // net.Socket copies this and sets the last three: V8 makes a hidden class for each name that is new in a copy.
  Reflect.apply(net.Socket, this, [{
    handle,
    allowHalfOpen: socket ? socket.allowHalfOpen : options.allowHalfOpen,
    pauseOnCreate: options.pauseOnConnect,
    manualStart: true,
    highWaterMark: options.highWaterMark,
    onread: socket ? null : options.onread,
    signal: options.signal,
    emitClose: false,
    autoDestroy: true,
    decodeStrings: false,
  }]);
  this.ssl = handle;
  if (handle.userBuffer !== null) handle.userBuffer.use(options.onread);
  this.on('error', this._tlsError);
  if (raw !== null) socket.tlsHandle = handle;
  else if (socket) new Pump(handle, socket);
  this._init(socket);

  if (unsent) {
    socket.write('', (error) => {
      if (error) this.destroy(error);
      else this._begin(socket);
    });
  } else if (!handle.started || !handle.reading) {
    // The caller sets up listeners first.
    process.nextTick(beginLater, this, socket);
  }
}
Object.setPrototypeOf(TLSSocket.prototype, net.Socket.prototype);
Object.setPrototypeOf(TLSSocket, net.Socket);

function beginLater(tlsSocket, socket) {
  tlsSocket._begin(socket);
}

// A server waits for the client's hello from now on; a client is started by _start() or its first write.
TLSSocket.prototype._begin = function(socket) {
  const handle = this._handle;
  if (!handle) return;
  const startNow = () => {
    if (!this._handle) return;
    if (this._tlsOptions.isServer || this._startWanted) handle.start();
    handle.pump?.start();
    this.read(0);
  };
  if (handle.pump !== null && socket instanceof net.Socket && socket.connecting) socket.once('connect', startNow);
  else startNow();
};

TLSSocket.prototype._init = function(socket) {
  const options = this._tlsOptions;
  const handle = this._handle;
  const { server } = options;
  this.server = server;
  this._startWanted = false;
  // A client always asks for a certificate.
  this._requestCert = !!options.requestCert || !options.isServer;
  this._rejectUnauthorized = !!options.rejectUnauthorized;
  if (options.isServer) {
    if (options.ALPNCallback) {
      check.func(options.ALPNCallback, 'options.ALPNCallback');
      this[kALPNCallback] = options.ALPNCallback;
    }
    if (options.SNICallback) {
      check.func(options.SNICallback, 'options.SNICallback');
      this._SNICallback = options.SNICallback;
    }
  } else {
    if (options.session) handle.setSession(options.session);
    if (options.ALPNProtocols && options.ALPNProtocols.includes('\x02h2')) http2Wrapper.answerAs(TLSSocket);
  }
  if (options.pskCallback) {
    check.func(options.pskCallback, 'pskCallback');
    this[kPskCallback] = options.pskCallback;
    if (options.pskIdentityHint) check.string(options.pskIdentityHint, 'options.pskIdentityHint');
  }
  commandLine.attachKeylog(this);

  if (socket instanceof net.Socket) {
    this._parent = socket;
    this.connecting = socket.connecting || (!socket._handle && !socket.destroyed);
    socket.once('connect', () => {
      this.connecting = false;
      this.emit('connect');
    });
    if (socket instanceof AcceptedSocket) {
      socket.once('close', () => this.destroy());
      this.once('close', () => socket.destroy());
    }
  } else if (!socket && !options[kAccepted]) {
    this.connecting = true;
  }
};

// What the native side must know to begin.
TLSSocket.prototype._tlsParams = function() {
  const options = this._tlsOptions;
  const { server } = options;
  const handle = this._handle;
  const wanted = (event) => server?.listenerCount?.(event) > 0;
  let bits = 0;
  if (this.listenerCount('keylog') > 0) bits |= hooks.KEYLOG;
  if (options.enableTrace) bits |= hooks.TRACE;
  if (this[kPskCallback]) bits |= hooks.PSK;
  if (options.isServer) {
    if (this[kALPNCallback] || wanted('resumeSession')) bits |= hooks.HELLO;
    if (this._SNICallback || wanted('OCSPRequest')) bits |= hooks.CERTIFICATE;
    if (wanted('newSession') || wanted('resumeSession')) bits |= hooks.SESSIONS;
  } else if (this.listenerCount('session') > 0) {
    bits |= hooks.SESSIONS;
  }
  return {
    context: handle._secureContext.context.native,
    isServer: !!options.isServer,
    requestCert: this._requestCert,
    rejectUnauthorized: this._rejectUnauthorized,
    alpn: options.ALPNProtocols || undefined,
    servername: handle.servername || undefined,
    session: handle.session,
    requestOCSP: !!options.requestOCSP,
    hooks: bits,
    pskIdentityHint: options.pskIdentityHint || undefined,
    handshakeTimeout: options.handshakeTimeout > 0 ? options.handshakeTimeout : 0,
    sni: options.isServer && !this._SNICallback ? server?.[kSniTable] : undefined,
    renegLimit: face.CLIENT_RENEG_LIMIT,
    renegWindow: face.CLIENT_RENEG_WINDOW,
    strictEof: !!options.strictEof,
  };
};

TLSSocket.prototype._start = function() {
  if (this.connecting) {
    this._startWanted = true;
    this.once('connect', this._start);
    return;
  }
  this._handle?.start();
};

// ---- events of the native connection

TLSSocket.prototype._onConnected = function() {
  this.connecting = false;
  this._sockname = null;
  this._unrefTimer();
  this.emit('connect');
  this.emit('ready');
  if (!this.isPaused()) this.read(0);
};

TLSSocket.prototype._onConnectFailed = function(error) {
  for (const one of error.errors ?? [error]) {
    this.emit('connectionAttemptFailed', one.address, one.port, net.isIP(one.address ?? ''), one);
  }
  this.destroy(error);
};

TLSSocket.prototype._onSecure = function() {
  // A server's newSession listener may still be at work.
  if (this._newSessionPending) this._securePending = true;
  else this._finishInit();
};

TLSSocket.prototype._onTLSFailure = function(error) {
  if (this._hadError) return;
  this._hadError = true;
  const { code } = error;
  if (this._tlsOptions.isServer && this._requestCert && this._handle.verifyError()?.code === code) {
    this.authorizationError = code;
  }
  // 'tlsClientError' listeners get the socket before it is closed.
  if (!this._secureEstablished) this._closeAfterHandlingError = true;
  this.destroy(error);
};

Object.assign(TLSSocket.prototype, questions, psk);

TLSSocket.prototype._emitTLSError = function(error) {
  const shown = this._tlsError(error);
  if (shown) this.emit('error', shown);
};

TLSSocket.prototype._tlsError = function(error) {
  this.emit('_tlsError', error);
  return this._controlReleased ? error : null;
};

TLSSocket.prototype._releaseControl = function() {
  if (this._controlReleased) return false;
  this._controlReleased = true;
  this.removeListener('error', this._tlsError);
  return true;
};

TLSSocket.prototype._finishInit = function() {
  const handle = this._handle;
  if (!handle) return;
  const { ALPNProtocols, ALPNCallback } = this._tlsOptions;
  this.alpnProtocol = ALPNProtocols || ALPNCallback ? handle.getALPNNegotiatedProtocol() : false;
  if (this.servername === null) this.servername = handle.getServername();
  if (this.alpnProtocol === 'h2') http2Wrapper.answerAs(TLSSocket);
  this._secureEstablished = true;
  this.emit('secure');
  handle.release();
};

// ---- stream implementation

TLSSocket.prototype.connect = function(...args) {
  return connectSocket(this, args);
};

TLSSocket.prototype._makeHandle = function() {
  const handle = new TLSHandle(contextOf(this._tlsOptions));
  handle.owner = this;
  handle.startAtOnce = this._startWanted;
  this._handle = handle;
  this.ssl = handle;
  this._secureEstablished = false;
};

function toBuffer(chunk, encoding) {
  if (typeof chunk === 'string') return Buffer.from(chunk, encoding);
  return chunk;
}

// A function of its own: closures in _writeGeneric would cost every write a context.
function writeLater(socket, writev, data, encoding, cb) {
  socket._pendingData = data;
  socket._pendingEncoding = encoding;
  const onClose = () => cb(new ERR_SOCKET_CLOSED_BEFORE_CONNECTION());
  socket.once('connect', () => {
    socket.off('close', onClose);
    socket._writeGeneric(writev, data, encoding, cb);
  });
  socket.once('close', onClose);
}

TLSSocket.prototype._writeGeneric = function(writev, data, encoding, cb) {
  if (this.connecting) {
    writeLater(this, writev, data, encoding, cb);
    return;
  }
  this._pendingData = null;
  this._pendingEncoding = '';
  const handle = this._handle;
  if (!handle) {
    cb(new ERR_SOCKET_CLOSED());
    return;
  }
  this._unrefTimer();
  if (!handle.started) handle.start();
  if (!writev) {
    handle.write(toBuffer(data, encoding), cb);
    return;
  }
  let total = 0;
  const chunks = new Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const item = data[i];
    const chunk = data.allBuffers ? item : toBuffer(item.chunk, item.encoding);
    chunks[i] = chunk;
    total += chunk.length;
  }
  handle.writev(chunks, total, cb);
};

// writev hands over { chunk, encoding } objects, unless all are Buffers.
TLSSocket.prototype._writev = function(chunks, cb) {
  const list = chunks.allBuffers ? Object.assign(chunks.map((item) => item.chunk), { allBuffers: true }) : chunks;
  this._writeGeneric(true, list, '', cb);
};

TLSSocket.prototype._write = function(chunk, encoding, cb) {
  this._writeGeneric(false, chunk, encoding, cb);
};

TLSSocket.prototype._final = function(cb) {
  if (this.pending) {
    this.once('connect', () => this._final(cb));
    return;
  }
  this._handle.shutdown(cb);
};

TLSSocket.prototype._destroySSL = function() {
  this.ssl?.destroySSL();
};

TLSSocket.prototype.resetAndDestroy = function() {
  const handle = this._handle;
  if (!handle) {
    this.destroy(new ERR_SOCKET_CLOSED());
    return this;
  }
  if (handle.pump !== null) throw new ERR_INVALID_HANDLE_TYPE();
  if (this.connecting) this.once('connect', () => this._reset());
  else this._reset();
  return this;
};

// 'keylog' and 'session' cost work, so the native side sends them only when somebody listens.
function noticeListener(socket, event) {
  if (event === 'keylog') socket._handle?.enableHooks(hooks.KEYLOG);
  else if (event === 'session' && !socket._tlsOptions?.isServer) socket._handle?.enableHooks(hooks.SESSIONS);
}

TLSSocket.prototype.on = TLSSocket.prototype.addListener = function(event, listener) {
  net.Socket.prototype.on.call(this, event, listener);
  if (event === 'keylog' || event === 'session') noticeListener(this, event);
  return this;
};

TLSSocket.prototype.prependListener = function(event, listener) {
  net.Socket.prototype.prependListener.call(this, event, listener);
  if (event === 'keylog' || event === 'session') noticeListener(this, event);
  return this;
};

// ---- TLS

TLSSocket.prototype.disableRenegotiation = function() {
  this._handle?.disableRenegotiation();
};

TLSSocket.prototype.renegotiate = function(options, callback) {
  check.object(options, 'options');
  if (callback !== undefined) check.func(callback, 'callback');
  if (this.destroyed) return;
  const { requestCert = this._requestCert, rejectUnauthorized = this._rejectUnauthorized } = options;
  if (!!requestCert !== this._requestCert || !!rejectUnauthorized !== this._rejectUnauthorized) {
    this._requestCert = !!requestCert;
    this._rejectUnauthorized = !!rejectUnauthorized;
    this._handle.setVerifyMode(this._requestCert, this._rejectUnauthorized);
  }
  try {
    this._handle.renegotiate();
  } catch (error) {
    if (callback) process.nextTick(callback, error);
    return false;
  }
  if (callback) this.once('secure', () => callback(null));
  return true;
};

TLSSocket.prototype.exportKeyingMaterial = function(length, label, context) {
  check.uint32(length, 'length', true);
  check.string(label, 'label');
  if (context !== undefined) check.bytes(context, 'context');
  if (!this._secureEstablished || !this._handle) throw new ERR_TLS_INVALID_STATE();
  return this._handle.native.exportKeyingMaterial(length, label, context);
};

TLSSocket.prototype.setMaxSendFragment = function(size) {
  check.int32(size, 'size');
  return this._handle?.setMaxSendFragment(size) ?? false;
};

TLSSocket.prototype.setServername = function(name) {
  check.string(name, 'name');
  if (this._tlsOptions.isServer) throw new ERR_TLS_SNI_FROM_SERVER();
  this._handle.setServername(name);
};

TLSSocket.prototype.setSession = function(session) {
  const usable = sessionState.release(session, this[kConnectOptions] || this._tlsOptions);
  if (usable !== undefined || !sessionState.binds) this._handle.setSession(usable);
};

TLSSocket.prototype.getSession = function() {
  if (!this._handle) return null;
  return sessionState.bind(this._handle.getSession(), this[kConnectOptions] || this._tlsOptions);
};

TLSSocket.prototype.getPeerCertificate = function(detailed) {
  if (!this._handle) return null;
  const chain = this._handle.getPeerChain();
  if (chain.length === 0) return {};
  return detailed ? peerCertificate.toChain(chain) : peerCertificate.toObject(chain[0]);
};

TLSSocket.prototype.getCertificate = function() {
  if (!this._handle) return null;
  const der = this._handle.getCertificate();
  return der ? peerCertificate.toObject(der) : {};
};

TLSSocket.prototype.getPeerX509Certificate = function() {
  const chain = this._handle?.getPeerChain() ?? [];
  return chain.length > 0 ? peerCertificate.toX509Chain(chain) : undefined;
};

TLSSocket.prototype.getX509Certificate = function() {
  const der = this._handle?.getCertificate();
  return der ? peerCertificate.parse(der) : undefined;
};

TLSSocket.prototype.setKeyCert = function(context) {
  if (!this._handle) return;
  const chosen = context instanceof SecureContext ? context : face.createSecureContext(context);
  this._handle.setKeyCert(chosen);
};

for (const method of [
  'getCipher', 'getSharedSigalgs', 'getEphemeralKeyInfo', 'getFinished', 'getPeerFinished', 'getProtocol',
  'getTLSTicket', 'isSessionReused', 'enableTrace',
]) {
  TLSSocket.prototype[method] = function(...args) {
    return this._handle ? this._handle[method](...args) : null;
  };
}

module.exports = { TLSSocket };
