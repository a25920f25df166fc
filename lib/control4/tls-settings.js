'use strict';
// CreateTLSServer's numbers, list and credentials as what the native listener takes. Control4 numbers its options and
// verify modes in its own way, not in OpenSSL's.
const { constants } = require('crypto');
const binding = require('../core/binding');
const { readBits, readBytes, readText, refuse } = require('./arguments');

const DEFAULT_WORKAROUNDS = 0x01;
const DEFAULT_OPTIONS = 0x3d;
const KNOWN_OPTIONS = 0xff;

const VERIFY_NONE = 0x01;
const VERIFY_PEER = 0x02;
const FAIL_IF_NO_PEER_CERT = 0x04;
const DEFAULT_VERIFY = 0x0a;
const KNOWN_VERIFY = 0x0f;

const DEFAULT_CIPHERS = 'HIGH:!EXPORT:!DES:!RC4:!3DES:!MD5:!PSK';

/** The bit that switches a version off here, its number on the wire, and OpenSSL's bit for the same. */
const VERSIONS = [
  { off: 0x10, wire: 0x0301, no: constants.SSL_OP_NO_TLSv1 },
  { off: 0x20, wire: 0x0302, no: constants.SSL_OP_NO_TLSv1_1 },
  { off: 0x40, wire: 0x0303, no: constants.SSL_OP_NO_TLSv1_2 },
  { off: 0x80, wire: 0x0304, no: constants.SSL_OP_NO_TLSv1_3 },
];
const TLS1_2 = 0x0303;

/** Sessions resume only at the kind of server that gave them. */
const SESSION_NAME = 'c4tls control4';

function readVersions(options) {
  const on = VERSIONS.filter(({ off }) => (options & off) === 0);
  if (on.length === 0) refuse('options disables every protocol version');
  // Compression (0x02), SSL 2 (0x04) and SSL 3 (0x08) are not in this OpenSSL: their bits change nothing.
  // The order of suites is the server's, as in Node.
  let openssl = constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_CIPHER_SERVER_PREFERENCE;
  for (const { off, no } of VERSIONS) if ((options & off) !== 0) openssl |= no;
  if ((options & DEFAULT_WORKAROUNDS) !== 0) openssl |= constants.SSL_OP_ALL;
  return { least: on[0].wire, most: on.at(-1).wire, openssl: openssl >>> 0 };
}

/** What the server wants of a client's certificate. */
function readVerifyMode(value) {
  const mode = readBits(value, 'verifyMode', DEFAULT_VERIFY, KNOWN_VERIFY);
  if ((mode & VERIFY_NONE) !== 0 && mode !== VERIFY_NONE) refuse('verifyMode SSL_VERIFY_NONE goes with no other bit');
  if ((mode & VERIFY_NONE) === 0 && (mode & VERIFY_PEER) === 0) refuse('verifyMode needs SSL_VERIFY_PEER beside its other bits');
  const request = (mode & VERIFY_PEER) !== 0;
  return { requestCert: request, rejectUnauthorized: request, optionalCert: (mode & FAIL_IF_NO_PEER_CERT) === 0 };
}

/** OpenSSL's list. TLS 1.0 and 1.1 sign with SHA-1, which needs security level 0. */
function cipherList(value, least) {
  const list = readText(value, 'cipherList').trim() || DEFAULT_CIPHERS;
  // The engine never uses suites that authenticate or encrypt nothing. Named here, a list of nothing else is an error.
  const safe = `${list}:!aNULL:!eNULL`;
  return least < TLS1_2 && !list.includes('@SECLEVEL') ? `${safe}:@SECLEVEL=0` : safe;
}

function makeContext({ least, most, openssl }, ciphers) {
  const context = new binding.SecureContext(undefined, least, most);
  context.setOptions(openssl);
  try {
    context.setCiphers(ciphers);
  } catch (error) {
    refuse(`cipherList: ${error.message}`);
  }
  context.setDhParam(true);
  context.setSessionIdContext(SESSION_NAME);
  return context;
}

/** Puts certificate, key and chain into `context`. Buffers that were made of text here are wiped. */
function applyIdentity(context, given, bases) {
  const own = [];
  const bytesOf = (name) => {
    const bytes = readBytes(given[name], name);
    if (typeof given[name] === 'string') own.push(bytes);
    return bytes.length > 0 ? bytes : undefined;
  };
  try {
    const certificate = bytesOf('certificate') ?? refuse('certificate is missing');
    binding.loadIdentity({
      certificate,
      privateKey: bytesOf('privateKey'),
      password: bytesOf('password'),
      chain: bytesOf('chain'),
      bases,
    }).applyTo(context);
  } finally {
    for (const bytes of own) bytes.fill(0);
  }
}

/**
 * TLS as the arguments of CreateTLSServer describe it.
 * @param {object} given options, verifyMode, cipherList, certificate, privateKey, password, chain
 * @param {{name: string, path: string}[]} bases where files are looked for, in this order
 * @param {number} handshakeTimeout milliseconds
 * @throws Error whose message tells what is wrong
 */
function readTlsSettings(given, bases, handshakeTimeout) {
  const versions = readVersions(readBits(given.options, 'options', DEFAULT_OPTIONS, KNOWN_OPTIONS));
  const verify = readVerifyMode(given.verifyMode);
  const context = makeContext(versions, cipherList(given.cipherList, versions.least));
  applyIdentity(context, given, bases);
  return { context, isServer: true, ...verify, hooks: 0, handshakeTimeout, renegLimit: 0, renegWindow: 0 };
}

module.exports = { readTlsSettings };
