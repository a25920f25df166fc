'use strict';
// The package's public module: Node's `tls`, and what it has beyond that.
const tls = require('./lib/tls');
const { generateCertificate } = require('./lib/tls/generate-certificate');

tls.generateCertificate = generateCertificate;

// Loaded when somebody asks for them.
for (const [name, get] of [
  ['C4', () => require('./lib/control4').C4],
  ['ipworksssl', () => require('./lib/ipworks')],
]) {
  Object.defineProperty(tls, name, { configurable: true, enumerable: true, get });
}

module.exports = tls;
