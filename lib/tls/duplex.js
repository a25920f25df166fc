'use strict';
// TLS over a stream: carries the ciphertext between a native connection without a socket and the stream.
const net = require('net');
const binding = require('../core/binding');
const { kinds } = require('../core/events');
const { codes } = require('../core/errors');

// A connection over a stream has no socket that would keep the process alive, and an idle one should not. While
// bytes move, the native threads may hold an answer, so activity keeps the process alive for this long (ms).
const LINGER = 500;
let linger = null;
let users = 0;

class Pump {
  /**
   * @param {TLSHandle} handle
   * @param {stream.Duplex} stream
   */
  constructor(handle, stream) {
    this.handle = handle;
    this.stream = stream;
    this.parent = stream instanceof net.Socket ? stream : null;
    this.paused = false;
    this.ended = false;
    this.streamClosed = false;
    this.released = false;
    this.started = false;
    this.owner = handle.owner;
    handle.pump = this;
    handle.counts = false;
    handle.adopt(binding.Connection.duplex());
    users++;
    this.touch();
    this.cipherWritten = (error) => {
      if (!error && !handle.closed) handle.native.cipherWritten();
    };
    stream.on('error', (error) => this.owner._emitTLSError(error));
    if (stream.closed) process.nextTick(() => this.onStreamClose());
    else stream.once('close', () => this.onStreamClose());
  }

  touch() {
    if (linger === null) linger = setTimeout(() => {}, LINGER);
    else linger.refresh();
  }

  /** Begins to take ciphertext out of the stream. */
  start() {
    if (this.started || this.streamClosed) return;
    this.started = true;
    const { stream } = this;
    if (this.parent !== null) this.startSocket();
    else this.startStream();
    if (stream.readableEnded) this.receiveEnd();
  }

  // What net.Socket would put into its read buffer comes here instead, so that, as with Node, its other
  // listeners see no ciphertext, and its own buffer costs nothing.
  startSocket() {
    const { parent } = this;
    let chunk;
    while ((chunk = parent.read()) !== null) {
      this.receive(typeof chunk === 'string' ? Buffer.from(chunk, parent.readableEncoding) : chunk);
    }
    parent.push = (data) => {
      if (data === null) this.receiveEnd();
      else return this.receive(data);
      return false;
    };
    this.readOn();
  }

  startStream() {
    const { stream } = this;
    const onData = (chunk) => {
      if (typeof chunk === 'string' || stream.readableObjectMode === true) {
        stream.pause();
        stream.removeListener('data', onData);
        this.owner._emitTLSError(new codes.ERR_STREAM_WRAP());
        return;
      }
      if (!this.receive(chunk)) {
        this.paused = true;
        stream.pause();
      }
    };
    stream.on('data', onData);
    stream.once('end', () => this.receiveEnd());
    stream.resume();
  }

  // A net.Socket reads when asked; asking twice does no harm.
  readOn() {
    const { parent } = this;
    if (!parent.destroyed) parent._read(0);
  }

  receive(chunk) {
    if (this.handle.closed) return true;
    this.touch();
    if (chunk.length === 0) return true;
    return this.handle.native.receive(chunk);
  }

  receiveEnd() {
    this.ended = true;
    if (this.handle.closed) return;
    this.touch();
    this.handle.native.receiveEof();
  }

  onEvent(kind, payload) {
    const { stream } = this;
    this.touch();
    if (kind === kinds.CIPHER_OUT) {
      // A stream that is gone takes everything, so that what waits behind these bytes comes to its end.
      if (stream.destroyed || stream.writableEnded) this.cipherWritten();
      else stream.write(payload, this.cipherWritten);
    } else if (kind === kinds.CIPHER_END) {
      if (!stream.destroyed && !stream.writableEnded) stream.end();
    } else if (this.parent !== null) {
      this.readOn();
    } else if (this.paused) {
      this.paused = false;
      stream.resume();
    }
  }

  destroyStream() {
    this.touch();
    if (!this.stream.destroyed) this.stream.destroy();
    // A stream that is no socket may never say 'close'.
    if (this.parent === null || this.streamClosed) setImmediate(() => this.onStreamClose());
  }

  onStreamClose() {
    const { handle, owner } = this;
    if (!this.streamClosed) {
      this.streamClosed = true;
      if (!handle.closing) {
        // Clear bytes of a stream that ended well may still be on their way, or wait for the reader.
        if (this.ended && !owner.readableEnded) owner.once('end', () => owner.destroy());
        else owner.destroy();
      }
    }
    handle.settle();
  }

  /** True when neither side moves any more. */
  finished() {
    if (!this.streamClosed || !this.handle.closed) return false;
    if (!this.released) {
      this.released = true;
      if (--users === 0 && linger !== null) {
        clearTimeout(linger);
        linger = null;
      }
    }
    return true;
  }
}

module.exports = { Pump };
