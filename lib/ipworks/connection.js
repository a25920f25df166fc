'use strict';
// The Connection type: a client as programs see it.
const { defineAccessors } = require('./accessors');
const { failure } = require('./errors');
const { Framing, checkLineLength } = require('./framing');
const check = require('./values');

const LINE_UNDER_WAY = 112;
const INVALID_CONNECTION = 126;
const SECONDS = 2 ** 31 / 1000 | 0;

/** What a Connection that belongs to no server shows. */
const UNCONNECTED = Object.freeze({
  acceptData: true,
  connected: false,
  connectionId: '',
  framing: new Framing(),
  local: { address: '' },
  remote: { address: '', port: 0 },
  idleTimeout: 0,
  sender: { bytesSent: 0, isReady: false, timeout: 0 },
});

/** A client. One made by `new Connection()` belongs to no server and has the defaults. */
class Connection {
  #handle = null;
  #userData = Buffer.alloc(0);

  static _of(handle) {
    const made = new Connection();
    made.#handle = handle;
    return made;
  }

  // What there is to read. Listeners of Disconnected may still look.
  get _seen() {
    return this.#handle === null ? UNCONNECTED : this._handle;
  }

  // What can be changed.
  get _handle() {
    if (this.#handle !== null && this.#handle.server !== null) return this.#handle;
    throw failure(INVALID_CONNECTION);
  }

  _reframe(change) {
    const handle = this._handle;
    Object.assign(handle.framing, change);
    handle.reframe();
  }

  get _userData() { return this._seen && this.#userData; }
  set _userData(bytes) { this.#userData = this._seen && bytes; }
}

defineAccessors(Connection, {
  AcceptData: { flag: true, get() { return this._seen.acceptData; } },
  BytesSent: { get() { return this._seen.sender.bytesSent; } },
  Connected: { flag: true, get() { return this._seen.connected; } },
  ConnectionId: { get() { return this._seen.connectionId; } },
  EOL: {
    get() { return this._seen.framing.eol.toString(); },
    set(value) { this._reframe({ eol: check.eol(value, 'EOL') }); },
  },
  EOLB: {
    get() { return new Uint8Array(this._seen.framing.eol); },
    set(value) { this._reframe({ eol: check.eol(value, 'EOLB') }); },
  },
  IdleTimeout: {
    get() { return this._seen.idleTimeout; },
    set(value) {
      const handle = this._handle;
      handle.idleTimeout = check.whole(value, 'IdleTimeout', 0, SECONDS);
      handle.native.setIdleTimeout(handle.idleTimeout * 1000);
    },
  },
  LocalAddress: { get() { return this._seen.local.address; } },
  MaxLineLength: {
    get() { return this._seen.framing.maxLineLength; },
    set(value) {
      const maxLineLength = checkLineLength(value);
      if (this._handle.hasData()) throw failure(LINE_UNDER_WAY);
      this._reframe({ maxLineLength });
    },
  },
  ReadyToSend: { flag: true, get() { return this._seen.sender.isReady; } },
  RecordLength: { get() { return this._seen.framing.recordLength; } },
  RemoteHost: { get() { return this._seen.remote.address; } },
  RemotePort: { get() { return this._seen.remote.port; } },
  SingleLineMode: {
    flag: true,
    get() { return this._seen.framing.singleLineMode; },
    set(value) { this._reframe({ singleLineMode: check.flag(value, 'SingleLineMode') }); },
  },
  Timeout: {
    get() { return this._seen.sender.timeout; },
    set(value) { this._handle.sender.timeout = check.whole(value, 'Timeout', 0, SECONDS); },
  },
  UserData: {
    get() { return this._userData.toString(); },
    set(value) { this._userData = check.copied(value, 'UserData'); },
  },
  UserDataB: {
    get() { return new Uint8Array(this._userData); },
    set(value) { this._userData = check.copied(value, 'UserDataB'); },
  },
});

/** The clients of a component by ConnectionId: a Map that cannot be changed, with item() beside get(). */
class ConnectionMap {
  #clients;

  /** @param {Map<string, Connection>} clients */
  constructor(clients) {
    this.#clients = clients;
  }

  get size() { return this.#clients.size; }
  has(connectionId) { return this.#clients.has(String(connectionId)); }

  /** @throws 126 for an identifier of no client */
  get(connectionId) {
    const found = this.#clients.get(String(connectionId));
    if (found === undefined) throw failure(INVALID_CONNECTION);
    return found;
  }

  item(connectionId) { return this.get(connectionId); }
  keys() { return this.#clients.keys(); }
  values() { return this.#clients.values(); }
  entries() { return this.#clients.entries(); }
  forEach(visit, self) { this.#clients.forEach((connection, id) => visit.call(self, connection, id, this)); }
  [Symbol.iterator]() { return this.entries(); }
}

module.exports = { Connection, ConnectionMap };
