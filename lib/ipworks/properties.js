'use strict';
// Properties that SSLServer and WSServer have in common.
const { Certificate } = require('./certificate');
const { failure } = require('./errors');
const { shownAddress } = require('./listening');
const check = require('./values');

const PORTS = 65535;
const MAX_BACKLOG = 2 ** 31 - 1;

/** Their values at first, and after reset(). */
const sharedValues = () => ({
  backlog: 5,
  idleTimeout: 0,
  timeout: 0,
  keepAlive: false,
  linger: true,
  localHost: '',
  localPort: 0,
  authenticateClients: false,
  certificate: new Certificate(),
  provider: 0,
});

const plain = (key, checked) => ({
  get() { return this._values[key]; },
  set(value) { this._set(key, checked(value)); },
});
const flagOf = (key, name) => ({ flag: true, ...plain(key, (value) => check.flag(value, name)) });
const secondsOf = (key, name) => plain(key, (value) => check.seconds(value, name));
const wholeOf = (key, name, min, max) => plain(key, (value) => check.whole(value, name, min, max));

/** Of what may not change while the component listens; `code`: the error that says so. */
const fixed = (code, property, detail) => ({
  ...property,
  set(value) {
    if (this._isListening()) throw failure(code, detail);
    property.set.call(this, value);
  },
});

const SHARED = {
  ConnectionBacklog: wholeOf('backlog', 'ConnectionBacklog', 0, MAX_BACKLOG),
  Connections: { get() { return this._connections; } },
  DefaultTimeout: secondsOf('timeout', 'DefaultTimeout'),
  LocalHost: fixed(107, {
    get() {
      const bound = this._bound();
      return bound === null ? this._values.localHost : shownAddress(bound);
    },
    set(value) { this._set('localHost', check.text(value, 'LocalHost').trim()); },
  }),
  LocalPort: fixed(106, {
    get() { return this._bound()?.port ?? this._values.localPort; },
    set(value) { this._set('localPort', check.whole(value, 'LocalPort', 0, PORTS)); },
  }),
  SSLAuthenticateClients: flagOf('authenticateClients', 'SSLAuthenticateClients'),
  SSLCert: {
    get() { return this._values.certificate; },
    set(value) {
      if (!(value instanceof Certificate)) throw check.invalid('SSLCert', 'a Certificate');
      this._set('certificate', value);
    },
  },
};

module.exports = { SHARED, fixed, flagOf, plain, secondsOf, sharedValues, wholeOf };
