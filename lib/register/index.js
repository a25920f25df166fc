'use strict';
// Makes Node's `tls` and `https` of this thread those of this package. The exports objects of the builtin modules stay
// and get this package's members, so whoever has one of them, or asks for it in whatever way, is reached, and so are
// those of Node's own modules that look a member up when they use it.
const builtin = { tls: require('tls'), https: require('https') };
const { syncBuiltinESMExports } = require('module');
const https = require('../https');
const tls = require('../tls');

/** On Node's `tls` once this is done, by whichever copy of this package. */
const kRegistered = Symbol.for('c4tls.register');

// Reads and assignments of a member reach the module that means it: programs assign DEFAULT_CIPHERS and globalAgent.
function forward(from, to) {
  for (const name of Object.keys(to)) {
    if (Object.getOwnPropertyDescriptor(from, name)?.configurable === false) continue;   // rootCertificates: the same
    Object.defineProperty(from, name, {
      configurable: true,
      enumerable: true,
      get: () => to[name],
      set: (value) => {
        to[name] = value;
      },
    });
  }
}

// Node's http2 takes tls.Server as the parent of its secure server when it is loaded: later than this, or else that
// server would be made of Node's TLS and of this package's contexts.
function adoptHttp2() {
  if (!process.moduleLoadList?.includes('NativeModule http2')) return;
  const { createSecureServer } = require('http2');
  const { constructor } = Object.getPrototypeOf(createSecureServer({ ca: [] }));
  Object.setPrototypeOf(constructor, tls.Server);
  Object.setPrototypeOf(constructor.prototype, tls.Server.prototype);
}

function register() {
  if (builtin.tls[kRegistered]) return;
  adoptHttp2();
  Object.defineProperty(builtin.tls, kRegistered, { value: true });
  forward(builtin.tls, tls);
  forward(builtin.https, https);
  syncBuiltinESMExports();
}

module.exports = { register };
