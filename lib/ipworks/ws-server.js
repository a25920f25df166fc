'use strict';
// WSServer: clients over WebSockets, with TLS and without.
const binding = require('../core/binding');
const { MessageInEvent, decode, encodeBriefly } = require('./event-objects');
const { describe, failure } = require('./errors');
const { Framing } = require('./framing');
const { AS_BINARY, AS_TEXT, LAST, TEXT } = require('./message-sender');
const { SocketServer } = require('./socket-server');
const check = require('./values');
const { WebSocketDataFormats, WSConnection } = require('./ws-connection');
const { WebSocketHandle } = require('./ws-handle');
const { log, shownHeaders } = require('./ws-log');
const { openWebSocket } = require('./ws-open');
const { defineProperties, initialValues } = require('./ws-properties');
const { OF_CONNECTION, SETTINGS, WEB_SOCKET } = require('./ws-settings');

const INVALID_CONNECTION = 126;
const NOT_SUPPORTED = 10045;
const UTF8 = 65001;
// The whole opening of a client, TLS and upgrade, in milliseconds, unless DefaultConnectionTimeout is longer.
const OPENING = 120_000;
// A client that does not answer our Close for so long, in milliseconds, is not waited for; a Timeout says otherwise.
const CLOSING = 30_000;

/** Text as bytes that are good until the next call. */
const asUtf8 = (text) => encodeBriefly(text, '', UTF8);

/** Bytes as UTF-8: as they are when they are that already, else each of a character of the code page. */
function asText(bytes, codePage) {
  const text = bytes.toString();
  if (bytes.equals(Buffer.from(text))) return bytes;
  return Buffer.from(codePage === UTF8 ? bytes.toString('latin1') : decode(bytes, codePage));
}

class WSServer extends SocketServer {
  constructor() {
    super(SETTINGS, initialValues);
  }

  // ---- sending

  /** Sends data to a client as its DataFormat says: a string as text and bytes as binary, unless it was changed. */
  send(connectionId, data) {
    return this._give(connectionId, (handle) => this.#sendAs(handle, data));
  }

  /** Sends bytes to a client. */
  sendBytes(connectionId, data) {
    return this._give(connectionId, ({ sender }) => sender.send(check.bytes(data, 'data'), AS_BINARY));
  }

  /** Sends text to a client. */
  sendText(connectionId, text) {
    return this._give(connectionId, ({ sender }) => sender.sendCopy(asUtf8(check.text(text, 'text')), AS_TEXT));
  }

  /** Sends a ping, and waits for the pong as long as the client's Timeout says. */
  ping(connectionId) {
    return this._give(connectionId, (handle) => handle.ping());
  }

  /**
   * Sends one message to many clients; it is encoded once. Clients whose queue is full do not get it.
   * @param {string | Uint8Array} data text or bytes
   * @param {Iterable<string>} [connectionIds] all clients when left out; those that are gone are passed over
   * @returns {Promise<number>} how many clients have it
   */
  async broadcast(data, connectionIds) {
    const flags = LAST | (typeof data === 'string' ? TEXT : 0);
    const bytes = check.bytes(data, 'data');
    const wanted = connectionIds === undefined ? this._handles.values() : this.#handlesOf(connectionIds);
    const ids = [];
    // The native side passes over those that are not open.
    for (const handle of wanted) if (handle !== undefined) ids.push(handle.id);
    // A client that waits for less than the limit gets all of it.
    const limit = this._sendLimit() + bytes.length;
    return ids.length === 0 ? 0 : binding.broadcast(Uint32Array.from(ids), bytes, flags, limit);
  }

  #handlesOf(connectionIds) {
    // A string is iterable too, as ids of one character each: nobody means that.
    const isList = typeof connectionIds !== 'string' && typeof connectionIds?.[Symbol.iterator] === 'function';
    if (!isList) throw check.invalid('connectionIds', 'an iterable of ConnectionIds');
    return Array.from(connectionIds, (id) => this._handles.get(String(id)));
  }

