'use strict';
// One TCP or TLS connection of a server.
const binding = require('../core/binding');
const { Target } = require('../core/dispatch');
const { connReset, systemError, tlsError } = require('../core/errors');
const { kinds } = require('../core/events');
const { handleOf } = require('./handles');
const { plainAddress } = require('../core/plain-address');

const HANDSHAKE = 0;
const ONLINE = 1;
const CLOSING = 2;

const EMPTY = Buffer.alloc(0);
const TOO_LARGE = 'ERR_C4TLS_MESSAGE_TOO_LARGE';
/** The event's argument when a system call failed. */
const SYSTEM = 2;

const hungUp = () => connReset('socket hang up');

class Connection extends Target {
  /** @param {number} id of an accepted native connection */
  constructor(server, id) {
    super('C4CONNECTION');
    this.server = server;
    this.context = server.context;
    this.native = binding.claim(id);
    this.handle = 0;               // until it is online, and again when OFFLINE is told
    this.state = HANDSHAKE;
    const peer = this.native.getpeername();
    this.address = plainAddress(peer?.address);
    this.port = peer?.port ?? 0;
    this.context.add(this);
    this.attach(id);
  }

  onEvent(kind, arg, payload) {
    switch (kind) {
      case kinds.MESSAGE:
        if (this.state === ONLINE) this.context.dataIn(this, payload ?? EMPTY);
        break;
      case kinds.SECURE: this.onSecure(); break;
      case kinds.EOF: this.onEnd(); break;
      case kinds.ERROR: this.onError(arg, JSON.parse(payload.toString())); break;
      case kinds.CLOSED: this.onClosed(); break;
    }
  }

  onSecure() {
    if (this.state !== HANDSHAKE) return;
    this.state = ONLINE;
    this.handle = handleOf(this.id);
    this.context.ends.set(this.handle, this);
    this.context.connectionStatus(this, 'ONLINE');
  }

  onEnd() {
    if (this.state === HANDSHAKE) this.handshakeFailed(hungUp());
    this.finish();
  }

  onError(arg, description) {
    const error = arg === SYSTEM ? systemError(description) : tlsError(description);
    if (this.state === HANDSHAKE) this.handshakeFailed(error);
    // After DestroyServer the driver has heard OFFLINE: it knows the connection no more.
    else if (this.handle !== 0) this.broken(error);
    this.close(false);
  }

  onClosed() {
    if (this.state === HANDSHAKE) this.handshakeFailed(hungUp());
    this.state = CLOSING;
    this.detach();
    this.native.close(false);      // lets the native session go
    this.server.connections.delete(this);
    this.context.remove(this);
    this.tellOffline();
  }

  broken(error) {
    if (error.code === TOO_LARGE) this.overLimit('maxDelimiterBuffer');
    else this.context.tellListeners('connectionError', [error, { handle: this.handle, ...this.described() }]);
  }

  handshakeFailed(error) {
    // Who stopped listening is not told of those who have not come in yet.
    if (!this.server.destroyed) this.context.tellListeners('handshakeError', [error, this.described()]);
  }

  described() {
    const { address, server: { port, identifier } } = this;
    return { port, address, identifier };
  }

  overLimit(name) {
    this.context.limit(name, this.server, { handle: this.handle, address: this.address });
  }

  /** OFFLINE, once, when ONLINE was told. */
  tellOffline() {
    if (this.handle === 0) return;
    this.context.ends.delete(this.handle);
    this.context.connectionStatus(this, 'OFFLINE');
    this.handle = 0;
  }

  // ---- what the driver asks for

  /** Queues bytes behind those that wait. False: the connection is not there any more, or its peer does not read. */
  send(bytes) {
    if (this.state !== ONLINE) return false;
    const { length } = bytes;
    if (length === 0) return true;
    let taken = binding.send(this.id, bytes, this.context.limits.maxPendingSend, true);
    // The limit is on what piles up: a payload alone may be larger.
    if (taken === 0 && this.native.pendingBytes() === 0) taken = binding.send(this.id, bytes, length, true);
    if (taken === length) return true;
    if (taken === 0) {
      this.overLimit('maxPendingSend');
      this.close(true);
    }
    return false;
  }

  /** Closes when everything that was sent is delivered; the handle takes nothing more. */
  finish() {
    if (this.state === ONLINE) {
      this.state = CLOSING;
      this.native.finish(this.context.limits.closeTimeoutMs);
    } else if (this.state === HANDSHAKE) {
      this.close(false);
    }
  }

  close(reset) {
    this.state = CLOSING;
    this.native.close(reset);
  }
}

module.exports = { Connection };
