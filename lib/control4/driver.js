'use strict';
// A driver: Control4's server functions, with the servers, handles and callbacks of one driver.
const EventEmitter = require('events');
const net = require('net');
const path = require('path');
const check = require('../core/validate');
const { codes } = require('../core/errors');
const { readBytes, readPayload, readPort, refuse, wholeNumber } = require('./arguments');
const { Context, DATA } = require('./context');
const { readLimits } = require('./limits');
const { DatagramServer, StreamServer } = require('./server');
const { readTlsSettings } = require('./tls-settings');

const ENCODINGS = ['latin1', 'utf8'];
const DAY = 24 * 3600 * 1000;

function readSettings(options) {
  check.object(options, 'options');
  const { c4zDir = '.', sandboxDir, encoding, limits, delimiterTimeoutMs = 0, directorQuirks = false } = options;
  check.string(c4zDir, 'options.c4zDir');
  if (sandboxDir !== undefined) check.string(sandboxDir, 'options.sandboxDir');
  if (encoding !== undefined && !ENCODINGS.includes(encoding)) {
    throw new codes.ERR_INVALID_ARG_VALUE('options.encoding', encoding, `must be of ${ENCODINGS.join(', ')}`);
  }
  check.integer(delimiterTimeoutMs, 'options.delimiterTimeoutMs', 0, DAY);
  check.boolean(directorQuirks, 'options.directorQuirks');
  const bases = [{ name: 'C4Z', path: path.resolve(c4zDir) }];
  if (sandboxDir !== undefined) bases.push({ name: 'SANDBOX', path: path.resolve(sandboxDir) });
  return {
    encoding: encoding ?? null, limits: readLimits(limits), bases, delimiterTimeout: delimiterTimeoutMs, directorQuirks,
  };
}

class Driver extends EventEmitter {
  #context;

  /**
   * @param {object} [options] c4zDir, sandboxDir, encoding, limits, delimiterTimeoutMs, directorQuirks
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE
   */
  constructor(options = {}) {
    super();
    this.#context = new Context(this, readSettings(options));
    this.OnServerStatusChanged = null;
    this.OnServerConnectionStatusChanged = null;
    this.OnServerDataIn = null;
  }

  // ---- Control4's functions. They never throw.

  CreateServer(port, delimiter, useUDP, identifier) {
    return this.#create(() => {
      const settings = { port: readPort(port), delimiter: this.#delimiter(delimiter), identifier };
      return new (useUDP ? DatagramServer : StreamServer)(this.#context, settings);
    });
  }

  CreateTLSServer(
    port, delimiter, options, verifyMode, cipherList, certificate, privateKey, password, chain, identifier) {
    return this.#create(() => {
      const { bases, limits } = this.#context;
      const settings = { port: readPort(port), delimiter: this.#delimiter(delimiter), identifier };
      const given = { options, verifyMode, cipherList, certificate, privateKey, password, chain };
      settings.params = readTlsSettings(given, bases, limits.handshakeTimeoutMs);
      return new StreamServer(this.#context, settings);
    });
  }

  DestroyServer(port) {
    const all = port === undefined || port === null;
    const wanted = wholeNumber(port, 0xffff);
    for (const server of [...this.#context.servers]) if (all || server.isAt(wanted)) server.destroy();
  }

  ServerSend(handle, payload, address) {
    const context = this.#context;
    const bytes = readPayload(payload, context.encoding ?? 'utf8');
    if (bytes === null) return false;
    if (typeof address === 'string' && net.isIP(address) !== 0) return this.#sendTo(handle, bytes, address);
    const end = context.ends.get(typeof handle === 'string' ? Number(handle) : handle);
    return end !== undefined && end.send(bytes);
  }

  ServerCloseClient(handle) {
    this.#context.ends.get(typeof handle === 'string' ? Number(handle) : handle)?.finish();
  }

  // ---- beyond Control4

  /** Lets the process end although servers listen and connections are open. */
  unref() {
    this.#context.setRef(false);
    return this;
  }

  ref() {
    this.#context.setRef(true);
    return this;
  }

  /** Destroys all servers; resolves when their connections have delivered what was sent, and are closed. */
  close() {
    this.DestroyServer();
    const { targets, whenIdle } = this.#context;
    return new Promise((resolve) => {
      if (targets.size === 0) process.nextTick(resolve);
      else whenIdle.push(resolve);
    });
  }

  [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    return this.close();
  }

  // Of EventEmitter: once() calls the first, prependOnceListener() the last.
  on(name, listener) {
    if (name === DATA) this.#context.pace();
    return super.on(name, listener);
  }

  addListener(name, listener) {
    return this.on(name, listener);
  }

  prependListener(name, listener) {
    if (name === DATA) this.#context.pace();
    return super.prependListener(name, listener);
  }

  #delimiter(value) {
    const bytes = readBytes(value, 'delimiter', this.#context.encoding ?? 'utf8');
    const { maxDelimiterBuffer } = this.#context.limits;
    if (bytes.length > maxDelimiterBuffer) refuse(`delimiter is longer than maxDelimiterBuffer, ${maxDelimiterBuffer} bytes`);
    return bytes;
  }

  #create(make) {
    try {
      make();
      return [true];
    } catch (error) {
      // A controller says nothing of a port that another driver has.
      if (this.#context.directorQuirks && error.code === 'EADDRINUSE') return [true];
      return [false, error.message];
    }
  }

  // From the UDP server at that port when there is one, as with discovery, else from the oldest.
  #sendTo(port, bytes, address) {
    const servers = [...this.#context.servers].filter((server) => server instanceof DatagramServer);
    const to = wholeNumber(port, 0xffff);
    const from = servers.find((server) => server.port === to) ?? servers[0];
    return from !== undefined && to > 0 && from.sendTo(address, to, bytes);
  }
}

module.exports = { Driver };
