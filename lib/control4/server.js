'use strict';
// The listening servers of a driver.
const binding = require('../core/binding');
const { bindAnywhere } = require('../core/bind-anywhere');
const { Target } = require('../core/dispatch');
const { listenError } = require('../core/errors');
const { kinds } = require('../core/events');
const { plainAddress } = require('../core/plain-address');
const { Connection } = require('./connection');
const { handleOf } = require('./handles');

const BACKLOG = 511;
const EMPTY = Buffer.alloc(0);

// What TCP, TLS and UDP servers have in common: a port, and a status that is told once each.
class Server extends Target {
  constructor(type, context, { port, identifier }) {
    super(type);
    this.context = context;
    this.asked = port;             // 0: the system chose
    this.port = 0;
    this.identifier = identifier;
    this.destroyed = false;
    this.announced = false;
  }

  /** Binds with `bind(address)`, and has ONLINE told once the caller has returned. */
  open(bind) {
    let id;
    try {
      id = bindAnywhere(bind);
    } catch (error) {
      throw error.errno === undefined ? error : listenError(error, error.address ?? '0.0.0.0', this.asked);
    }
    this.port = this.native.address().port;
    const { context } = this;
    context.servers.add(this);
    context.add(this);
    this.attach(id);
    process.nextTick(() => {
      if (this.destroyed) return;
      this.announced = true;
      context.serverStatus(this, 'ONLINE');
    });
    return this;
  }

  /** True for what DestroyServer(port) means. */
  isAt(port) {
    return this.port === port || this.asked === port;
  }

  /** The port is free when this returns; callbacks follow. */
  destroy() {
    if (this.destroyed) return;
    this.destroyed = true;
    this.context.servers.delete(this);
    this.counts = false;           // what is still to be delivered keeps the process alive, this does not
    this.updateHold();
    this.shut();
    process.nextTick(() => {
      this.tellEnds();
      if (this.announced) this.context.serverStatus(this, 'OFFLINE');
    });
  }

  gone() {
    this.destroy();                // also when the system took the socket away
    this.detach();
    this.context.remove(this);
  }
}

/** Plain TCP, or TLS when `params` describes it. */
class StreamServer extends Server {
  constructor(context, { port, delimiter, identifier, params = null }) {
    super('C4SERVER', context, { port, identifier });
    const { limits } = context;
    this.connections = new Set();
    this.native = new binding.Listener();
    this.native.configure(params, {
      noDelay: true,
      maxConnections: limits.maxConnections,
      framing: delimiter.length === 0 ? { kind: 'chunks' } : {
        kind: 'delimiter',
        delimiter,
        keep: true,
        limit: limits.maxDelimiterBuffer,
        failOnOverflow: true,
        timeout: context.delimiterTimeout,
      },
    });
    this.open((address) => this.native.listenTcp(address, port, BACKLOG, false, false));
  }

  onEvent(kind, arg, payload) {
    switch (kind) {
      case kinds.ADOPT: this.onAdopted(arg); break;
      case kinds.DROP: this.onDropped(JSON.parse(payload.toString())); break;
      case kinds.PENDING_ZERO: this.gone(); break;
    }
  }

  onAdopted(id) {
    const connection = new Connection(this, id);
    this.connections.add(connection);
    if (this.destroyed) connection.close(false);
  }

  onDropped({ remoteAddress }) {
    this.context.limit('maxConnections', this, { address: plainAddress(remoteAddress) });
  }

  shut() {
    this.native.abort();
    for (const connection of this.connections) connection.finish();
  }

  tellEnds() {
    for (const connection of this.connections) connection.tellOffline();
  }
}

class DatagramServer extends Server {
  constructor(context, { port, identifier }) {
    super('C4UDPSERVER', context, { port, identifier });
    const { maxUdpPeers, udpPeerIdleMs } = context.limits;
    this.peers = new Map();        // by native number
    this.native = new binding.Datagram();
    this.open((address) => this.native.bind(address, port, { maxPeers: maxUdpPeers, peerIdle: udpPeerIdleMs }));
  }

  onEvent(kind, arg, payload) {
    switch (kind) {
      case kinds.DATAGRAM: this.onDatagram(this.peers.get(arg), payload); break;
      case kinds.PEER: this.onPeer(arg, JSON.parse(payload.toString())); break;
      case kinds.PEER_GONE: this.onPeerGone(this.peers.get(arg), payload !== null); break;
      case kinds.LISTENER_CLOSED: this.gone(); break;
    }
  }

  onPeer(id, { address, port }) {
    const peer = new Peer(this, id, plainAddress(address), port);
    this.peers.set(id, peer);
    if (!this.destroyed) this.context.ends.set(peer.handle, peer);
  }

  onDatagram(peer, payload) {
    if (peer !== undefined && !this.destroyed) this.context.dataIn(peer, payload ?? EMPTY);
  }

  onPeerGone(peer, isPushedOut) {
    if (peer === undefined) return;
    this.peers.delete(peer.id);
    this.context.ends.delete(peer.handle);
    if (isPushedOut) this.context.limit('maxUdpPeers', this, { handle: peer.handle, address: peer.address });
  }

  /** One datagram to any address. */
  sendTo(address, port, bytes) {
    return this.native.sendTo(address, port, bytes);
  }

  shut() {
    this.native.close();
    for (const { handle } of this.peers.values()) this.context.ends.delete(handle);
  }

  // Peers have no status.
  tellEnds() {}
}

/** Whoever has sent to a UDP server lately. */
class Peer {
  constructor(server, id, address, port) {
    this.server = server;
    this.id = id;
    this.handle = handleOf(id);
    this.address = address;
    this.port = port;
  }

  send(bytes) {
    return this.server.native.send(this.id, bytes);
  }

  // There is no connection to close.
  finish() {}
}

module.exports = { DatagramServer, StreamServer };
