'use strict';
// The trusted roots that a context gets when it names no `ca`: those of the running Node.
const fs = require('fs');
const nodeTls = require('./node-tls');
const { X509Certificate } = require('crypto');
const binding = require('../core/binding');

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/g;

// What the program chose with setDefaultCACertificates(); the shared store is made once per process.
let chosen = null;

// A certificate that cannot be read stops the file there, as OpenSSL's reader would.
function extraCertificates(file) {
  const found = fs.readFileSync(file, 'latin1').match(CERTIFICATE) ?? [];
  if (found.length === 0) throw new Error('error:0480006C:PEM routines::no start line');
  for (const pem of found) new X509Certificate(pem);
  return found;
}

// Node's bundled list and NODE_EXTRA_CA_CERTS, for versions that do not tell their defaults.
function defaults() {
  const file = process.env.NODE_EXTRA_CA_CERTS;
  if (!file) return nodeTls.rootCertificates;
  try {
    return [...nodeTls.rootCertificates, ...extraCertificates(file)];
  } catch (error) {
    process.emitWarning(`Ignoring extra certs from \`${file}\`, load failed: ${error.message}`);
    return nodeTls.rootCertificates;
  }
}

/** Makes `context`, a native SecureContext, trust the default roots. */
function addTo(context) {
  if (chosen !== null) {
    for (const pem of chosen) context.addCaCert(Buffer.from(pem));
    return;
  }
  if (!binding.hasRootStore()) binding.setRootStore([...nodeTls.getCACertificates?.('default') ?? defaults()]);
  context.addRootCerts();
}

/** As Node's tls.setDefaultCACertificates, where it has that: for contexts made from now on. */
function setDefaults(certificates) {
  nodeTls.setDefaultCACertificates(certificates);
  chosen = nodeTls.getCACertificates('default');
}

module.exports = { addTo, setDefaults };
