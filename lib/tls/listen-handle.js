'use strict';
// What stands as `_handle` of a Server: the native listener, and the events that it sends.
const fs = require('fs');
const { inContext } = require('../core/async-context');
const { Target } = require('../core/dispatch');
const { kinds } = require('../core/events');

const READABLE = 1;
const WRITABLE = 2;

class ListenHandle extends Target {
  /**
   * @param {Server} server
   * @param {object} native listener that listens
   * @param {number} id of it
   * @param {string} [path] of a Unix socket
   */
  constructor(server, native, id, path) {
    super('TCPSERVERWRAP');
    this.server = server;
    this.native = native;
    this.path = path;
    this.fd = -1;
    this.drained = false;          // closed, and no connection comes from here any more
    this.closeDone = null;
    // A pipe has no address; Server.address() looks for the method.
    if (native.address() !== null) this.getsockname = (out) => this.name(out);
    this.attach(id);
  }

  name(out) {
    const found = this.native.address();
    if (!found) return -9;         // EBADF
    Object.assign(out, found);
    return 0;
  }

  /** Lets everybody read or write the Unix socket; 0 or a negative error number. */
  fchmod(mode) {
    let bits = 0;
    if ((mode & READABLE) !== 0) bits |= 0o444;
    if ((mode & WRITABLE) !== 0) bits |= 0o222;
    try {
      fs.chmodSync(this.path, fs.statSync(this.path).mode | bits);
      return 0;
    } catch (error) {
      return error.errno;
    }
  }

  /** Takes a connection that Node has accepted: its descriptor is copied, its handle closed. False when it cannot. */
  take(connection) {
    if (!(connection.fd >= 0)) return false;      // Windows
    try {
      this.native.accept(connection.fd);
    } catch {
      return false;                               // no descriptor is left for the copy
    }
    connection.close();
    return true;
  }

  /** Connections whose handshake JavaScript has not seen yet. */
  pending() {
    return this.native.pending();
  }

  close() {
    this.native.close();
    this.closeDone ??= inContext('TCPSERVERWRAP', () => this.server._onListenerEnd(this));
    // Connections that nobody has heard of keep the process alive, as those do that have a socket.
    this.counts = true;
    this.updateHold();
  }

  onEvent(kind, arg, payload) {
    const { server } = this;
    switch (kind) {
      case kinds.ACCEPT: server._onAccepted(arg); break;
      case kinds.ADOPT: server._onAdopted(arg); break;
      case kinds.DROP: server.emit('drop', payload === null ? undefined : JSON.parse(payload.toString())); break;
      case kinds.PENDING_ZERO: this.onEnd(); break;
    }
  }

  // The socket is closed, and every connection that came from it has been told of.
  onEnd() {
    this.drained = true;
    this.detach();
    this.closeDone?.();
  }
}

module.exports = { ListenHandle };
