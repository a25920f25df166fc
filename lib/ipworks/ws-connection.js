'use strict';
// The WSConnection type: a client of WSServer.
const { defineAccessors } = require('./accessors');
const { Client } = require('./client');
const check = require('./values');

/** What there is before the opening request. */
const UNOPENED = Object.freeze({ target: '', host: '', origin: '', protocols: [], headers: '', extensions: '' });

/** Values of DataFormat. */
const WebSocketDataFormats = Object.freeze({ dfAutomatic: 0, dfText: 1, dfBinary: 2, dfPing: 9, dfPong: 10 });

function checkFormat(value) {
  if (Object.values(WebSocketDataFormats).includes(value)) return value;
  throw check.invalid('DataFormat', `one of ${Object.values(WebSocketDataFormats).join(', ')}`);
}

/** A client. One made by `new WSConnection()` belongs to no server and has the defaults. */
class WSConnection extends Client {
  static _UNCONNECTED = Object.freeze({ ...Client._UNCONNECTED, dataFormat: 0, lineMode: false, request: UNOPENED });
}

defineAccessors(WSConnection, {
  AcceptData: {
    flag: true,
    get() { return this._seen.acceptData; },
    set(value) {
      if (check.flag(value, 'AcceptData')) this._handle.resume();
      else this._handle.pause();
    },
  },
  Connected: {
    flag: true,
    get() { return this._seen.connected; },
    set(value) { if (!check.flag(value, 'Connected')) this._handle.disconnect(); },
  },
  DataFormat: {
    get() { return this._seen.dataFormat; },
    set(value) { this._handle.dataFormat = checkFormat(value); },
  },
  DataToSend: {
    set(value) {
      const handle = this._handle;
      handle.server._sendNow(handle, value);
    },
  },
  Host: { get() { return this._seen.request.host; } },
  LineMode: { flag: true, get() { return this._seen.lineMode; } },
  Origin: { get() { return this._seen.request.origin; } },
  RequestHeaders: { get() { return this._seen.request.headers; } },
  RequestURI: { get() { return this._seen.request.target; } },
  SubProtocols: { get() { return this._seen.request.protocols.join(','); } },
});

/** Properties that the component has too, by ConnectionId: getWSConnectionHost(connectionId). */
const BY_ID = ['AcceptData', 'BytesSent', 'Connected', 'ConnectionId', 'DataFormat', 'DataToSend', 'Host', 'LineMode',
  'LocalAddress', 'Origin', 'ReadyToSend', 'RemoteHost', 'RemotePort', 'RequestHeaders', 'RequestURI', 'SubProtocols',
  'Timeout'];

/** Defines them on a class with getConnections(). */
function defineById(Class) {
  const define = (name, value) => {
    Object.defineProperty(Class.prototype, name, { value, configurable: true, writable: true });
  };
  for (const name of BY_ID) {
    const read = WSConnection.prototype[`get${name}`] ?? WSConnection.prototype[`is${name}`];
    const write = WSConnection.prototype[`set${name}`];
    if (read !== undefined) {
      define(`getWSConnection${name}`, function get(connectionId) {
        return read.call(this.getConnections().get(connectionId));
      });
    }
    if (write !== undefined) {
      define(`setWSConnection${name}`, function set(connectionId, value) {
        write.call(this.getConnections().get(connectionId), value);
      });
    }
  }
}

module.exports = { WebSocketDataFormats, UNOPENED, WSConnection, defineById };
