'use strict';
// tls.Server: a net.Server whose accepting and handshakes are native.
const net = require('net');
const nodeTls = require('./node-tls');
const EventEmitter = require('events');
const binding = require('../core/binding');
const check = require('../core/validate');
const { bindAnywhere } = require('../core/bind-anywhere');
const { codes, listenError } = require('../core/errors');
const { hooks } = require('../core/events');
const commandLine = require('./command-line');
const diagnostics = require('./diagnostics');
const face = require('./face');
const serverContext = require('./server-context');
const serverEvents = require('./server-events');
const { AcceptedSocket } = require('./accepted-socket');
const { ListenHandle } = require('./listen-handle');
const { TLSHandle } = require('./handle');
const { TLSSocket } = require('./tls-socket');
const { kAccepted, kConfigure, kPskCallback, kPskIdentityHint, kSniTable } = require('./symbols');

const { ERR_INVALID_ARG_TYPE, ERR_TLS_ALPN_CALLBACK_WITH_PROTOCOLS } = codes;

const kHandshakeTimeout = Symbol('handshakeTimeout');
const kSNICallback = Symbol('SNICallback');
const kEnableTrace = Symbol('enableTrace');
const kMaxConnections = Symbol('maxConnections');
const kListeners = Symbol('native listeners');   // the present one and those that still close
const kHanded = Symbol('native listener');       // of a handle on which Node accepts

const HANDSHAKE_TIMEOUT = 120_000;     // ms
const BACKLOG = 511;
const IPV6_ONLY = 1;                   // bits of listen's flags
const REUSE_PORT = 2;

/** createServer([options][, listener]), new Server(...), Server(...) */
function Server(options, listener) {
  if (!(this instanceof Server)) return new Server(options, listener);
  if (typeof options === 'function') {
    listener = options;
    options = {};
  } else if (options == null) {
    options = {};
  } else if (typeof options !== 'object') {
    throw new ERR_INVALID_ARG_TYPE('options', 'Object', options);
  }

  this._contexts = [];
  this[kSniTable] = new binding.SniTable();
  this[kListeners] = new Set();
  this[kMaxConnections] = undefined;
  this.requestCert = options.requestCert === true;
  this.rejectUnauthorized = options.rejectUnauthorized !== false;
  this.ALPNCallback = options.ALPNCallback;
  if (this.ALPNCallback && options.ALPNProtocols) throw new ERR_TLS_ALPN_CALLBACK_WITH_PROTOCOLS();
  if (options.sessionTimeout) this.sessionTimeout = options.sessionTimeout;
  if (options.ticketKeys) this.ticketKeys = options.ticketKeys;
  if (options.ALPNProtocols) face.convertALPNProtocols(options.ALPNProtocols, this);
  this.setSecureContext(options);

  this[kHandshakeTimeout] = options.handshakeTimeout || HANDSHAKE_TIMEOUT;
  this[kSNICallback] = options.SNICallback;
  this[kPskCallback] = options.pskCallback;
  this[kPskIdentityHint] = options.pskIdentityHint;
  check.number(this[kHandshakeTimeout], 'options.handshakeTimeout');
  if (this[kSNICallback]) check.func(this[kSNICallback], 'options.SNICallback');
  if (this[kPskCallback]) check.func(this[kPskCallback], 'options.pskCallback');
  if (this[kPskIdentityHint]) check.string(this[kPskIdentityHint], 'options.pskIdentityHint');

  Reflect.apply(net.Server, this, [options, onConnection]);
  if (listener) this.on('secureConnection', listener);
  this[kEnableTrace] = options.enableTrace;
}
Object.setPrototypeOf(Server.prototype, net.Server.prototype);
Object.setPrototypeOf(Server, net.Server);

/** Class of this server's sockets. */
Server.prototype._TLSSocket = TLSSocket;
Object.assign(Server.prototype, serverContext.methods);
// Gone from Node 24 on.
if (nodeTls.Server.prototype.setOptions) Server.prototype.setOptions = serverContext.setOptions;

// ---- connections

