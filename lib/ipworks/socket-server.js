'use strict';
// What SSLServer and WSServer have in common: listening, clients, certificates, settings.
const { appendFile } = require('fs');
const { EventEmitter } = require('events');
const binding = require('../core/binding');
const { hooks } = require('../core/events');
const { resolveList } = require('./access-list');
const { defineAccessors } = require('./accessors');
const { Certificate, kEntry } = require('./certificate');
const { Connection, ConnectionMap } = require('./connection');
const { ConnectionHandle } = require('./connection-handle');
const { ask } = require('./decisions');
const { describe, failure } = require('./errors');
const { eventObject } = require('./event-objects');
const { Framing, checkLineLength, checkRecordLength } = require('./framing');
const { listen, shownAddress } = require('./listening');
const { negotiated } = require('./negotiated');
const { Settings, parseSetting } = require('./settings');
const { chooseCertificate, judgeClient } = require('./handshake-events');
const { createContext, verifyFlags } = require('./tls-settings');
const check = require('./values');

const PORTS = 65535;
const SECONDS = 2 ** 31 / 1000 | 0;
const LEAST_QUEUE = 64 * 1024;
// A decision of a listener that returned a promise, unless DefaultConnectionTimeout says otherwise.
const PATIENCE = 30_000;
// A client that takes nothing of what is queued for so long, in milliseconds, is not waited for.
const LINGER = 60_000;
const MAX_BACKLOG = 2 ** 31 - 1;

const initial = () => ({
  backlog: 5,
  eol: Buffer.alloc(0),
  idleTimeout: 0,
  maxLineLength: 2048,
  singleLineMode: false,
  timeout: 0,
  keepAlive: false,
  linger: true,
  localHost: '',
  localPort: 0,
  authenticateClients: false,
  certificate: new Certificate(),
  provider: 0,
});

class SocketServer extends EventEmitter {
  #settings;
  #values = initial();
  #listening = null;
  #native = null;
  #context = null;
  #handles = new Map();            // by ConnectionId, also those whose handshake is under way
  #clients = new Map();            // connected ones, as programs see them
  #connections = new ConnectionMap(this.#clients);
  #gone = [];                      // who waits for the last client to go
  #eventSeen = [];                 // who waits in doEvents()

  /** @param {Record<string, object>} settings the component's table */
  constructor(settings) {
    super();
    this.#settings = new Settings(settings);
  }

