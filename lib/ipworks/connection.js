'use strict';
// The Connection type: a client of SSLServer.
const { defineAccessors } = require('./accessors');
const { Client, seconds } = require('./client');
const { Framing, checkLineLength } = require('./framing');
const check = require('./values');

/** A client. One made by `new Connection()` belongs to no server and has the defaults. */
class Connection extends Client {
  #idleTimeout = 0;

  static _of(handle, idleTimeout) {
    const made = super._of(handle);
    made.#idleTimeout = idleTimeout;
    return made;
  }

  static _UNCONNECTED = Object.freeze({ ...Client._UNCONNECTED, framing: new Framing() });

  _reframe(change) {
    const handle = this._handle;
    Object.assign(handle.framing, change);
    handle.reframe();
  }

  get _idleTimeout() { return this._seen && this.#idleTimeout; }
  set _idleTimeout(value) {
    this._handle.native.setIdleTimeout(value * 1000);
    this.#idleTimeout = value;
  }
}

defineAccessors(Connection, {
  EOL: {
    get() { return this._seen.framing.eol.toString(); },
    set(value) { this._reframe({ eol: check.eol(value, 'EOL') }); },
  },
  EOLB: {
    get() { return new Uint8Array(this._seen.framing.eol); },
    set(value) { this._reframe({ eol: check.eol(value, 'EOLB') }); },
  },
  IdleTimeout: {
    get() { return this._idleTimeout; },
    set(value) { this._idleTimeout = seconds(value, 'IdleTimeout'); },
  },
  MaxLineLength: {
    get() { return this._seen.framing.maxLineLength; },
    set(value) { this._reframe({ maxLineLength: checkLineLength(value) }); },
  },
  RecordLength: { get() { return this._seen.framing.recordLength; } },
  SingleLineMode: {
    flag: true,
    get() { return this._seen.framing.singleLineMode; },
    set(value) { this._reframe({ singleLineMode: check.flag(value, 'SingleLineMode') }); },
  },
});

module.exports = { Connection };
