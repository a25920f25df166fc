'use strict';
// The Connection type: a client as programs see it.
const { defineAccessors } = require('./accessors');
const { failure } = require('./errors');
const { checkLineLength } = require('./framing');
const check = require('./values');

const INVALID_CONNECTION = 126;
const SECONDS = 2 ** 31 / 1000 | 0;

/** A client. One made by `new Connection()` belongs to no server and has the defaults. */
class Connection {
  #handle = null;
  #framing = null;
  #idleTimeout = 0;
  #userData = Buffer.alloc(0);

  static _of(handle, framing, idleTimeout) {
    const made = new Connection();
    made.#handle = handle;
    made.#framing = framing;
    made.#idleTimeout = idleTimeout;
    return made;
  }

  // Everything but the identifier needs a client that is there. Its Disconnected listeners may still look.
  get _handle() {
    if (this.#handle !== null && this.#handle.server !== null) return this.#handle;
    throw failure(INVALID_CONNECTION);
  }

  get _framing() {
    return this.#handle === null ? null : this._handle && this.#framing;
  }

  _reframe(change) {
    const handle = this._handle;
    Object.assign(this.#framing, change);
    handle.native.setFraming(this.#framing.native());
  }

  get _idleTimeout() { return this.#idleTimeout; }
  set _idleTimeout(seconds) {
    this._handle.native.setIdleTimeout(seconds * 1000);
    this.#idleTimeout = seconds;
  }

  get _userData() { return this.#userData; }
  set _userData(bytes) { this.#userData = bytes; }
}

const inert = (connection) => connection._framing === null;
const address = (connection, of) => connection._handle.native[of]() ?? { address: '', port: 0 };

defineAccessors(Connection, {
  AcceptData: { flag: true, get() { return inert(this) ? true : this._handle.acceptData; } },
  BytesSent: { get() { return inert(this) ? 0 : this._handle.bytesSent; } },
  Connected: { flag: true, get() { return inert(this) ? false : this._handle.connected; } },
  ConnectionId: { get() { return inert(this) ? '' : this._handle.connectionId; } },
  EOL: {
    get() { return inert(this) ? '' : this._framing.eol.toString('latin1'); },
    set(value) { this._reframe({ eol: check.copied(value, 'EOL') }); },
  },
  EOLB: {
    get() { return inert(this) ? new Uint8Array(0) : new Uint8Array(this._framing.eol); },
    set(value) { this._reframe({ eol: check.copied(value, 'EOLB') }); },
  },
  IdleTimeout: {
    get() { return this._idleTimeout; },
    set(value) { this._idleTimeout = check.whole(value, 'IdleTimeout', 0, SECONDS); },
  },
  LocalAddress: { get() { return inert(this) ? '' : address(this, 'getsockname').address; } },
  MaxLineLength: {
    get() { return inert(this) ? 2048 : this._framing.maxLineLength; },
    set(value) { this._reframe({ maxLineLength: checkLineLength(value) }); },
  },
  ReadyToSend: { flag: true, get() { return inert(this) ? false : this._handle.readyToSend; } },
  RecordLength: { get() { return inert(this) ? 0 : this._framing.recordLength; } },
  RemoteHost: { get() { return inert(this) ? '' : address(this, 'getpeername').address; } },
  RemotePort: { get() { return inert(this) ? 0 : address(this, 'getpeername').port; } },
  SingleLineMode: {
    flag: true,
    get() { return inert(this) ? false : this._framing.singleLineMode; },
    set(value) { this._reframe({ singleLineMode: check.flag(value, 'SingleLineMode') }); },
  },
  Timeout: {
    get() { return inert(this) ? 0 : this._handle.timeout; },
    set(value) { this._handle.timeout = check.whole(value, 'Timeout', 0, SECONDS); },
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
