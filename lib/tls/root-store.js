'use strict';
// The certificates that are trusted when nobody names a `ca`: Node's getCACertificates and setDefaultCACertificates,
// also for versions that have no such functions, and the native stores made of them.
const fs = require('fs');
const nodeTls = require('./node-tls');
const { X509Certificate } = require('crypto');
const binding = require('../core/binding');
const check = require('../core/validate');
const { toBytes } = require('../core/bytes');
const { codes } = require('../core/errors');
const commandLine = require('./command-line');

const { ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE } = codes;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/g;

// As it was when the program began: what happens to process.env later does not count, as in Node.
const extraFile = process.env.NODE_EXTRA_CA_CERTS;
const usesOpenssl = commandLine.has('--use-openssl-ca');
// The flag is Node's own, and newer than the versions that need to be told.
const usesSystem = process.env.NODE_USE_SYSTEM_CA === '1';

// What the program chose with setDefaultCACertificates(), and the list of it.
let chosen = null;
let chosenList = null;

function readExtra() {
  if (!extraFile) return [];
  try {
    const found = fs.readFileSync(extraFile, 'latin1').match(CERTIFICATE) ?? [];
    if (found.length === 0) throw new Error('error:0480006C:PEM routines::no start line');
    return found.map((pem) => new X509Certificate(pem).toString());
  } catch (error) {
    process.emitWarning(`Ignoring extra certs from \`${extraFile}\`, load failed: ${error.message}`);
    return [];
  }
}

const kept = new Map();

function keep(type, make) {
  if (!kept.has(type)) kept.set(type, Object.freeze(make()));
  return kept.get(type);
}

// Node's lists, for versions that do not tell them.
const lists = {
  __proto__: null,
  bundled: () => nodeTls.rootCertificates,
  system: () => keep('system', () => binding.machineCertificates(false)),
  extra: () => keep('extra', readExtra),
  default: () => keep('default', () => [
    ...usesOpenssl ? [] : lists.bundled(),
    ...usesSystem && !usesOpenssl ? lists.system() : [],
    ...lists.extra(),
  ]),
};

/**
 * PEM texts of certificates, in a frozen array.
 * @param {'default' | 'system' | 'bundled' | 'extra'} [type] 'default': trusted without a `ca`; 'system': by the
 *   operating system; 'bundled': by Node; 'extra': those of the file that NODE_EXTRA_CA_CERTS names
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE
 */
function getCACertificates(type = 'default') {
  check.string(type, 'type');
  if (type === 'default' && chosen !== null) {
    chosenList ??= Object.freeze(chosen.certificates());
    return chosenList;
  }
  if (nodeTls.getCACertificates) return nodeTls.getCACertificates(type);
  if (!lists[type]) throw new ERR_INVALID_ARG_VALUE('type', type);
  return lists[type]();
}

/**
 * Contexts made from now on trust these instead of the default certificates, in this thread. A Node that has this
 * function gets them too.
 * @param {(string | ArrayBufferView)[]} certs PEM
 * @throws ERR_INVALID_ARG_TYPE; what OpenSSL says of PEM that it cannot read, and then nothing has changed
 */
function setDefaultCACertificates(certs) {
  check.array(certs, 'certs');
  certs.forEach((cert, i) => {
    if (typeof cert === 'string' || ArrayBuffer.isView(cert)) return;
    throw new ERR_INVALID_ARG_TYPE(`certs[${i}]`, ['string', 'ArrayBufferView'], cert);
  });
  nodeTls.setDefaultCACertificates?.(certs);
  chosen = new binding.RootStore(certs.map(toBytes));
  chosenList = null;
}

/** Makes `context`, a native SecureContext, trust the default roots. */
function addTo(context) {
  if (chosen !== null) {
    context.useRoots(chosen);
    return;
  }
  // Made once for all threads of the process. --use-openssl-ca adds what OpenSSL's own settings name, and tells nobody.
  if (!binding.hasRootStore()) {
    binding.setRootStore([...usesOpenssl ? binding.machineCertificates(true) : [], ...getCACertificates()]);
  }
  context.addRootCerts();
}

module.exports = { addTo, getCACertificates, setDefaultCACertificates };
