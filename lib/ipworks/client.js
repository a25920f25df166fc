'use strict';
// A client as programs see it: what Connection and WSConnection have in common.
const { failure } = require('./errors');
const { defineAccessors } = require('./accessors');
const { Reader } = require('./reader');
const check = require('./values');

const INVALID_CONNECTION = 126;

class Client {
  #handle = null;
  #userData = Buffer.alloc(0);

  /** @param {import('./connection-handle').ConnectionHandle} handle */
  static _of(handle) {
    const made = new this();
    made.#handle = handle;
    return made;
  }

  // What there is to read. Listeners of Disconnected may still look.
  get _seen() {
    return this.#handle === null ? this.constructor._UNCONNECTED : this._handle;
  }

  // What can be changed.
  get _handle() {
    if (this.#handle !== null && this.#handle.server !== null) return this.#handle;
    throw failure(INVALID_CONNECTION);
  }

  /** DataIn's events of this client, one behind the other, until it has gone; it waits while the loop is busy. */
  [Symbol.asyncIterator]() {
    return Reader.over(this._handle);
  }

  get _userData() { return this._seen && this.#userData; }
  set _userData(bytes) { this.#userData = this._seen && bytes; }

  /** What one that belongs to no server shows. */
  static _UNCONNECTED = Object.freeze({
    acceptData: true,
    connected: false,
    connectionId: '',
    local: { address: '' },
    remote: { address: '', port: 0 },
    sender: { bytesSent: 0, isReady: false, timeout: 0 },
  });
}

defineAccessors(Client, {
  AcceptData: { flag: true, get() { return this._seen.acceptData; } },
  BytesSent: { get() { return this._seen.sender.bytesSent; } },
  Connected: { flag: true, get() { return this._seen.connected; } },
  ConnectionId: { get() { return this._seen.connectionId; } },
  LocalAddress: { get() { return this._seen.local.address; } },
  ReadyToSend: { flag: true, get() { return this._seen.sender.isReady; } },
  RemoteHost: { get() { return this._seen.remote.address; } },
  RemotePort: { get() { return this._seen.remote.port; } },
  Timeout: {
    get() { return this._seen.sender.timeout; },
    set(value) { this._handle.sender.timeout = check.seconds(value, 'Timeout'); },
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

module.exports = { Client, ConnectionMap };
