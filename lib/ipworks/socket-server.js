'use strict';
// What SSLServer and WSServer have in common: listening, clients, certificates, settings.
const { appendFileSync } = require('fs');
const { EventEmitter } = require('events');
const binding = require('../core/binding');
const { plainAddress } = require('../core/plain-address');
const { resolveList } = require('./access-list');
const { Certificate } = require('./certificate');
const { listenerOptions, tlsParams } = require('./configuration');
const { ConnectionMap } = require('./client');
const { afterPromises } = require('./connection-handle');
const { ContextCache } = require('./context-cache');
const { ask } = require('./decisions');
const { Delivery } = require('./delivery');
const { IPWorksSSLError, describe, failure, numberOf } = require('./errors');
const { eventObject } = require('./event-objects');
const { chooseCertificate, judgeClient } = require('./handshake-events');
const { ListeningHandle, addressOf } = require('./listening');
const { negotiated } = require('./negotiated');
const { DONE } = require('./sender');
const { Settings, TCP, TLS, parseSetting } = require('./settings');
const { kIdentity } = require('./symbols');
const { createContext } = require('./tls-settings');
const check = require('./values');

const LEAST_QUEUE = 64 * 1024;
// A decision of a listener that returned a promise, unless DefaultConnectionTimeout says otherwise.
const PATIENCE = 30_000;
// A client that takes nothing of what is queued for so long, in milliseconds, is not waited for.
const LINGER = 60_000;
/** Errors that are the client's doing, not the program's: it has gone, or takes no more. */
const OF_CLIENT = new Set([126, 4202, 10055]);
const WOULD_BLOCK = 10035;
const UNKNOWN_HOST = 11001;
/** Errors of sends that interrupt() has ended, or the end of their client, which Disconnected tells. */
const TOLD_OTHERWISE = new Set([10004, 10054, 4202]);
const ANYBODY = { allowed: ['*'], blocked: [] };

/** Properties that a change of which makes another context. */
const OF_CONTEXT = new Set(['authenticateClients', 'certificate']);
/** Whether there are listeners of them decides what is asked of connections to come. */
const ASKED = new Set(['ConnectionRequest', 'SSLConnectionRequest']);

class SocketServer extends EventEmitter {
  #settings;
  #initialValues;
  #values;
  #starting = null;                // promise of startListening()
  #listening = null;               // ListeningHandle
  #listeners = new Set();          // those of before too, while connections come from them
  #context = null;
  #alternatives = new ContextCache();
  #access = ANYBODY;
  #listsRead = 0;                  // how often
  #handles = new Map();            // by ConnectionId, also those whose handshake is under way
  #speaker = null;                 // the handle whose data came last: it is mostly the one that is answered
  #clients = new Map();            // connected ones, as programs see them
  #connections = new ConnectionMap(this.#clients);
  #gone = [];                      // who waits for the last client to go
  #eventSeen = new Set();          // who waits in doEvents()

  /**
   * @param {Record<string, object>} settings the component's table
   * @param {() => object} initialValues of its properties
   */
  constructor(settings, initialValues) {
    super();
    this.#settings = new Settings(settings);
    this.#initialValues = initialValues;
    this.#values = initialValues();
  }

