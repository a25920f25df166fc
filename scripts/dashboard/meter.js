'use strict';

// What servers do, in samples of about a second each.

const { monitorEventLoopDelay, performance } = require('perf_hooks');

/** Milliseconds between two looks at the event loop. */
const RESOLUTION = 10;

class Meter {
  #sockets = new Map();      // of TLS servers: [bytes read, bytes written] as of the last sample
  #connections = 0;
  #handshakes = 0;           // since the last sample, as all below
  #failures = 0;
  #bytesIn = 0;
  #bytesOut = 0;
  #began = performance.now();
  #versions = {};            // handshakes since the beginning
  #delay = monitorEventLoopDelay({ resolution: RESOLUTION });
  #onTime = Infinity;        // what #delay shows while nothing is late

  constructor() {
    this.#delay.enable();
  }

  /** Counts what a `tls.Server` does; returns it. */
  watch(server) {
    server.on('tlsClientError', () => this.failed());
    server.on('secureConnection', (socket) => {
      this.opened();
      this.secured(socket.getProtocol());
      this.#sockets.set(socket, [0, 0]);
      socket.on('close', () => {
        this.closed();
        this.#read(socket);
        this.#sockets.delete(socket);
      });
    });
    return server;
  }

  opened() {
    this.#connections++;
  }

  closed() {
    this.#connections--;
  }

  /** A handshake is done. */
  secured(version) {
    this.#handshakes++;
    this.#versions[version] = (this.#versions[version] ?? 0) + 1;
  }

  /** A handshake has failed. */
  failed() {
    this.#failures++;
  }

  received(bytes) {
    this.#bytesIn += bytes;
  }

  sent(bytes) {
    this.#bytesOut += bytes;
  }

  #read(socket) {
    const { bytesRead, bytesWritten } = socket;
    const [read, written] = this.#sockets.get(socket);
    this.received(bytesRead - read);
    this.sent(bytesWritten - written);
    this.#sockets.set(socket, [bytesRead, bytesWritten]);
  }

  // Milliseconds by which the event loop was late at most.
  #lateness() {
    const { max } = this.#delay;
    this.#onTime = Math.min(this.#onTime, this.#delay.percentile(50) || Infinity);
    this.#delay.reset();
    return Math.max(0, max - this.#onTime) / 1e6;
  }

  /**
   * What happened since the last sample, a second: `handshakes`, `failures`, `bytesIn` and `bytesOut`; `delay`, the
   * greatest of the event loop in milliseconds. And as of now `connections`, and `versions`, the handshakes of each
   * since the beginning.
   */
  sample() {
    for (const socket of this.#sockets.keys()) this.#read(socket);
    const now = performance.now();
    const perSecond = (count) => Math.round(count * 1000 / Math.max(1, now - this.#began));
    const sample = {
      time: Date.now(),
      connections: this.#connections,
      handshakes: perSecond(this.#handshakes),
      failures: perSecond(this.#failures),
      bytesIn: perSecond(this.#bytesIn),
      bytesOut: perSecond(this.#bytesOut),
      delay: Math.round(this.#lateness() * 10) / 10,
      versions: { ...this.#versions },
    };
    this.#began = now;
    this.#handshakes = this.#failures = this.#bytesIn = this.#bytesOut = 0;
    return sample;
  }

  close() {
    this.#delay.disable();
  }
}

module.exports = { Meter };
