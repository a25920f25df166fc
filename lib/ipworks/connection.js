'use strict';
// The Connection type: a client of SSLServer.
const { defineAccessors } = require('./accessors');
const { Client } = require('./client');
const { failure } = require('./errors');
const { Framing, checkLineLength } = require('./framing');
const check = require('./values');

const LINE_UNDER_WAY = 112;

/** A client. One made by `new Connection()` belongs to no server and has the defaults. */
class Connection extends Client {
  static _UNCONNECTED = Object.freeze({ ...Client._UNCONNECTED, framing: new Framing(), idleTimeout: 0 });

  _reframe(change) {
    const handle = this._handle;
    Object.assign(handle.framing, change);
    handle.reframe();
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
    get() { return this._seen.idleTimeout; },
    set(value) {
      const handle = this._handle;
      handle.idleTimeout = check.seconds(value, 'IdleTimeout');
      handle.native.setIdleTimeout(handle.idleTimeout * 1000);
    },
  },
  MaxLineLength: {
    get() { return this._seen.framing.maxLineLength; },
    set(value) {
      const maxLineLength = checkLineLength(value);
      if (this._handle.hasData()) throw failure(LINE_UNDER_WAY);
      this._reframe({ maxLineLength });
    },
  },
  RecordLength: { get() { return this._seen.framing.recordLength; } },
  SingleLineMode: {
    flag: true,
    get() { return this._seen.framing.singleLineMode; },
    set(value) { this._reframe({ singleLineMode: check.flag(value, 'SingleLineMode') }); },
  },
});

module.exports = { Connection };
