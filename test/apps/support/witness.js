'use strict';

// Loaded before a program with -r: counts the handshakes that c4tls finished in it and the connections that Node's own
// TLS began, and writes both to the file C4TLS_WITNESS when the program ends.

const { createHook } = require('async_hooks');
const fs = require('fs');
const { isMainThread } = require('worker_threads');
const { TLSSocket } = require('../../..');

const seen = { client: 0, server: 0, node: 0 };

const { emit } = TLSSocket.prototype;
TLSSocket.prototype.emit = function(event, ...args) {
  if (event === 'secure') seen[this._tlsOptions.isServer ? 'server' : 'client']++;
  return Reflect.apply(emit, this, [event, ...args]);
};

createHook({
  init(id, type, trigger, resource) {
    // c4tls's handles have the name of this kind, too.
    if (type === 'TLSWRAP' && resource.constructor.name === 'TLSWrap') seen.node++;
  },
}).enable();

if (isMainThread) {
  process.on('exit', () => fs.writeFileSync(process.env.C4TLS_WITNESS, JSON.stringify(seen)));
}
