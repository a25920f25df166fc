'use strict';
// What stands as `_handle` and `ssl` of a TLSSocket: the native connection, and the events that it sends.
const binding = require('../core/binding');
const check = require('../core/validate');
const { inContext } = require('../core/async-context');
const { Target } = require('../core/dispatch');
const { hooks, kinds } = require('../core/events');
const { connectErrors, systemError, tlsError } = require('../core/errors');
const { GATHER, Outbox, SLICE, WAITS } = require('./outbox');
const { ticketOf } = require('./session-ticket');
const { answerTicketKeys } = require('./ticket-keys');
const { UserBuffer } = require('./user-buffer');

const EPIPE = Object.freeze({ code: 'EPIPE', errno: -32, syscall: 'write' });
const ECANCELED = Object.freeze({ code: 'ECANCELED', errno: -125, syscall: 'write' });

// Bytes of clear text in a record, RFC 5246 and 6066.
const MIN_FRAGMENT = 512;
const MAX_FRAGMENT = 16384;

const json = (payload) => JSON.parse(payload.toString());

class TLSHandle extends Target {
  /**
   * @param {object} secureContext
   * @param {object} [native] an accepted connection; a client makes its own later
   * @param {number} [id] of it
   */
  constructor(secureContext, native = null, id = 0) {
    super('TLSWRAP');
    this._secureContext = secureContext;
    this.owner = null;
    this.native = null;
    this.started = false;
    this.reading = false;
    this.secured = false;          // a handshake is done
    this.bytesRead = 0;            // clear bytes
    this.bytesWritten = 0;
    this.writeDone = null;
    this.shutdownDone = null;
    this.shutdownAsked = false;
    this.closeDone = null;
    this.closing = false;          // this side asked for the end; only CLOSED counts now
    this.closed = false;
    this.sawEnd = false;           // EOF or ERROR came
    if (native !== null) this.adopt(native, id);
  }

  adopt(native, id = native.id) {
    this.native = native;
    this.attach(id);
    if (this.reading) native.readStart();
    if (this.startAtOnce) this.start();
  }

  // ---- connecting

  connectTcp(destination) {
    this.destination = destination;
    this.adopt(binding.Connection.tcp({
      ...destination,
      noDelay: this.noDelay,
      keepAlive: this.keepAlive,
      keepAliveDelay: this.keepAliveDelay,
    }));
  }

  connectPipe(path) {
    this.adopt(binding.Connection.pipe(path));
  }

  /** Begins TLS, now or as soon as there is a connection. */
  start() {
    if (this.started || this.closing) return;
    this.startAtOnce = true;
    if (this.native === null) return;
    this.started = true;
    this.native.start(this.owner._tlsParams());
  }

  // As with libuv: a connection that neither reads nor has anything on its way out lets the process end.
  isActive() {
    return this.closing || ((this.reading || !this.secured) && !this.sawEnd) ||
      this.writeDone !== null || this.shutdownDone !== null;
  }

  // ---- what net.Socket asks of a handle

  readStart() {
    this.reading = true;
    this.updateHold();
    if (this.userBuffer !== null && !this.userBuffer.flush(this)) return 0;
    this.native?.readStart();
    return 0;
  }

  readStop() {
    if (!this.reading) return 0;
    this.reading = false;
    this.updateHold();
    this.native?.readStop();
    return 0;
  }

  useUserBuffer(buffer) {
    this.userBuffer ??= new UserBuffer();
    this.userBuffer.buffer = buffer;
  }

  getsockname(out) {
    return this.name('getsockname', '_getsockname', out);
  }

  getpeername(out) {
    return this.name('getpeername', '_getpeername', out);
  }

  name(own, ofParent, out) {
    const found = this.pump !== null ? this.pump.parent?.[ofParent]() : this.native?.[own]();
    if (!found) return -9;          // EBADF
    Object.assign(out, found);
    return 0;
  }

  setNoDelay(enable) {
    this.noDelay = enable;
    if (this.pump !== null) this.pump.parent?.setNoDelay(enable);
    else this.native?.setNoDelay(enable);
    return 0;
  }

  setKeepAlive(enable, seconds) {
    this.keepAlive = enable;
    this.keepAliveDelay = seconds;
    if (this.pump !== null) this.pump.parent?.setKeepAlive(enable, seconds * 1000);
    else this.native?.setKeepAlive(enable, seconds);
    return 0;
  }

