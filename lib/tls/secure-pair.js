'use strict';
// createSecurePair: TLS between two streams in memory. Deprecated in Node, kept for old programs.
const EventEmitter = require('events');
const { Duplex } = require('stream');
const { deprecate } = require('util');
const face = require('./face');
const { TLSSocket } = require('./tls-socket');

// One end of a pair: what is written here is read there.
class PairEnd extends Duplex {
  constructor() {
    super();
    this.other = null;
    this.readOn = null;      // the other side's write that waits for a reader
  }

  _read() {
    const done = this.readOn;
    this.readOn = null;
    done?.();
  }

  _write(chunk, encoding, cb) {
    if (chunk.length === 0) {
      process.nextTick(cb);
      return;
    }
    this.other.readOn = cb;
    this.other.push(chunk);
  }

  _final(cb) {
    this.other.once('end', cb);
    this.other.push(null);
  }
}

class SecurePair extends EventEmitter {
  constructor(
    secureContext = face.createSecureContext(), isServer = false, requestCert = !isServer,
    rejectUnauthorized = false, options = {},
  ) {
    super();
    const [outer, inner] = [new PairEnd(), new PairEnd()];
    outer.other = inner;
    inner.other = outer;
    this.server = options.server;
    this.credentials = secureContext;
    this.encrypted = outer;
    this.cleartext = new TLSSocket(inner, { secureContext, isServer, requestCert, rejectUnauthorized, ...options });
    this.cleartext.once('secure', () => this.emit('secure'));
  }

  destroy() {
    this.cleartext.destroy();
    this.encrypted.destroy();
  }
}

const createSecurePair = deprecate(
  (...args) => new SecurePair(...args),
  'tls.createSecurePair() is deprecated. Please use tls.TLSSocket instead.', 'DEP0064');

module.exports = { createSecurePair };
