'use strict';
// SSLServer: clients over TLS, their bytes as they come, by lines or by records.
const { DataInEvent, encode } = require('./event-objects');
const { BASE, TCP, TLS } = require('./settings');
const { SocketServer } = require('./socket-server');
const check = require('./values');

const SETTINGS = { ...TCP, ...TLS, ...BASE };
const LINE_END = '\r\n';

/** SSLProvider's values. */
const SSLServerSSLProviders = Object.freeze({ sslpAutomatic: 0, sslpPlatform: 1, sslpInternal: 2 });

class SSLServer extends SocketServer {
  constructor() {
    super(SETTINGS);
  }

  /** Sends bytes to a client. */
  send(connectionId, bytes) {
    return this._give(connectionId, (sender) => sender.send(check.bytes(bytes, 'text')));
  }

  /** Sends bytes to a client. */
  sendBytes(connectionId, bytes) {
    return this._give(connectionId, (sender) => sender.send(check.bytes(bytes, 'data')));
  }

  /** Sends text in the code page. */
  sendText(connectionId, text) {
    return this._give(connectionId, (sender) => sender.send(encode(check.text(text, 'text'), this.#codePage)));
  }

  /** Sends text in the code page, and CRLF. */
  sendLine(connectionId, text) {
    return this._give(connectionId, (sender) =>
      sender.send(encode(check.text(text, 'text') + LINE_END, this.#codePage)));
  }

  get #codePage() {
    return this._settings.number('CodePage');
  }

  _deliver({ connectionId }, bytes, ended) {
    if (this.listenerCount('DataIn') === 0) return;
    this.emit('DataIn', new DataInEvent(connectionId, bytes, ended, this.#codePage));
  }
}

module.exports = { SSLServer, SSLServerSSLProviders };