  ref() {
    super.ref();
    this.pump?.parent?.ref();
  }

  unref() {
    super.unref();
    this.pump?.parent?.unref();
  }

  // ---- writing

  /** Writes a Buffer; `done(error)` is called now or later. */
  write(chunk, done) {
    this.bytesWritten += chunk.length;
    if (!this.owner._secureEstablished) {
      this.hold([chunk], chunk.length, done);
      return;
    }
    let result = -1;
    if (this.native !== null) {
      result = chunk.length <= SLICE ? binding.write(this.id, chunk) : this.writeMany([chunk], chunk.length);
    }
    this.afterWrite(result, done);
  }

  /** Writes several Buffers as one. */
  writev(chunks, total, done) {
    this.bytesWritten += total;
    if (this.owner._secureEstablished) this.sendMany(chunks, total, done);
    else this.hold(chunks, total, done);
  }

  sendMany(chunks, total, done) {
    this.afterWrite(this.native === null ? -1 : this.writeMany(chunks, total), done);
  }

  // Nobody has checked yet who the peer is: the native side, which would send at the handshake's end, gets nothing.
  hold(chunks, total, done) {
    if (this.closed) {
      done(systemError(EPIPE));
      return;
    }
    this.held = { chunks, total };
    this.writeDone = done;
    this.updateHold();
  }

  /** The 'secure' listeners have seen the peer, and the connection is still open. */
  release() {
    if (this.held === null || this.closing) return;
    const { held: { chunks, total }, writeDone } = this;
    this.held = this.writeDone = null;
    this.sendMany(chunks, total, writeDone);
  }

  writeMany(chunks, total) {
    if (total <= GATHER) return binding.write(this.id, Buffer.concat(chunks, total));
    this.outbox ??= new Outbox();
    return this.outbox.start(this.id, chunks);
  }

  /** Bytes that wait for the kernel, or for the stream beneath. */
  get writeQueueSize() {
    return this.writeDone === null ? 0 : this.owner.writableLength;
  }

  afterWrite(result, done) {
    if (result === 0) {
      process.nextTick(done);
    } else if (result < 0 && (this.closed || this.native === null)) {
      done(systemError(EPIPE));
    } else {
      // Also when the connection broke just now: ERROR or CLOSED is on its way and settles it.
      this.writeDone = inContext('WRITEWRAP', done);
      this.updateHold();
    }
  }

  onDrain() {
    this.pump?.touch();
    if (this.outbox !== null && this.outbox.advance(this.id) === WAITS) {
      this.owner._unrefTimer();
      return;
    }
    const done = this.writeDone;
    if (done === null) return;
    this.writeDone = null;
    this.updateHold();
    done();
  }

  shutdown(done) {
    if (this.native === null || this.closed) {
      done();
      return;
    }
    this.shutdownAsked = true;
    this.shutdownDone = inContext('SHUTDOWNWRAP', done);
    this.updateHold();
    this.native.shutdown();
  }

  // ---- the end

  /** Closes at once; `done` follows when the connection is gone. `reset` sends RST instead of FIN. */
  close(done, reset = false) {
    const again = this.closing;
    this.closing = true;
    this.updateHold();
    if (this.owner !== null) this.owner.ssl = null;
    if (this.native !== null && !this.closed) {
      if (!again) this.native.close(reset);
      this.addCloseDone(done);
      this.pump?.destroyStream();
      return;
    }
    this.native?.close();         // lets the native session go
    if (this.pump !== null) {
      this.addCloseDone(done);
      this.pump.destroyStream();
      if (this.closed) this.settle();
      return;
    }
    if (done) setImmediate(done);
  }

  reset(done) {
    this.close(done, true);
    return 0;
  }

  /** Ends TLS; the socket hears of it as of any end. */
  destroySSL() {
    if (this.native !== null && !this.closing && !this.closed) this.native.close(false);
  }

  addCloseDone(done) {
    if (!done) return;
    const before = this.closeDone;
    this.closeDone = before === null ? done : () => {
      before();
      done();
    };
  }

