'use strict';
// The listening socket of a component: addresses, and the events of the native listener.
const dns = require('dns');
const net = require('net');
const os = require('os');
const binding = require('../core/binding');
const { bindAnywhere } = require('../core/bind-anywhere');
const { Target } = require('../core/dispatch');
const { kinds } = require('../core/events');
const { plainAddress } = require('../core/plain-address');
const { failure, numbered } = require('./errors');

/** Values of UseIPv6. */
const IPV4_ONLY = 0;
const IPV6_ONLY = 1;
const BOTH = 2;
const ANY = '::';

const WRONG_FAMILY = 10047;
// Connections whose handshake began so many changes of the properties ago get the present ones.
const REMEMBERED = 64;

class ListeningHandle extends Target {
  /** @param {object} server that is told: see socket-server.js */
  constructor(server) {
    super('SSLSERVERLISTENER');
    this.server = server;
    this.native = new binding.Listener();
    /** Resolves when no connection comes from here any more. */
    this.ended = new Promise((resolve) => { this.end = resolve; });
    this.defaults = new Map();     // by generation, oldest first
    this.clients = 0;              // that came from here, also those whose handshake is under way
  }

  /**
   * What connections to come have, with a generation number.
   * @param {{ framing: import('./framing').Framing, idleTimeout: number, timeout: number, linger: boolean }} defaults
   */
  remember(defaults) {
    const generation = (this.latest?.generation ?? 0) + 1;
    this.latest = { generation, ...defaults };
    this.defaults.set(generation, this.latest);
    if (this.defaults.size > REMEMBERED) this.defaults.delete(generation - REMEMBERED);
    return this.latest;
  }

  /** What a connection has that came from here: the properties when it was accepted. */
  defaultsOf(native) {
    return this.defaults.get(native.generation) ?? this.latest;
  }

  /**
   * Binds and listens; configure the native listener before.
   * @param {string} address
   * @param {{ port: number, backlog: number, mode: number, shared: boolean }} options `mode`: UseIPv6
   */
  listen(address, { port, backlog, mode, shared }) {
    const bind = (ip) => this.native.listenTcp(ip, port, backlog, mode === IPV6_ONLY, shared, !shared);
    try {
      // There may be no IPv6 on this machine.
      this.attach(mode === BOTH && address === ANY ? bindAnywhere(bind) : bind(address));
    } catch (error) {
      throw error.errno === undefined ? failure(270, error.message, { cause: error }) : numbered(error, 10022);
    }
  }

  onEvent(kind, arg, payload) {
    switch (kind) {
      case kinds.ACCEPT: this.server._onAccept(this, arg, JSON.parse(payload.toString())); break;
      case kinds.ADOPT: this.server._onAdopt(this, arg); break;
      case kinds.DROP: this.server._onDrop(plainAddress(JSON.parse(payload.toString()).remoteAddress)); break;
      case kinds.PENDING_ZERO: this.onEnd(); break;
    }
  }

  onEnd() {
    this.detach();
    this.end();
  }

  /** The port is free when this returns. Handshakes under way go on. */
  close() {
    this.native.close();
  }

  /** And those that nobody has heard of end. */
  abort() {
    this.native.abort();
  }
}

/** The address to bind: of LocalHost, or any. */
async function addressOf(host, mode) {
  if (host === '') return mode === IPV4_ONLY ? '0.0.0.0' : ANY;
  const wanted = mode === IPV6_ONLY ? 6 : mode === IPV4_ONLY ? 4 : 0;
  const family = net.isIP(host);
  if (family !== 0) {
    if (wanted === 0 || family === wanted) return host;
    throw failure(WRONG_FAMILY, `UseIPv6 is ${mode}.`);
  }
  try {
    return (await dns.promises.lookup(host, { family: wanted })).address;
  } catch (error) {
    throw numbered(error, 11001);
  }
}

/** The machine's own address: what LocalHost shows of a socket that is bound to all. */
function ownAddress(family) {
  const found = Object.values(os.networkInterfaces()).flat()
    .find((entry) => entry.family === family && !entry.internal);
  return found?.address ?? (family === 'IPv6' ? '::1' : '127.0.0.1');
}

/** An address as LocalHost shows it. */
function shownAddress({ address, family }) {
  return address === '0.0.0.0' || address === ANY ? ownAddress(family) : address;
}

module.exports = { ListeningHandle, addressOf, shownAddress };
