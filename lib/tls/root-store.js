'use strict';
// The trusted roots that a context gets when it names no `ca`: Node's list and NODE_EXTRA_CA_CERTS.
const fs = require('fs');
const nodeTls = require('tls');
const { X509Certificate } = require('crypto');
const binding = require('../core/binding');

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/g;

// A certificate that cannot be read stops the file there, as OpenSSL's reader would.
function extraCertificates(file) {
  const found = fs.readFileSync(file, 'latin1').match(CERTIFICATE) ?? [];
  if (found.length === 0) throw new Error('error:0480006C:PEM routines::no start line');
  for (const pem of found) new X509Certificate(pem);
  return found;
}

/** Fills the native root store; the first call does the work. */
function prepare() {
  if (binding.hasRootStore()) return;
  let extra = [];
  const file = process.env.NODE_EXTRA_CA_CERTS;
  if (file) {
    try {
      extra = extraCertificates(file);
    } catch (error) {
      process.emitWarning(`Ignoring extra certs from \`${file}\`, load failed: ${error.message}`);
    }
  }
  binding.setRootStore([...nodeTls.rootCertificates, ...extra]);
}

module.exports = { prepare };
