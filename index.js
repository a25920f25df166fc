'use strict';
// The package's public module: Node's `tls`, and what it has beyond that.
const tls = require('./lib/tls');
const { generateCertificate } = require('./lib/tls/generate-certificate');

tls.generateCertificate = generateCertificate;

module.exports = tls;