  #sendAs(handle, data) {
    if (handle.dataFormat === WebSocketDataFormats.dfAutomatic) {
      if (typeof data === 'string') return handle.sender.sendCopy(asUtf8(data), AS_TEXT);
      return handle.sender.send(check.bytes(data, 'data'), AS_BINARY);
    }
    const [bytes, form] = this.#formed(handle, data);
    return bytes === null ? Promise.resolve() : handle.sender.send(bytes, form);
  }

  // As the client's DataFormat says; pings and pongs are sent, and there are no bytes left.
  #formed(handle, data) {
    const bytes = check.bytes(data, 'data');
    switch (handle.dataFormat) {
      case WebSocketDataFormats.dfText: return [asText(bytes, this.#codePage()), AS_TEXT];
      case WebSocketDataFormats.dfBinary: return [bytes, AS_BINARY];
      case WebSocketDataFormats.dfPing:
      case WebSocketDataFormats.dfPong:
        handle.sendControl(handle.dataFormat === WebSocketDataFormats.dfPing, bytes);
        return [null];
      default: return [bytes, typeof data === 'string' ? AS_TEXT : AS_BINARY];
    }
  }

  // DataToSend: an assignment cannot wait. What fails later is an Error event.
  _sendNow(handle, data) {
    const [bytes, form] = this.#formed(handle, data);
    if (bytes === null) return;
    if (handle.sender.timeout > 0) {
      handle.sender.send(bytes, form).catch((error) => this._reportError(handle.connectionId, error));
      return;
    }
    const problem = handle.sender.attempt(bytes, form);
    if (problem !== null) throw problem;
  }

  #codePage() {
    return this._settings.number('CodePage');
  }

  // ---- one client

  /** DataIn comes for lines instead of messages, or for messages again. */
  async changeLineMode(connectionId, lineMode) {
    this._handle(connectionId).changeLineMode(check.flag(lineMode, 'lineMode'));
  }

  _configOf(connectionId, name, value) {
    const lower = name.toLowerCase();
    if (lower === 'connectionuid' && value === null) return this.#connectionAt(connectionId);
    const kind = OF_CONNECTION.get(lower);
    if (kind === undefined) return super._configOf(connectionId, name, value);
    const handle = this._handle(connectionId);
    const isLine = lower === 'maxlinelength';
    if (value !== null) {
      const length = Number(kind.parse(value, name));
      if (isLine) handle.maxLineLength = length;
      else handle.sender.beginMessage(length);
    }
    return String(isLine ? handle.framing.maxLineLength : handle.sender.messageLength);
  }

  // ConnectionUID[i]
  #connectionAt(index) {
    const ids = [...this._connections.keys()];
    const found = /^\d+$/.test(index) ? ids[Number(index)] : undefined;
    if (found === undefined) throw failure(INVALID_CONNECTION);
    return found;
  }

  // ---- settings

  async _settingChanged(name) {
    const settings = this._settings;
    await super._settingChanged(name);
    const complaint = settings.complaint(name);
    if (complaint !== null) this._error('', NOT_SUPPORTED, `${describe(NOT_SUPPORTED)} ${complaint}`);
    if (!settings.isOf(WEB_SOCKET, name)) return;
    if (this._bound() !== null) this._configure();
    for (const { native, closed } of this._handles.values()) {
      if (closed) continue;
      native.setWhole(settings.isOn('BufferMessage'));
      native.setMaxFrame(this._maxFrameSize());
    }
  }

  _usesTls() {
    return this._settings.isOn('UseSSL');
  }

  _maxFrameSize() {
    return this._settings.number('MaxFrameSize');
  }

  _reception() {
    const settings = this._settings;
    const maxMessage = settings.number('MaxMessageSize');
    return {
      keepAlive: settings.isSet('KeepAliveTime') || settings.isSet('KeepAliveInterval') ||
        settings.isSet('KeepAliveRetryCount'),
      keepAliveRetries: settings.number('KeepAliveRetryCount'),
      webSocket: {
        whole: settings.isOn('BufferMessage'),
        maxFrame: this._maxFrameSize(),
        maxMessage,
        maxFrameIn: maxMessage,
        handshakeTimeout: Math.max(OPENING, settings.number('DefaultConnectionTimeout') * 1000),
        deflate: settings.isOn('EnablePermessageDeflate') ? {} : null,
      },
    };
  }

  // What connections to come have. Their lines are cut by the framing, in LineMode.
  _defaults() {
    const { idleTimeout, timeout, linger } = this._values;
    const framing = new Framing({
      singleLineMode: true, maxLineLength: this._settings.number('MaxLineLength'), wholeCharacters: true,
    });
    return { framing, idleTimeout, timeout, linger };
  }

  _handleFor(native, id, listening) {
    return new WebSocketHandle(this, native, id, listening);
  }

  // ---- what a client's connection tells

  _log({ connectionId }, logType, message) {
    log(this, connectionId, logType, message);
  }

  _onSecure(handle) {
    this._happened();
    const { remote } = handle;
    this._log(handle, 'Info', () => `Connection from ${remote.address}, port ${remote.port}.`);
    if (this._usesTls() && this.listenerCount('SSLStatus') > 0) this._tellHandshake(handle);
  }

  _onUpgrade(handle, request) {
    this._happened();
    this._log(handle, 'Verbose', () => `GET ${request.target} HTTP/1.1\r\n${shownHeaders(this, request.headers)}`);
    openWebSocket(this, handle, request, this._patience());
  }

  _onAnswered(handle, status) {
    this._log(handle, 'Info', () => `GET ${handle.request.target} HTTP/1.1: ${status}.`);
  }

  _onOpen(handle) {
    this._enter(handle, WSConnection._of(handle));
    this._welcome(handle);
  }

  _onMessage(handle, bytes, dataFormat, isLast, endsLine, isText) {
    const { connectionId } = handle;
    this._happened();
    if (this.listenerCount('Log') > 0) this._log(handle, 'Debug', () => `${bytes.length} bytes received, format ${dataFormat}.`);
    if (handle.reader === null && this.listenerCount('DataIn') === 0) return;
    const codePage = isText ? UTF8 : this.#codePage();
    this._tellData(handle, new MessageInEvent(connectionId, bytes, endsLine, codePage, dataFormat, isLast));
  }

  _onPing(handle, payload, response) {
    const { connectionId } = handle;
    this._log(handle, 'Debug', () => `${response ? 'Pong' : 'Ping'} received.`);
    this._tell('Ping', { connectionId, payload: payload.toString(), payloadB: payload, response });
  }

  /** What a Close frame of ours says, and how long the client's is waited for. */
  _farewell({ sender }) {
    const settings = this._settings;
    return {
      code: settings.number('DisconnectStatusCode'),
      reason: settings.get('DisconnectStatusDescription'),
      wait: settings.isOn('WaitForCloseResponse') ? sender.timeout * 1000 || CLOSING : 0,
    };
  }

  _onViolation(handle, code, message) {
    this._log(handle, 'Error', () => `The client broke the protocol: ${message} (${code}).`);
    this._error(handle.connectionId, code, message);
  }

  _tellEnd(handle, connected, [statusCode, description]) {
    const { connectionId, failedStatus, failedText, answered } = handle;
    // A client that the program has refused is no failure.
    const hasFailed = failedStatus !== 0 && (connected || answered === 0);
    if (connected) {
      this._log(handle, 'Info', () => `Disconnected: ${statusCode}${description && ` ${description}`}.`);
    } else {
      this._log(handle, hasFailed ? 'Error' : 'Info', () => `Not opened${failedText && `: ${failedText}`}.`);
    }
    try {
      if (hasFailed) this._error(connectionId, failedStatus, `${describe(failedStatus)} ${failedText}`.trim());
    } finally {
      if (connected) this._tell('Disconnected', { connectionId, statusCode, description });
    }
  }
}

defineProperties(WSServer);

module.exports = { WSServer };
