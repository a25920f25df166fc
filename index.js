'use strict';
// The package's public module: Node's `tls`, and what it has beyond that.
const tls = require('./lib/tls');
const { generateCertificate } = require('./lib/tls/generate-certificate');

tls.generateCertificate = generateCertificate;

// Made when somebody asks for it.
Object.defineProperty(tls, 'C4', {
  configurable: true,
  enumerable: true,
  get: () => require('./lib/control4').C4,
});

module.exports = tls;