  get _settings() { return this.#settings; }
  get _values() { return this.#values; }
  get _clients() { return this.#clients; }
  get _connections() { return this.#connections; }

  // ---- settings

  /** Sets or reads a configuration setting. */
  async config(configurationString) {
    const { name, connectionId, value } = parseSetting(check.text(configurationString, 'configurationString'));
    if (connectionId !== null) return negotiated(this._handle(connectionId), name);
    if (value === null) return this.#settings.get(name);
    const stored = this.#settings.set(name, value, this._isListening());
    await this.#reconfigure();
    return stored;
  }

  /** For what is used by connections to come. */
  _set(name, value) {
    this.#values[name] = value;
    if (this._isListening()) this.#configure();
  }

  _isListening() {
    return this.#listening !== null;
  }

  // ---- listening

  /** Binds LocalHost and LocalPort, and accepts. */
  async startListening() {
    if (this._isListening()) throw failure(104);
    const native = new binding.Listener();
    this.#native = native;
    this.#listening = false;       // under way
    try {
      this.#makeContext();
      await this.#readLists();
      this.#configure();
      this.#listening = await listen(this, native, {
        host: this.#values.localHost,
        port: this.#values.localPort,
        backlog: this.#values.backlog,
        mode: this.#settings.number('UseIPv6'),
        shared: !this.#settings.isOn('BindExclusively'),
      });
    } catch (error) {
      this.#listening = null;
      throw error;
    }
  }

  async stopListening() {
    const listening = this.#listening;
    if (!listening) return;
    this.#listening = null;
    await listening.close();
  }

  /** Stops listening, and ends every client. */
  async shutdown() {
    const stopped = this.stopListening();
    for (const handle of this.#handles.values()) handle.disconnect(this.#values.linger && handle.connected);
    await stopped;
    if (this.#handles.size > 0) await new Promise((resolve) => { this.#gone.push(resolve); });
  }

  /** Back to the defaults; listens no more. */
  async reset() {
    await this.shutdown();
    this.#values = initial();
    this.#settings.reset();
  }

  /** Resolves when an event came, or after SelectWaitMillis. */
  async doEvents() {
    await new Promise((resolve) => {
      const timer = setTimeout(done, this.#settings.number('SelectWaitMillis'));
      function done() {
        clearTimeout(timer);
        setImmediate(resolve);
      }
      this.#eventSeen.push(done);
    });
  }

  #happened() {
    if (this.#eventSeen.length === 0) return;
    for (const done of this.#eventSeen.splice(0)) done();
  }

  // ---- one client

  _handle(connectionId) {
    const handle = this.#handles.get(String(connectionId));
    if (handle === undefined || !handle.connected) throw failure(126);
    return handle;
  }

  async disconnect(connectionId) {
    this._handle(connectionId).disconnect(this.#values.linger);
  }

  async pauseData(connectionId) {
    this._handle(connectionId).pause();
  }

  async processData(connectionId) {
    this._handle(connectionId).resume();
  }

  async interrupt(connectionId) {
    this._handle(connectionId).interrupt();
  }

  async changeRecordLength(connectionId, recordLength) {
    this._handle(connectionId).public._reframe({ recordLength: checkRecordLength(recordLength) });
  }

  /** Sends a file; `onProgress(sent, total)` is told how far it came, in bytes. */
  async sendFile(connectionId, fileName, onProgress) {
    await this._handle(connectionId).sendFile(check.text(fileName, 'fileName'), onProgress);
  }

  _sendLimit() {
    return Math.max(LEAST_QUEUE, this.#settings.number('OutBufferSize'));
  }

  _lingerTime() {
    return LINGER;
  }

  // ---- configuration of the native listener

  #makeContext() {
    const { certificate } = this.#values;
    if (!certificate.isPrivateKeyAvailable()) throw failure(282);
    this.#context = createContext(this.#settings, certificate[kEntry]);
  }

  /** In force for handshakes to come. */
  _useCertificate(certificate) {
    this.#values.certificate = certificate;
    if (!this._isListening()) return;
    this.#makeContext();
    this.#configure();
  }

  /** A context for another certificate than SSLCert. */
  _alternative(type, store, password, subject) {
    const certificate = new Certificate(type, store, password, subject);
    if (!certificate.isPrivateKeyAvailable()) throw failure(272);
    return createContext(this.#settings, certificate[kEntry]);
  }

  /** `{ address, family, port }` while it listens. */
  _bound() {
    return this.#listening ? this.#native.address() : null;
  }

  async #readLists() {
    const [allowed, blocked] = await Promise.all(
      ['AllowedClients', 'BlockedClients'].map((name) => resolveList(this.#settings.get(name))));
    this.#access = { allowed, blocked };
  }

  #access = { allowed: ['*'], blocked: [] };

  async #reconfigure() {
    if (!this._isListening()) return;
    await this.#readLists();
    this.#makeContext();
    this.#configure();
  }

  #configure() {
    if (this.#context === null) return;
    const settings = this.#settings;
    this.#native.configure(this._tlsParams(), {
      framing: this.#framing().native(),
      access: { ...this.#access, ask: this.listenerCount('ConnectionRequest') > 0 },
      noDelay: settings.isOn('TcpNoDelay'),
      keepAlive: this.#values.keepAlive,
      keepAliveDelay: settings.number('KeepAliveTime') / 1000,
      keepAliveInterval: settings.number('KeepAliveInterval') / 1000,
      receiveBuffer: settings.number('InBufferSize'),
      sendBuffer: settings.number('OutBufferSize'),
      idleTimeout: this.#values.idleTimeout * 1000,
      maxConnections: settings.number('MaxConnections'),
    });
  }

  _tlsParams() {
    const settings = this.#settings;
    return {
      context: this.#context,
      isServer: true,
      requestCert: this.#values.authenticateClients,
      rejectUnauthorized: false,
      hooks: this.#hooks(),
      handshakeTimeout: 0,
      handshakeInactivity: settings.number('DefaultConnectionTimeout') * 1000,
      verifyFlags: verifyFlags(settings),
      renegLimit: settings.isOn('SSLEnableRenegotiation') ? 3 : 0,
      renegWindow: 600,
    };
  }

  #hooks() {
    let bits = 0;
    if (this.listenerCount('ConnectionRequest') > 0) bits |= hooks.EAGER;
    if (this.listenerCount('SSLConnectionRequest') > 0) bits |= hooks.CERTIFICATE | hooks.OFFER;
    if (this.#values.authenticateClients) bits |= hooks.CLIENT_CERTIFICATE;
    if (this.#settings.get('SSLKeyLogFile') !== '') bits |= hooks.KEYLOG;
    if (this.#settings.isOn('LogSSLPackets')) bits |= hooks.RECORDS;
    return bits;
  }

  #framing() {
    const { eol, singleLineMode, maxLineLength } = this.#values;
    return new Framing({ eol, singleLineMode, maxLineLength });
  }

  // ---- what the listening socket tells

  async _onAccept(id, { address, port, allowed }) {
    const native = binding.claim(id);
    if (native === null) return;
    const request = eventObject({ address, port }, { accept: allowed });
    const answered = ask(this, 'ConnectionRequest', request, this.#patience());
    this.#happened();
    if (answered === true || await answered) this.#begin(native, id, request.accept === true);
    else native.close(false);
  }

  #begin(native, id, accepted) {
    if (!accepted || !this._isListening()) {
      native.close(false);
      return;
    }
    this.#add(native, id);
    native.start(this._tlsParams());
  }

  _onAdopt(id) {
    const native = binding.claim(id);
    if (native !== null) this.#add(native, id);
  }

  #add(native, id) {
    const handle = new ConnectionHandle(this, native, id);
    this.#handles.set(handle.connectionId, handle);
  }

  // Above MaxConnections.
  _onDrop({ remoteAddress = '' }) {
    const text = remoteAddress === '' ? '' : ` ${remoteAddress} was refused: MaxConnections is reached.`;
    this.#error('', 10024, describe(10024) + text);
  }

  _reportError(connectionId, error) {
    this.#error(connectionId, error.code ?? 270, error.message);
  }

  #error(connectionId, errorCode, description) {
    this.#tell('Error', { connectionId, errorCode, description });
  }

  #tell(event, fields) {
    if (this.listenerCount(event) > 0) this.emit(event, eventObject(fields));
    this.#happened();
  }

  #patience() {
    return this.#settings.number('DefaultConnectionTimeout') * 1000 || PATIENCE;
  }

  // ---- what a client's connection tells

  _onCertificateWanted(handle, offer) {
    return chooseCertificate(this, handle, offer, this.#patience());
  }

  _onClientCertificate(handle, verdict) {
    return judgeClient(this, handle, verdict, this.#patience(), this.#settings.isOn('SSLIncludeCertChain'));
  }

  _onKeylog(line) {
    appendFile(this.#settings.get('SSLKeyLogFile'), Buffer.from(line), { mode: 0o600 }, (error) => {
      if (error) this.#error('', 10013, error.message);
    });
  }

  _onTrace({ connectionId }, message) {
    this.#tell('SSLStatus', { connectionId, message });
  }

  _onSecure(handle) {
    const { connectionId, native } = handle;
    if (handle.connected) return;  // a renegotiation
    if (this.listenerCount('SSLStatus') > 0) {
      const { name, bits } = native.getCipher() ?? {};
      this.#tell('SSLStatus', { connectionId, message: `Handshake done: ${native.getProtocol()}, ${name}, ${bits} bits` });
    }
    handle.connected = handle.readyToSend = true;
    handle.timeout = this.#values.timeout;
    handle.public = Connection._of(handle, this.#framing(), this.#values.idleTimeout);
    this.#clients.set(connectionId, handle.public);
    this.#tell('Connected', { connectionId, statusCode: 0, description: describe(0) });
    if (handle.server !== null) this._onReadyToSend(handle);
  }

  _onReadyToSend({ connectionId }) {
    this.#tell('ReadyToSend', { connectionId });
  }

  _onMessage(handle, bytes, ended) {
    this._deliver(handle, bytes, ended);
    this.#happened();
  }

  _onClosed(handle) {
    const { connectionId } = handle;
    const [statusCode, description] = handle.status();
    this.#handles.delete(connectionId);
    if (handle.connected) {
      handle.connected = false;
      try {
        this.#tell('Disconnected', { connectionId, statusCode, description });
      } finally {
        this.#clients.delete(connectionId);
        handle.server = null;
        this.#countGone();
      }
      return;
    }
    handle.server = null;
    this.#countGone();
    // The handshake failed; a client that went away before it began is nobody's concern.
    const status = statusCode || 10054;
    this.#tell('Connected', { connectionId, statusCode: status, description: statusCode === 0 ? describe(status) : description });
  }

  #countGone() {
    if (this.#handles.size > 0) return;
    for (const resolve of this.#gone.splice(0)) resolve();
  }

  [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    return this.shutdown();
  }
}

// Who listens decides what is asked of a connection to come.
const ASKED = new Set(['ConnectionRequest', 'SSLConnectionRequest']);
for (const method of ['on', 'once', 'addListener', 'prependListener', 'prependOnceListener', 'off', 'removeListener',
  'removeAllListeners']) {
  SocketServer.prototype[method] = function(...args) {
    Reflect.apply(EventEmitter.prototype[method], this, args);
    if (this._isListening() && (args.length === 0 || ASKED.has(args[0]))) this._set('backlog', this._values.backlog);
    return this;
  };
}

function plain(key, checked) {
  return {
    get() { return this._values[key]; },
    set(value) { this._set(key, checked(value)); },
  };
}

const flagOf = (key, name) => ({ flag: true, ...plain(key, (value) => check.flag(value, name)) });
const wholeOf = (key, name, min, max) => plain(key, (value) => check.whole(value, name, min, max));

defineAccessors(SocketServer, {
  ConnectionBacklog: wholeOf('backlog', 'ConnectionBacklog', 0, MAX_BACKLOG),
  Connections: { get() { return this._connections; } },
  DefaultEOL: {
    get() { return new Uint8Array(this._values.eol); },
    set(value) { this._set('eol', check.copied(value, 'DefaultEOL')); },
  },
  DefaultIdleTimeout: wholeOf('idleTimeout', 'DefaultIdleTimeout', 0, SECONDS),
  DefaultMaxLineLength: plain('maxLineLength', checkLineLength),
  DefaultSingleLineMode: flagOf('singleLineMode', 'DefaultSingleLineMode'),
  DefaultTimeout: wholeOf('timeout', 'DefaultTimeout', 0, SECONDS),
  KeepAlive: flagOf('keepAlive', 'KeepAlive'),
  Linger: flagOf('linger', 'Linger'),
  Listening: { flag: true, get() { return this._isListening(); } },
  LocalHost: {
    get() { return this._bound() === null ? this._values.localHost : shownAddress(this._bound()); },
    set(value) {
      if (this._isListening()) throw failure(107);
      this._values.localHost = check.text(value, 'LocalHost').trim();
    },
  },
  LocalPort: {
    get() { return this._bound()?.port ?? this._values.localPort; },
    set(value) {
      if (this._isListening()) throw failure(106);
      this._values.localPort = check.whole(value, 'LocalPort', 0, PORTS);
    },
  },
  SSLAuthenticateClients: flagOf('authenticateClients', 'SSLAuthenticateClients'),
  SSLCert: {
    get() { return this._values.certificate; },
    set(value) {
      if (!(value instanceof Certificate)) throw check.invalid('SSLCert', 'a Certificate');
      this._useCertificate(value);
    },
  },
  SSLProvider: {
    get() { return this._values.provider; },
    set(value) {
      if (this._isListening()) throw failure(270, 'SSLProvider cannot be changed while listening.');
      this._values.provider = check.whole(value, 'SSLProvider', 0, 2);
    },
  },
});

module.exports = { SocketServer };