  onClosed() {
    this.closed = true;
    this.detach();
    if (this.closing) this.native.close();
    const { writeDone, shutdownDone } = this;
    this.writeDone = this.shutdownDone = null;
    this.outbox?.clear();
    if (this.closing) {
      // A stream that is not destroyed, or no more (`_undestroy`), has nobody else to tell.
      writeDone?.(this.owner?.destroyed === false ? systemError(ECANCELED) : null);
      shutdownDone?.();
      this.settle();
    } else if (writeDone !== null && !this.sawEnd) {
      this.owner.destroy(systemError(EPIPE));
      writeDone();
    } else {
      writeDone?.();
      shutdownDone?.();
      if (!this.sawEnd) this.onEnd();
    }
  }

  /** Calls what waits for the end, once both the native connection and a stream beneath it are done. */
  settle() {
    if (this.pump !== null && !this.pump.finished()) return;
    const done = this.closeDone;
    this.closeDone = null;
    if (done === null) return;
    done();
  }

  // ---- events

  onEvent(kind, arg, payload) {
    if (kind === kinds.CLOSED) {
      this.onClosed();
      return;
    }
    if (kind >= kinds.CIPHER_OUT && kind <= kinds.CIPHER_END) {
      this.pump?.onEvent(kind, payload);
      return;
    }
    if (this.closing) return;
    const { owner } = this;
    switch (kind) {
      case kinds.DATA: this.onData(payload); break;
      case kinds.DRAIN: this.onDrain(); break;
      case kinds.EOF: this.onEnd(); break;
      case kinds.SECURE: this.onSecure(); break;
      case kinds.SHUTDOWN_DONE: this.onShutdown(); break;
      case kinds.ERROR: this.onError(arg, json(payload)); break;
      case kinds.CONNECTED: owner._onConnected(); break;
      case kinds.CONNECT_FAILED: this.onConnectFailed(json(payload)); break;
      case kinds.HELLO: owner._onClientHello(json(payload)); break;
      case kinds.CERTIFICATE: owner._onCertificateWanted(json(payload)); break;
      case kinds.PSK: owner._onPskWanted(json(payload)); break;
      case kinds.KEYLOG: owner.emit('keylog', Buffer.from(payload)); break;
      case kinds.NEW_SESSION: owner._onNewSession(Buffer.from(payload), arg); break;
      case kinds.OCSP_RESPONSE: owner.emit('OCSPResponse', arg === 1 ? Buffer.from(payload ?? '') : null); break;
      case kinds.TICKET_KEYS: this.onTicketKeys(json(payload)); break;
      case kinds.RENEGOTIATION: this.onRenegotiation(); break;
      case kinds.TRACE: process._rawDebug(payload.toString()); break;
    }
  }

  onConnectFailed(failures) {
    this.noteEnd();
    const { localAddress, localPort } = this.destination ?? {};
    for (const failure of failures) {
      if (failure.syscall === 'bind') Object.assign(failure, { address: localAddress, port: localPort });
    }
    this.owner._onConnectFailed(connectErrors(failures));
  }

  onData(chunk) {
    const { owner } = this;
    this.bytesRead += chunk.length;
    owner._unrefTimer();
    if (this.userBuffer !== null) {
      if (!this.userBuffer.deliver(this, chunk)) this.readStop();
    } else if (!owner.push(chunk)) {
      this.readStop();
    }
  }

  onSecure() {
    this.secured = true;
    if (this.renegotiating) this.renegotiating = false;
    this.updateHold();
    if (this.renegotiationOff) this.native.disableRenegotiation();
    if (this.maxSendFragment > 0) this.native.setMaxSendFragment(this.maxSendFragment);
    this.owner._onSecure();
  }

  // The handshake ends when the callback has no answer; what it threw is the cause of that error.
  onTicketKeys(asked) {
    this.refusal = answerTicketKeys(this.native, this._secureContext.context, asked);
  }

  // The client begins another handshake. What it sent before has come, so an earlier disableRenegotiation() counts.
  onRenegotiation() {
    this.handshakes++;
    this.native.answerRenegotiation();
  }

  noteEnd() {
    this.sawEnd = true;
    this.updateHold();
  }

  onEnd() {
    const { owner } = this;
    this.noteEnd();
    if (owner.readableEnded) return;
    if (this.userBuffer?.holdEnd()) return;
    owner.push(null);
    owner.read(0);
  }

  onShutdown() {
    const done = this.shutdownDone;
    this.shutdownDone = null;
    this.updateHold();
    if (done !== null) done();
  }

