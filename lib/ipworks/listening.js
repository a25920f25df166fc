'use strict';
// The listening socket of a component: addresses, and the events of the native listener.
const dns = require('dns');
const net = require('net');
const os = require('os');
const { Target } = require('../core/dispatch');
const { kinds } = require('../core/events');
const { failure, numbered } = require('./errors');

const IPV6_ONLY = 1;
const BOTH = 2;

class ListeningHandle extends Target {
  /** @param {object} server that is told: see socket-server.js */
  constructor(server, native, id) {
    super('SSLSERVERLISTENER');
    this.server = server;
    this.native = native;
    this.ended = new Promise((resolve) => { this.end = resolve; });
    this.attach(id);
  }

  onEvent(kind, arg, payload) {
    switch (kind) {
      case kinds.ACCEPT: this.server._onAccept(arg, JSON.parse(payload.toString())); break;
      case kinds.ADOPT: this.server._onAdopt(arg); break;
      case kinds.DROP: this.server._onDrop(payload === null ? {} : JSON.parse(payload.toString())); break;
      case kinds.PENDING_ZERO: this.detach(); this.end(); break;
    }
  }

  close() {
    this.native.close();
    return this.ended;
  }
}

// The address to bind: of LocalHost, or any.
async function addressOf(host, mode) {
  if (host === '') return mode === IPV6_ONLY || mode === BOTH ? '::' : '0.0.0.0';
  if (net.isIP(host) !== 0) return host;
  const family = mode === IPV6_ONLY ? 6 : mode === BOTH ? 0 : 4;
  try {
    return (await dns.promises.lookup(host, { family })).address;
  } catch (error) {
    throw numbered(error, 11001);
  }
}

/**
 * Binds and listens.
 * @param {object} server
 * @param {object} native a configured listener
 * @param {{ host: string, port: number, backlog: number, mode: number, shared: boolean }} options `mode`: UseIPv6
 * @returns {Promise<ListeningHandle>}
 */
async function listen(server, native, { host, port, backlog, mode, shared }) {
  const address = await addressOf(host, mode);
  const bind = (ip) => native.listenTcp(ip, port, backlog, mode === IPV6_ONLY, shared);
  let id;
  try {
    id = bind(address);
  } catch (error) {
    // No IPv6 on this machine.
    const fallBack = mode === BOTH && host === '' && error.code === 'EAFNOSUPPORT';
    if (!fallBack) throw listenFailure(error);
    try {
      id = bind('0.0.0.0');
    } catch (again) {
      throw listenFailure(again);
    }
  }
  return new ListeningHandle(server, native, id);
}

const listenFailure = (error) => error.errno === undefined ? failure(270, error.message, { cause: error }) :
  numbered(error, 10022);

/** The machine's own address: what LocalHost shows of a socket that is bound to all. */
function ownAddress(family) {
  const found = Object.values(os.networkInterfaces()).flat()
    .find((entry) => entry.family === family && !entry.internal);
  return found?.address ?? (family === 'IPv6' ? '::1' : '127.0.0.1');
}

/** An address as LocalHost shows it. */
function shownAddress({ address, family }) {
  return address === '0.0.0.0' || address === '::' ? ownAddress(family) : address;
}

module.exports = { listen, shownAddress };