  get _settings() { return this.#settings; }
  get _values() { return this.#values; }
  get _connections() { return this.#connections; }
  get _handles() { return this.#handles; }

  // ---- settings

  /** Sets or reads a configuration setting. */
  async config(configurationString) {
    const { name, connectionId, value } = parseSetting(check.text(configurationString, 'configurationString'));
    if (connectionId !== null) return this._configOf(connectionId, name, value);
    const settings = this.#settings;
    const before = settings.get(name);
    if (value === null) return before;
    const stored = settings.set(name, value, this._isListening());
    try {
      await this._settingChanged(name);
    } catch (error) {
      settings.restore(name, before);
      throw error;
    }
    return stored;
  }

  // A setting of one connection.
  _configOf(connectionId, name, value) {
    if (value !== null) throw check.invalid(name, 'read only');
    return negotiated(this._handle(connectionId), name);
  }

  async _settingChanged(name) {
    if (this.#starting !== null) await this.#starting.catch(() => {});
    if (this.#listening === null) return;
    const isTls = this.#settings.isOf(TLS, name);
    if (!isTls && !this.#settings.isOf(TCP, name)) return;
    if (isTls) this.#makeContext();
    else await this.#readLists();
    this._configure();
  }

  /** A property that connections to come will have. */
  _set(key, value) {
    const before = this.#values[key];
    this.#values[key] = value;
    if (this.#listening === null) return;
    try {
      if (OF_CONTEXT.has(key)) this.#makeContext();
      this._configure();
    } catch (error) {
      this.#values[key] = before;
      throw error;
    }
  }

  _isListening() {
    return this.#listening !== null || this.#starting !== null;
  }

  // ---- listening

  /** Binds LocalHost and LocalPort, and accepts. */
  async startListening() {
    if (this._isListening()) throw failure(104);
    this.#starting = this.#start();
    try {
      await this.#starting;
    } finally {
      this.#starting = null;
    }
  }

  async #start() {
    const values = this.#values;
    const mode = this.#settings.number('UseIPv6');
    const [address] = await Promise.all([addressOf(values.localHost, mode), this.#readLists()]);
    // What was changed meanwhile counts.
    this.#makeContext();
    const listening = new ListeningHandle(this);
    this._configure(listening);
    this.#countElsewhere(listening);
    listening.listen(address, {
      port: values.localPort,
      backlog: values.backlog,
      mode,
      shared: !this.#settings.isOn('BindExclusively'),
    });
    this.#listeners.add(listening);
    listening.ended.then(() => this.#listeners.delete(listening));
    this.#listening = listening;
  }

  /** The port is free afterwards; connections stay. */
  async stopListening() {
    if (this.#starting !== null) await this.#starting.catch(() => {});
    const listening = this.#listening;
    this.#listening = null;
    listening?.close();
  }

  /** Stops listening, and ends every client. */
  async shutdown() {
    await this.stopListening();
    const ended = [...this.#listeners].map((listening) => {
      listening.abort();
      return listening.ended;
    });
    for (const handle of this.#handles.values()) handle.disconnect();
    await Promise.all(ended);
    if (this.#handles.size > 0) await new Promise((resolve) => { this.#gone.push(resolve); });
  }

  /** Back to the defaults; listens no more. */
  async reset() {
    await this.shutdown();
    this.#values = this.#initialValues();
    this.#settings.reset();
    this.#context = null;
  }

  /** Resolves when an event came, or after SelectWaitMillis. */
  async doEvents() {
    await new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#eventSeen.delete(done);
        setImmediate(resolve);
      };
      const timer = setTimeout(done, this.#settings.number('SelectWaitMillis'));
      this.#eventSeen.add(done);
    });
  }

  _happened() {
    if (this.#eventSeen.size === 0) return;
    for (const done of this.#eventSeen) done();
  }

  // ---- one client

  _handle(connectionId) {
    const speaker = this.#speaker;
    if (speaker !== null && speaker.connectionId === connectionId && speaker.connected) return speaker;
    const handle = this.#handles.get(String(connectionId));
    if (handle === undefined || !handle.connected) throw failure(126);
    return handle;
  }

  async disconnect(connectionId) {
    this._handle(connectionId).disconnect();
  }

  async pauseData(connectionId) {
    this._handle(connectionId).pause();
  }

  async processData(connectionId) {
    this._handle(connectionId).resume();
  }

  async interrupt(connectionId) {
    this._handle(connectionId).sender.interrupt();
  }

  /** Sends a file; `onProgress(sent, total)` is told how far it came, in bytes. */
  sendFile(connectionId, fileName, onProgress) {
    return this._give(connectionId, ({ sender }) => {
      if (onProgress !== undefined && typeof onProgress !== 'function') throw check.invalid('onProgress', 'a function');
      return sender.sendFile(check.text(fileName, 'fileName'), onProgress);
    });
  }

  // Not an async function: a send that is done at once makes no promise of its own, and they settle in order.
  _give(connectionId, act) {
    let handle;
    let given;
    try {
      handle = this._handle(connectionId);
      given = act(handle);
    } catch (error) {
      const refused = Promise.reject(error);
      // A client that goes must not end a program that does not look at what a send comes to.
      if (OF_CLIENT.has(error.code)) refused.catch(() => {});
      return refused;
    }
    return given === DONE ? given : Delivery.of(given, (error) => this.#onUnseen(handle, error));
  }

  // A failure of a send that the program does not look at. A full queue is told once, until there is room.
  #onUnseen(handle, error) {
    const { sender, closed, leaving, connectionId } = handle;
    if (closed || leaving || TOLD_OTHERWISE.has(error.code)) return;
    if (error.code === WOULD_BLOCK && !sender.tellFull()) return;
    this._reportError(connectionId, error);
  }

  _sendLimit() {
    return Math.max(LEAST_QUEUE, this.#settings.number('OutBufferSize'));
  }

  _lingerTime() {
    return LINGER;
  }

  // ---- configuration of the native listener

  #makeContext() {
    this.#alternatives.clear();
    if (!this._usesTls()) return;
    const { certificate } = this.#values;
    const identity = certificate[kIdentity];
    if (identity === null) throw failure(282);
    this.#context = createContext(this.#settings, identity, this.#values);
  }

  /** A context for another certificate than SSLCert. */
  _alternative(type, store, password, subject) {
    return this.#alternatives.get(type, store, password, subject, () => {
      const identity = new Certificate(type, store, password, subject)[kIdentity];
      if (identity === null) throw failure(272, 'It has no private key.');
      return createContext(this.#settings, identity, this.#values);
    });
  }

  /** `{ address, family, port }` while it listens. */
  _bound() {
    return this.#listening?.native.address() ?? null;
  }

  async #readLists() {
    const turn = ++this.#listsRead;
    const [allowed, blocked] = await Promise.all(['AllowedClients', 'BlockedClients'].map((name) =>
      resolveList(this.#settings.get(name), (host) => process.nextTick(() => this.#onUnknownHost(name, host)))));
    // Names of an earlier list may take longer.
    if (turn === this.#listsRead) this.#access = { allowed, blocked };
  }

  #onUnknownHost(name, host) {
    this._error('', UNKNOWN_HOST, `${describe(UNKNOWN_HOST)} ${name}: ${host}`);
  }

  _configure(listening = this.#listening) {
    const present = listening.remember(this._defaults());
    listening.native.configure(this.#tlsParams(), {
      ...listenerOptions(this, this.#values, this.#settings, {
        generation: present.generation, access: this.#access,
      }),
      ...this._reception(present),
    });
  }

  // Clients of an earlier listening socket count among MaxConnections.
  #countElsewhere(listening = this.#listening) {
    listening?.native.setElsewhere(this.#handles.size - listening.clients);
  }

  #tlsParams() {
    return this._usesTls() ? tlsParams(this, this.#values, this.#settings, this.#context) : null;
  }

  _usesTls() {
    return true;
  }

  // ---- what the listening socket tells

  _onAccept(listening, id, { address, port, allowed }) {
    const native = binding.claim(id);
    if (native === null) return;
    const request = eventObject({ address: plainAddress(address), port }, { accept: allowed });
    try {
      ask(this, 'ConnectionRequest', request, this._patience(), (answered) => {
        if (answered && request.accept === true && this.#listening !== null) this.#begin(listening, native, id);
        else native.close(false);
      });
    } finally {
      this._happened();
    }
  }

  #begin(listening, native, id) {
    this.#add(listening, native, id);
    native.start(this.#tlsParams());
    native.readStart();
  }

  _onAdopt(listening, id) {
    const native = binding.claim(id);
    if (native !== null) this.#add(listening, native, id);
  }

  #add(listening, native, id) {
    const handle = this._handleFor(native, id, listening);
    this.#handles.set(handle.connectionId, handle);
    listening.clients++;
    if (listening !== this.#listening) this.#countElsewhere();
  }

  // Above MaxConnections.
  _onDrop(address) {
    this._error('', 10024, `${describe(10024)} ${address} was refused: MaxConnections is reached.`);
  }

  _reportError(connectionId, error) {
    const code = error instanceof IPWorksSSLError ? error.code : numberOf(error, 270);
    this._error(connectionId, code, error.message);
  }

  _error(connectionId, errorCode, description) {
    this._tell('Error', { connectionId, errorCode, description });
  }

  _tell(event, fields) {
    this._happened();
    if (this.listenerCount(event) > 0) this.emit(event, eventObject(fields));
  }

  _tellData(handle, event) {
    this.#speaker = handle;
    handle.reader?.push(event);
    this.emit('DataIn', event);
  }

  _patience() {
    return this.#settings.number('DefaultConnectionTimeout') * 1000 || PATIENCE;
  }

  // ---- what a client's connection tells

  _onCertificateWanted(handle, offer) {
    this._happened();
    chooseCertificate(this, handle, offer, this._patience());
  }

  _onClientCertificate(handle, verdict) {
    this._happened();
    judgeClient(this, handle, verdict, this._patience(), this.#settings.isOn('SSLIncludeCertChain'));
  }

  // At once, so that the lines of one handshake stay together and none is lost. It is for debugging.
  _onKeylog(line) {
    try {
      appendFileSync(this.#settings.get('SSLKeyLogFile'), line, { mode: 0o600 });
    } catch (error) {
      this._error('', numberOf(error, 10013), `SSLKeyLogFile: ${error.message}`);
    }
  }

  _onTrace({ connectionId }, message) {
    this._tell('SSLStatus', { connectionId, message });
  }

  _enter(handle, client) {
    handle.public = client;
    this.#clients.set(handle.connectionId, client);
  }

  // Events between which promise jobs run, as between all events of a connection; data comes behind them.
  _welcome(handle) {
    const { connectionId } = handle;
    afterPromises(() => {
      afterPromises(() => handle.begin());
      this._onReadyToSend(handle);
    });
    this._tell('Connected', { connectionId, statusCode: 0, description: describe(0) });
  }

  _tellHandshake({ connectionId, native }) {
    const { name, bits } = native.getCipher() ?? {};
    this._tell('SSLStatus', { connectionId, message: `Handshake done: ${native.getProtocol()}, ${name}, ${bits} bits` });
  }

  _onReadyToSend(handle) {
    if (!handle.leaving) this._tell('ReadyToSend', { connectionId: handle.connectionId });
  }

  _onClosed(handle) {
    const { connectionId, connected } = handle;
    const status = handle.status();
    handle.connected = false;
    try {
      this._tellEnd(handle, connected, status);
    } finally {
      handle.reader?.end();
      handle.server = null;
      this.#clients.delete(connectionId);
      this.#handles.delete(connectionId);
      if (this.#speaker === handle) this.#speaker = null;
      handle.listening.clients--;
      if (handle.listening !== this.#listening) this.#countElsewhere();
      if (this.#handles.size === 0) for (const resolve of this.#gone.splice(0)) resolve();
    }
  }

  // ---- listeners

  #listenersChanged(event) {
    if (this.#listening !== null && (event === undefined || ASKED.has(event))) this._configure();
    return this;
  }

  on(event, listener) {
    super.on(event, listener);
    return this.#listenersChanged(event);
  }

  addListener(event, listener) {
    return this.on(event, listener);
  }

  prependListener(event, listener) {
    super.prependListener(event, listener);
    return this.#listenersChanged(event);
  }

  removeListener(event, listener) {
    super.removeListener(event, listener);
    return this.#listenersChanged(event);
  }

  off(event, listener) {
    return this.removeListener(event, listener);
  }

  removeAllListeners(...events) {
    super.removeAllListeners(...events);
    return this.#listenersChanged(...events);
  }

  [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    return this.shutdown();
  }
}

module.exports = { SocketServer };
