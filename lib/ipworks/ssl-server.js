'use strict';
// SSLServer: clients over TLS, their bytes as they come, by lines or by records.
const { Connection } = require('./connection');
const { ConnectionHandle, afterPromises } = require('./connection-handle');
const { DataInEvent, encodeBriefly } = require('./event-objects');
const { Framing, checkRecordLength } = require('./framing');
const { defineProperties, initialValues } = require('./ssl-properties');
const { BASE, TCP, TLS } = require('./settings');
const { SocketServer } = require('./socket-server');
const check = require('./values');

const SETTINGS = { ...TCP, ...TLS, ...BASE };
const LINE_END = '\r\n';

/** SSLProvider's values. */
const SSLServerSSLProviders = Object.freeze({ sslpAutomatic: 0, sslpPlatform: 1, sslpInternal: 2 });

class SSLServer extends SocketServer {
  constructor() {
    super(SETTINGS, initialValues);
  }

  /** Sends bytes to a client. */
  send(connectionId, bytes) {
    return this._give(connectionId, ({ sender }) => sender.send(check.bytes(bytes, 'text')));
  }

  /** Sends bytes to a client. */
  sendBytes(connectionId, bytes) {
    return this._give(connectionId, ({ sender }) => sender.send(check.bytes(bytes, 'data')));
  }

  /** Sends text in the code page. */
  sendText(connectionId, text) {
    return this._give(connectionId, ({ sender }) => sender.sendCopy(this.#encode(text, '')));
  }

  /** Sends text in the code page, and CRLF. */
  sendLine(connectionId, text) {
    return this._give(connectionId, ({ sender }) => sender.sendCopy(this.#encode(text, LINE_END)));
  }

  #encode(text, end) {
    return encodeBriefly(check.text(text, 'text'), end, this.#codePage());
  }

  #codePage() {
    return this._settings.number('CodePage');
  }

  async changeRecordLength(connectionId, recordLength) {
    this._handle(connectionId).public._reframe({ recordLength: checkRecordLength(recordLength) });
  }

  // What connections to come have.
  _defaults() {
    const { eol, singleLineMode, maxLineLength, idleTimeout, timeout, linger } = this._values;
    return { framing: new Framing({ eol, singleLineMode, maxLineLength }), idleTimeout, timeout, linger };
  }

  _reception({ framing }) {
    return { framing: framing.native() };
  }

  _handleFor(native, id, listening) {
    return new ConnectionHandle(this, native, id, listening);
  }

  _onSecure(handle) {
    this._enter(handle, Connection._of(handle));
    const welcome = () => this._welcome(handle);
    if (this.listenerCount('SSLStatus') === 0) {
      welcome();
      return;
    }
    afterPromises(welcome);
    this._tellHandshake(handle);
  }

  _onMessage(handle, bytes, ended) {
    this._happened();
    if (handle.reader === null && this.listenerCount('DataIn') === 0) return;
    this._tellData(handle, new DataInEvent(handle.connectionId, bytes, ended, this.#codePage()));
  }

  // A client that has not got through its handshake was never connected.
  _tellEnd({ connectionId }, connected, [statusCode, description]) {
    this._tell(connected ? 'Disconnected' : 'Connected', { connectionId, statusCode, description });
  }
}

defineProperties(SSLServer);

module.exports = { SSLServer, SSLServerSSLProviders };