// Options of the TLSSocket for one accepted connection; `handle` when TLS has begun without JavaScript.
function socketOptions(server, handle) {
  return {
    [kAccepted]: handle,
    secureContext: server._sharedCreds,
    isServer: true,
    server,
    requestCert: server.requestCert,
    rejectUnauthorized: server.rejectUnauthorized,
    handshakeTimeout: server[kHandshakeTimeout],
    ALPNProtocols: server.ALPNProtocols,
    ALPNCallback: server.ALPNCallback,
    SNICallback: server[kSNICallback],
    pskCallback: server[kPskCallback],
    pskIdentityHint: server[kPskIdentityHint],
    enableTrace: server[kEnableTrace],
    pauseOnConnect: server.pauseOnConnect,
    allowHalfOpen: server.allowHalfOpen,
    highWaterMark: server.highWaterMark,
    strictEof: server.strictEof,
  };
}

// The 'connection' listener: TLS over a raw socket or any stream.
function onConnection(rawSocket) {
  serverEvents.attach(this, new this._TLSSocket(rawSocket, socketOptions(this)));
}

function count(server, socket) {
  server._connections++;
  socket.server = server;
  socket._server = server;
}

// TLS has begun without JavaScript; its socket is made now that something is to be told.
Server.prototype._onAdopted = function(id) {
  const handle = new TLSHandle(this._sharedCreds, binding.claim(id), id);
  handle.started = true;
  handle.reading = !this.pauseOnConnect;
  const socket = new this._TLSSocket(undefined, socketOptions(this, handle));
  count(this, socket);
  serverEvents.attach(this, socket);
  if (diagnostics.wantsAccepted()) {
    // Since not long ago: from now on raw sockets are shown, as with Node.
    diagnostics.publishAccepted(socket);
    this[kConfigure]();
  }
};

// Somebody wants 'connection': the raw socket first, TLS when our own listener gets to it.
Server.prototype._onAccepted = function(id) {
  const socket = new AcceptedSocket(id, this);
  count(this, socket);
  this.emit('connection', socket);
  diagnostics.publishAccepted(socket);
};

// ---- listening

// The hooks that today's listeners and callbacks need.
function wantedHooks(server) {
  let bits = 0;
  const has = (event) => server.listenerCount(event) > 0;
  if (server.ALPNCallback || has('resumeSession')) bits |= hooks.HELLO;
  if (server[kSNICallback] || has('OCSPRequest')) bits |= hooks.CERTIFICATE;
  if (server[kPskCallback]) bits |= hooks.PSK;
  if (has('newSession') || has('resumeSession')) bits |= hooks.SESSIONS;
  if (has('keylog') || commandLine.logsKeys) bits |= hooks.KEYLOG;
  if (server[kEnableTrace] ?? commandLine.tracing) bits |= hooks.TRACE;
  if (server.listenerCount('connection') > 1 || diagnostics.wantsAccepted()) bits |= hooks.EAGER;
  return bits;
}

// In force from the next accepted connection on.
Server.prototype[kConfigure] = function() {
  const listener = this._handle?.[kHanded] ?? this._handle;
  if (listener instanceof ListenHandle) configure(this, listener.native);
};

function configure(server, native) {
  native.configure({
    context: server._sharedCreds.context.native,
    isServer: true,
    requestCert: server.requestCert,
    rejectUnauthorized: server.rejectUnauthorized,
    alpn: server.ALPNProtocols || undefined,
    hooks: wantedHooks(server),
    pskIdentityHint: server[kPskIdentityHint] || undefined,
    handshakeTimeout: server[kHandshakeTimeout],
    sni: server[kSNICallback] ? undefined : server[kSniTable],
    renegLimit: face.CLIENT_RENEG_LIMIT,
    renegWindow: face.CLIENT_RENEG_WINDOW,
    strictEof: !!server.strictEof,
  }, {
    // Nagle's algorithm would hold the first answer back until the tickets before it are acknowledged: 40 ms.
    noDelay: true,
    keepAlive: server.keepAlive,
    keepAliveDelay: server.keepAliveInitialDelay,
    paused: !!server.pauseOnConnect,
    maxConnections: server.maxConnections > 0 ? server.maxConnections : 0,
  });
}

function listenNative(native, address, port, addressType, backlog, fd, flags) {
  if (typeof fd === 'number' && fd >= 0) return native.listenFd(fd, backlog);
  if (port === -1 && addressType === -1) return native.listenPipe(address, backlog, 0);
  if (!address) {
    return bindAnywhere((any) => native.listenTcp(any, port, backlog, false, (flags & REUSE_PORT) !== 0));
  }
  return native.listenTcp(address, port, backlog, (flags & IPV6_ONLY) !== 0, (flags & REUSE_PORT) !== 0);
}

