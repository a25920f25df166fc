'use strict';

// The WebSocket that the page hears from: every second what the servers do, and to a new page the last minutes.

const { Certificate, CertStoreTypes, WSServer } = require('../../ipworks');

/** Milliseconds between two samples, and how many a new page gets. */
const PERIOD = 1000;
const HISTORY = 120;

/** TLS 1.2 and 1.3, both roles. */
const PROTOCOLS = 0x3000 | 0x0c00;

/** HISTORY samples are one message. */
const MESSAGE = 128 * 1024;

const GOING_AWAY = 1001;
const FORBIDDEN = 403;

class Feed {
  #server = new WSServer();
  #meter;
  #samples = [];
  #timer = null;
  #origins = [];

  constructor(meter) {
    this.#meter = meter;
    this.#server
      // Any page of any site may ask; only ours is told.
      .on('WebSocketOpenRequest', (e) => {
        if (!this.#origins.includes(e.originHeader)) e.statusCode = FORBIDDEN;
      })
      .on('Connected', (e) => this.#welcome(e.connectionId))
      .on('DataIn', (e) => meter.received(e.textB.length))
      .on('Disconnected', () => meter.closed())
      .on('Error', () => meter.failed());
  }

  /** @returns {Promise<number>} its port */
  async listen(host, port, { key, cert }) {
    const server = this.#server;
    server.setLocalHost(host);
    server.setLocalPort(port);
    server.setSSLCert(new Certificate(CertStoreTypes.cstPEMKeyBlob, key + cert, '', '*'));
    for (const setting of [
      `SSLEnabledProtocols=${PROTOCOLS}`, `MaxFrameSize=${MESSAGE}`, `DisconnectStatusCode=${GOING_AWAY}`, 'WaitForCloseResponse=false',
    ]) await server.config(setting);
    await server.startListening();
    this.#timer = setInterval(() => this.#tell(), PERIOD);
    return server.getLocalPort();
  }

  /** Pages of these origins are told. */
  serve(origins) {
    this.#origins = origins;
  }

  #welcome(connectionId) {
    this.#meter.opened();
    this.#server.config(`SSLNegotiatedVersion[${connectionId}]`).then((version) => this.#meter.secured(version), () => {});
    const message = JSON.stringify(this.#samples);
    this.#meter.sent(message.length);
    // A page that is gone again misses nothing.
    this.#server.sendText(connectionId, message).catch(() => {});
  }

  async #tell() {
    const sample = this.#meter.sample();
    this.#samples.push(sample);
    if (this.#samples.length > HISTORY) this.#samples.shift();
    const message = JSON.stringify([sample]);
    const count = await this.#server.broadcast(message);
    this.#meter.sent(count * message.length);
  }

  async close() {
    clearInterval(this.#timer);
    this.#meter.close();
    await this.#server.shutdown();
  }
}

module.exports = { Feed };
