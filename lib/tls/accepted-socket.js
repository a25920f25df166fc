'use strict';
// The raw socket of an accepted connection, as 'connection' listeners get it. Its bytes are for TLS, so it can be
// looked at, tuned and destroyed, but not read or written.
const net = require('net');
const binding = require('../core/binding');
const { kTakeOver } = require('./symbols');

// Stands as `_handle`.
class RawHandle {
  constructor(native, id) {
    this.native = native;
    this.id = id;
    this.tls = null;           // the TLSSocket's handle, once it has taken the connection
    this.taken = false;
    this.reading = false;
    this.bytesRead = 0;
    this.bytesWritten = 0;
    this.fd = -1;
  }

  readStart() { return 0; }
  readStop() { return 0; }
  ref() { this.tls?.ref(); }
  unref() { this.tls?.unref(); }
  setNoDelay(enable) { this.native.setNoDelay(enable); return 0; }
  setKeepAlive(enable, seconds) { this.native.setKeepAlive(enable, seconds); return 0; }
  getsockname(out) { return named(this.native.getsockname(), out); }
  getpeername(out) { return named(this.native.getpeername(), out); }

  close(done) {
    if (this.tls !== null) this.tls.close(done);
    else {
      this.native.close(false);
      if (done) setImmediate(done);
    }
  }

  reset(done) {
    if (this.tls !== null) return this.tls.reset(done);
    this.native.close(true);
    if (done) setImmediate(done);
    return 0;
  }
}

function named(found, out) {
  if (!found) return -9;           // EBADF
  Object.assign(out, found);
  return 0;
}

class AcceptedSocket extends net.Socket {
  /** @param {number} id of the accepted native connection */
  constructor(id, { allowHalfOpen, pauseOnConnect }) {
    const handle = new RawHandle(binding.claim(id), id);
    super({ handle, allowHalfOpen, pauseOnCreate: pauseOnConnect, manualStart: true });
  }

  /** Gives { native, id } of the connection to the TLSSocket that asks; null when another has it. */
  [kTakeOver]() {
    const handle = this._handle;
    if (!handle || handle.taken) return null;
    handle.taken = true;
    return handle;
  }

  /** The TLS handle above: either one's end is the other's. */
  set tlsHandle(tls) {
    if (this._handle) this._handle.tls = tls;
  }

  _write(chunk, encoding, cb) {
    cb(new Error('The connection belongs to TLS'));
  }

  _writev(chunks, cb) {
    cb(new Error('The connection belongs to TLS'));
  }

  _final(cb) {
    cb();
  }
}

module.exports = { AcceptedSocket };