// net.Server's listen() ends here, after its argument checks, lookup and cluster queries.
Server.prototype._listen2 = function(address, port, addressType, backlog, fd, flags) {
  // A handle that somebody else made (given, or from the cluster's primary) belongs to Node, and so do sockets that
  // our own listener would not see: they come as raw net.Sockets.
  const ours = this.listeners('connection').includes(onConnection);
  if (this._handle || !ours) {
    Reflect.apply(net.Server.prototype._listen2, this, [address, port, addressType, backlog, fd, flags]);
    if (ours && this._handle) takeConnections(this);
    return;
  }
  const native = new binding.Listener();
  let id;
  try {
    configure(this, native);
    id = listenNative(native, address, port, addressType, backlog || BACKLOG, fd, flags);
  } catch (error) {
    if (error.errno === undefined) throw error;
    const shown = listenError(error, error.address ?? address, port);
    diagnostics.publishListenError(this, shown);
    process.nextTick(() => this.emit('error', shown));
    return;
  }
  const isPipe = port === -1 && addressType === -1;
  const handle = new ListenHandle(this, native, id, isPipe ? address : undefined);
  this._handle = handle;
  this[kListeners].add(handle);
  diagnostics.publishListening(this);
  this._connectionKey = `${addressType}:${address}:${port}`;
  if (this._unref) handle.unref();
  process.nextTick(() => {
    if (this._handle === handle) this.emit('listening');
  });
};

// Node accepts, in this process or in the cluster's primary; from then on a connection is native.
function takeConnections(server) {
  const { _handle: shared } = server;
  const { close, onconnection } = shared;
  const native = new binding.Listener();
  configure(server, native);
  const handle = new ListenHandle(server, native, native.listenHanded());
  handle.counts = false;          // the shared handle keeps the process alive
  handle.updateHold();
  shared[kHanded] = handle;
  server[kListeners].add(handle);
  shared.onconnection = function(error, connection) {
    // What the native side cannot take is a net.Socket, as with Node.
    if (error || !handle.take(connection)) Reflect.apply(onconnection, this, [error, connection]);
  };
  shared.close = function(done) {
    handle.close();
    return Reflect.apply(close, this, [done]);
  };
}

Server.prototype._onListenerEnd = function(handle) {
  this[kListeners].delete(handle);
  this._emitCloseIfDrained();
};

// 'close' also waits for the native listener, and comes once.
Server.prototype._emitCloseIfDrained = function() {
  if (this._handle || this._connections > 0 || this[kListeners].size > 0) return;
  Reflect.apply(net.Server.prototype._emitCloseIfDrained, this, []);
};

Server.prototype.getConnections = function(callback) {
  let unseen = 0;
  for (const handle of this[kListeners]) unseen += handle.pending();
  return Reflect.apply(net.Server.prototype.getConnections, this, [
    (error, seen) => callback(error, error ? seen : seen + unseen),
  ]);
};

// Read by the native listener, so a change must reach it.
Object.defineProperty(Server.prototype, 'maxConnections', {
  configurable: true,
  enumerable: true,
  get() { return this[kMaxConnections]; },
  set(value) {
    this[kMaxConnections] = value;
    this[kConfigure]();
  },
});

// ---- listeners decide which hooks are on

const RELEVANT = new Set(['connection', 'keylog', 'newSession', 'resumeSession', 'OCSPRequest']);

for (const method of ['on', 'addListener', 'prependListener', 'off', 'removeListener', 'removeAllListeners']) {
  Server.prototype[method] = function(...args) {
    Reflect.apply(net.Server.prototype[method], this, args);
    if (args.length === 0 || RELEVANT.has(args[0])) this[kConfigure]();
    return this;
  };
}

Server.prototype[EventEmitter.captureRejectionSymbol] = function(error, event, socket) {
  if (event === 'secureConnection') socket.destroy(error);
  else Reflect.apply(net.Server.prototype[EventEmitter.captureRejectionSymbol], this, [error, event, socket]);
};

function createServer(options, listener) {
  return new Server(options, listener);
}

module.exports = { Server, createServer };
