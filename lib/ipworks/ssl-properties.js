'use strict';
// Properties of SSLServer.
const { defineAccessors } = require('./accessors');
const { checkLineLength } = require('./framing');
const { SHARED, fixed, flagOf, plain, secondsOf, sharedValues, wholeOf } = require('./properties');
const check = require('./values');

const initialValues = () => ({
  ...sharedValues(),
  eol: Buffer.alloc(0),
  maxLineLength: 2048,
  singleLineMode: false,
});

const PROPERTIES = {
  ...SHARED,
  DefaultEOL: {
    get() { return new Uint8Array(this._values.eol); },
    set(value) { this._set('eol', check.eol(value, 'DefaultEOL')); },
  },
  DefaultIdleTimeout: secondsOf('idleTimeout', 'DefaultIdleTimeout'),
  DefaultMaxLineLength: plain('maxLineLength', checkLineLength),
  DefaultSingleLineMode: flagOf('singleLineMode', 'DefaultSingleLineMode'),
  KeepAlive: flagOf('keepAlive', 'KeepAlive'),
  Linger: flagOf('linger', 'Linger'),
  Listening: { flag: true, get() { return this._isListening(); } },
  SSLProvider: fixed(270, wholeOf('provider', 'SSLProvider', 0, 2), 'SSLProvider cannot be changed while listening.'),
};

function defineProperties(Class) {
  defineAccessors(Class, PROPERTIES);
}

module.exports = { defineProperties, initialValues };