  onError(arg, description) {
    // The peer is done and so is the caller: that the close_notify cannot be sent is nobody's error.
    if (this.sawEnd && this.shutdownAsked && description.syscall === 'write') {
      this.onShutdown();
      return;
    }
    // A c4tls server refuses a renegotiation with this alert, Node's without a word: to the program both are the end.
    if (this.renegotiating && description.code === 'ERR_SSL_TLSV1_ALERT_NO_RENEGOTIATION') {
      this.onEnd();
      return;
    }
    this.noteEnd();
    if (arg === 2) {
      this.owner.destroy(systemError(description));
      return;
    }
    const error = tlsError(description);
    if (this.refusal !== undefined) error.cause = this.refusal;
    this.owner._onTLSFailure(error);
  }

  // ---- what TLSSocket's methods pass on

  enableHooks(bits) {
    if (this.started && !this.closing) this.native.enableHooks(bits);
  }

  enableTrace() {
    this.owner._tlsOptions.enableTrace = true;
    this.enableHooks(hooks.TRACE);
  }

  verifyError() {
    const found = this.native?.verifyError();
    return found ? Object.assign(new Error(found.message), { code: found.code }) : null;
  }

  getCipher() {
    const cipher = this.native?.getCipher();
    if (!cipher) return cipher;
    const { name, standardName, version } = cipher;    // what Node tells
    return { name, standardName, version };
  }
  getSharedSigalgs() { return this.native?.getSharedSigalgs() ?? []; }
  getEphemeralKeyInfo() { return this.native === null ? {} : this.native.getEphemeralKeyInfo(); }
  getFinished() { return this.native?.getFinished() ?? undefined; }
  getPeerFinished() { return this.native?.getPeerFinished() ?? undefined; }
  getProtocol() { return this.native === null ? null : this.native.getProtocol(); }
  // A session that JavaScript knows from its event: the native side may be ahead.
  getSession() { return this.lastSession ?? this.native?.getSession() ?? undefined; }
  getTLSTicket() {
    return this.lastSession === null ? this.native?.getTicket() ?? undefined : ticketOf(this.lastSession);
  }

  isSessionReused() { return this.native === null ? false : this.native.isSessionReused(); }
  getServername() { return this.started ? this.native.getServername() : this.servername ?? false; }
  getALPNNegotiatedProtocol() { return this.native === null ? false : this.native.getAlpn(); }
  getPeerChain() { return this.native?.getPeerChain() ?? []; }
  getCertificate() { return this.native?.getCertificate() ?? null; }
  renegotiate() {
    this.renegotiating = true;
    this.native.renegotiate();
  }

  // What comes before TLS has begun is kept until then.
  disableRenegotiation() {
    this.renegotiationOff = true;
    if (this.secured) this.native.disableRenegotiation();
  }

  setMaxSendFragment(size) {
    if (this.secured) return this.native.setMaxSendFragment(size);
    if (size < MIN_FRAGMENT || size > MAX_FRAGMENT) return false;
    this.maxSendFragment = size;
    return true;
  }

  setKeyCert(context) {
    if (this.started) this.native.setKeyCert(context.context.native);
    else this._secureContext = context;
  }

  setVerifyMode(request, reject) { if (this.started) this.native.setVerifyMode(request, reject); }

  setSession(session) {
    const bytes = typeof session === 'string' ? Buffer.from(session, 'latin1') : session;
    check.bytes(bytes, 'session');
    this.session = bytes;
  }

  setServername(name) { this.servername = name; }
}

// What few accepted connections need stands here until it is set, so that an idle one is small.
Object.assign(TLSHandle.prototype, {
  startAtOnce: false,       // begin TLS as soon as there is a native connection
  session: undefined,       // to resume, client
  servername: undefined,    // to ask for, client
  renegotiationOff: false,
  renegotiating: false,     // this side asked for it
  refusal: undefined,       // what a callback for ticket keys threw, server
  handshakes: 0,            // begun by the client after the first, server
  maxSendFragment: 0,       // bytes; 0: OpenSSL's default
  lastSession: null,        // of the last 'session' event, client
  fd: -1,
  held: null,               // { chunks, total } written before the handshake was done
  outbox: null,             // of the first write that is too much for one piece
  pump: null,               // set when the ciphertext goes through a stream
  userBuffer: null,
  destination: null,        // of connectTcp()
  noDelay: true,            // records go out at once; see the server's
  keepAlive: false,
  keepAliveDelay: 0,        // seconds
});

module.exports = { TLSHandle };
