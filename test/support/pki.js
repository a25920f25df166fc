'use strict';

// Certificates for tests, made with the openssl program when first asked for, in a folder of their own that goes
// away with the process. Every name is described in FILES below.

const { execFileSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

/** Passphrase of everything that is encrypted here. */
const PASSPHRASE = 'correct horse';

const SERVER_NAMES = 'DNS:localhost,DNS:c4tls.test,IP:127.0.0.1,IP:::1';

/**
 * Leaves: [name, key kind, common name, extended key usage, issuer, subjectAltName].
 * Each becomes NAME.pem and NAME.key.
 */
const LEAVES = [
  ['rsa', 'rsa', 'localhost', 'serverAuth', 'ca', SERVER_NAMES],
  ['ec', 'ec', 'localhost', 'serverAuth', 'ca', SERVER_NAMES],
  ['alpha', 'ec', 'alpha.test', 'serverAuth', 'ca', 'DNS:alpha.test'],
  ['beta', 'ec', 'beta.test', 'serverAuth', 'ca', 'DNS:beta.test,DNS:*.beta.test'],
  ['untrusted', 'ec', 'localhost', 'serverAuth', 'otherca', SERVER_NAMES],
  ['deep', 'ec', 'localhost', 'serverAuth', 'intermediate', SERVER_NAMES],
  ['client', 'ec', 'good client', 'clientAuth', 'ca', 'DNS:client.test'],
  ['client-rsa', 'rsa', 'good rsa client', 'clientAuth', 'ca', 'DNS:client.test'],
  ['client-untrusted', 'ec', 'untrusted client', 'clientAuth', 'otherca', 'DNS:client.test'],
  ['client-wrong-usage', 'ec', 'server-only client', 'serverAuth', 'ca', 'DNS:client.test'],
  ['client-revoked', 'ec', 'revoked client', 'clientAuth', 'ca', 'DNS:client.test'],
];

/** A process that a test started uses its parent's folder. */
let dir = process.env.C4TLS_TEST_PKI;

function openssl(...args) {
  return execFileSync('openssl', args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'], timeout: 30_000 });
}

function write(name, text) {
  fs.writeFileSync(path.join(dir, name), text);
}

function makeKey(name, kind) {
  const how = kind === 'rsa' ? ['RSA', 'rsa_keygen_bits:2048'] : ['EC', 'ec_paramgen_curve:P-256'];
  openssl('genpkey', '-algorithm', how[0], '-pkeyopt', how[1], '-out', `${name}.key`);
}

function makeRoot(name, commonName) {
  makeKey(name, 'ec');
  openssl('req', '-x509', '-new', '-key', `${name}.key`, '-sha256', '-days', '30', '-subj', `/CN=${commonName}`,
    '-addext', 'keyUsage=critical,keyCertSign,cRLSign', '-out', `${name}.pem`);
}

/** Signs a request for `name` with openssl's ca command, which can also backdate and revoke. */
function sign(name, commonName, issuer, extensions, dates = ['-days', '30']) {
  openssl('req', '-new', '-key', `${name}.key`, '-subj', `/CN=${commonName}`, '-out', `${name}.csr`);
  write(`${name}.ext`, `${extensions.join('\n')}\n`);
  openssl('ca', '-batch', '-notext', '-config', 'ca.cnf', '-name', issuer, '-cert', `${issuer}.pem`,
    '-keyfile', `${issuer}.key`, '-in', `${name}.csr`, '-extfile', `${name}.ext`, ...dates, '-out', `${name}.pem`);
}

function makeLeaf([name, kind, commonName, usage, issuer, names], dates) {
  makeKey(name, kind);
  sign(name, commonName, issuer, [
    'basicConstraints=critical,CA:FALSE',
    `keyUsage=critical,digitalSignature${kind === 'rsa' ? ',keyEncipherment' : ''}`,
    `extendedKeyUsage=${usage}`,
    'subjectKeyIdentifier=hash',
    'authorityKeyIdentifier=keyid',
    `subjectAltName=${names}`,
  ], dates);
}

function makeAuthorities() {
  const issuers = ['ca', 'otherca', 'intermediate'];
  write('ca.cnf', issuers.map((name) => [
    `[${name}]`, `database=${name}.index`, `serial=${name}.serial`, `crlnumber=${name}.crlnumber`,
    'new_certs_dir=.', 'default_md=sha256', 'policy=any', 'unique_subject=no', 'default_crl_days=30',
  ].join('\n')).join('\n') + '\n[any]\ncommonName=supplied\n');
  issuers.forEach((name, index) => {
    write(`${name}.index`, '');
    write(`${name}.serial`, `${index + 1}000\n`);
    write(`${name}.crlnumber`, '01\n');
  });
  makeRoot('ca', 'c4tls test CA');
  makeRoot('otherca', 'c4tls other CA');
  makeKey('intermediate', 'ec');
  sign('intermediate', 'c4tls intermediate CA', 'ca',
    ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign', 'subjectKeyIdentifier=hash']);
}

function make() {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-pki-'));
  process.on('exit', () => fs.rmSync(dir, { recursive: true, force: true }));
  makeAuthorities();
  for (const leaf of LEAVES) makeLeaf(leaf);
  const longAgo = ['-startdate', '20200101000000Z', '-enddate', '20200201000000Z'];
  makeLeaf(['client-expired', 'ec', 'expired client', 'clientAuth', 'ca', 'DNS:client.test'], longAgo);
  makeLeaf(['expired', 'ec', 'localhost', 'serverAuth', 'ca', SERVER_NAMES], longAgo);

  openssl('ca', '-config', 'ca.cnf', '-name', 'ca', '-cert', 'ca.pem', '-keyfile', 'ca.key', '-revoke', 'client-revoked.pem');
  openssl('ca', '-config', 'ca.cnf', '-name', 'ca', '-cert', 'ca.pem', '-keyfile', 'ca.key', '-gencrl', '-out', 'crl.pem');

  const pass = `pass:${PASSPHRASE}`;
  openssl('pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-in', 'rsa.key', '-passout', pass, '-out', 'rsa-encrypted.key');
  openssl('rsa', '-aes128', '-traditional', '-in', 'rsa.key', '-passout', pass, '-out', 'rsa-encrypted-old.key');
  const bundle = ['pkcs12', '-export', '-in', 'ec.pem', '-inkey', 'ec.key', '-certfile', 'ca.pem'];
  openssl(...bundle, '-passout', pass, '-out', 'ec.pfx');
  openssl(...bundle, '-passout', 'pass:', '-out', 'ec-open.pfx');
  openssl(...bundle, '-legacy', '-passout', pass, '-out', 'ec-legacy.pfx');
  write('chain.pem', read('deep.pem') + read('intermediate.pem'));
}

function read(name) {
  return fs.readFileSync(path.join(dir, name), name.endsWith('.pfx') ? null : 'utf8');
}

/**
 * FILES, besides NAME.pem and NAME.key of every leaf:
 *   ca, otherca, intermediate (.pem, .key)   issuers; `deep` hangs below `intermediate`, chain.pem is both
 *   expired, client-expired (.pem, .key)     ended in 2020
 *   crl.pem                                  revokes client-revoked
 *   rsa-encrypted.key, rsa-encrypted-old.key PKCS#8 and traditional PEM under PASSPHRASE
 *   ec.pfx, ec-open.pfx, ec-legacy.pfx       PKCS#12 under PASSPHRASE, under none, and RC2-40 as old tools write
 */
const pki = {
  PASSPHRASE,
  /** Path of a file. */
  path(name) {
    if (!dir) make();
    return path.join(dir, name);
  },
  /** Content of a file: text, or a Buffer for PKCS#12. */
  read(name) {
    if (!dir) make();
    return read(name);
  },
  /** Runs the openssl program among the files; what it prints. */
  openssl(...args) {
    if (!dir) make();
    return openssl(...args);
  },
  /** Makes NAME.pem and NAME.key: a certificate of its own signing, with `text` in an extension that nobody knows. */
  selfSigned(name, commonName, text) {
    if (!dir) make();
    makeKey(name, 'ec');
    write(`${name}.cnf`, ['[req]', 'distinguished_name=subject', 'prompt=no', 'x509_extensions=own', '[subject]',
      `CN=${commonName}`, '[own]', `1.2.3.4.5=DER:${Buffer.from(text).toString('hex')}`, ''].join('\n'));
    openssl('req', '-x509', '-new', '-key', `${name}.key`, '-config', `${name}.cnf`, '-days', '3', '-out', `${name}.pem`);
  },
  /** {key, cert} of a leaf, as createSecureContext takes it. */
  pair(name) {
    return { key: pki.read(`${name}.key`), cert: pki.read(`${name}.pem`) };
  },
  /** The authority that signed the good leaves. */
  get ca() {
    return pki.read('ca.pem');
  },
};

module.exports = pki;
