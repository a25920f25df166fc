'use strict';
// SecureContext and createSecureContext: option checks in Node's order, then the native context.
const { constants } = require('crypto');
const binding = require('../core/binding');
const check = require('../core/validate');
const { toBytes } = require('../core/bytes');
const { codes, withCode } = require('../core/errors');
const face = require('./face');
const rootStore = require('./root-store');

const {
  ERR_CRYPTO_CUSTOM_ENGINE_NOT_SUPPORTED,
  ERR_INVALID_ARG_TYPE,
  ERR_INVALID_ARG_VALUE,
  ERR_TLS_INVALID_PROTOCOL_VERSION,
  ERR_TLS_PROTOCOL_VERSION_CONFLICT,
} = codes;

const WIRE_VERSIONS = { '__proto__': null, 'TLSv1': 0x0301, 'TLSv1.1': 0x0302, 'TLSv1.2': 0x0303, 'TLSv1.3': 0x0304 };
const TLS1_2 = WIRE_VERSIONS['TLSv1.2'];
const TLS1_3 = WIRE_VERSIONS['TLSv1.3'];

function wireVersion(which, version, fallback) {
  const found = WIRE_VERSIONS[version ?? fallback];
  if (found === undefined) throw new ERR_TLS_INVALID_PROTOCOL_VERSION(version ?? fallback, which);
  return found;
}

/** What `secureContext.context` is: the native context under the method names of Node's. */
class ContextHandle {
  #native;

  constructor(method, min, max) {
    this.#native = new binding.SecureContext(method, min, max);
  }

  get native() { return this.#native; }
  // Node's is a pointer to its SSL_CTX, for addons; ours says as little.
  get _external() { return this.#native; }

  setOptions(options) { this.native.setOptions(options); }
  getMinProto() { return this.native.getMinProto(); }
  getMaxProto() { return this.native.getMaxProto(); }
  setMinProto(version) { this.native.setMinProto(version); }
  setMaxProto(version) { this.native.setMaxProto(version); }
  setCiphers(list) { this.native.setCiphers(list); }
  setCipherSuites(list) { this.native.setCipherSuites(list); }
  setSigalgs(list) { this.native.setSigalgs(list); }
  setECDHCurve(list) { this.native.setEcdhCurve(list); }
  setDHParam(param) { return this.native.setDhParam(param === true ? true : toBytes(param)); }
  addCACert(pem) { this.native.addCaCert(toBytes(pem)); }
  addCRL(pem) { this.native.addCrl(toBytes(pem)); }
  setCertificateCompression(names) { this.native.setCertificateCompression(names); }
  setAllowPartialTrustChain() { this.native.setAllowPartialTrustChain(); }
  setCert(pem) { this.native.setCert(toBytes(pem)); }
  // No passphrase is an empty one: an encrypted key then fails with OpenSSL's "bad decrypt", as in Node.
  setKey(pem, passphrase) { this.native.setKey(toBytes(pem), passphrase ?? ''); }
  setSessionIdContext(id) { this.native.setSessionIdContext(id); }
  setSessionTimeout(seconds) { this.native.setSessionTimeout(seconds); }
  getTicketKeys() { return this.native.getTicketKeys(); }
  setTicketKeys(keys) { this.native.setTicketKeys(toBytes(keys)); }
  /** The keys of each session ticket come from `onticketkeycallback` from now on; see ticket-keys.js. */
  enableTicketKeyCallback() { this.native.askTicketKeys(); }
  getCertificate() { return this.native.getCertificate(); }
  getIssuer() { return this.native.getIssuer(); }
  close() { this.native.close(); }

  loadPKCS12(pfx, passphrase, legacy = false) {
    if (typeof pfx !== 'string' && !ArrayBuffer.isView(pfx)) {
      throw withCode('ERR_CRYPTO_OPERATION_FAILED', 'Unable to load PFX certificate');
    }
    this.native.loadPkcs12(toBytes(pfx), passphrase === undefined ? undefined : toBytes(passphrase), legacy);
  }

  addRootCerts() {
    rootStore.addTo(this.native);
  }
}

/**
 * Holds what TLS needs beyond the connection: certificates, keys, ciphers, versions.
 * @property {ContextHandle} context
 */
function SecureContext(secureProtocol, secureOptions, minVersion, maxVersion) {
  if (!(this instanceof SecureContext)) {
    return new SecureContext(secureProtocol, secureOptions, minVersion, maxVersion);
  }
  if (secureProtocol) {
    for (const version of [minVersion, maxVersion]) {
      if (version != null) throw new ERR_TLS_PROTOCOL_VERSION_CONFLICT(version, secureProtocol);
    }
  }
  this.context = new ContextHandle(typeof secureProtocol === 'string' ? secureProtocol : undefined,
                                   wireVersion('minimum', minVersion, face.DEFAULT_MIN_VERSION),
                                   wireVersion('maximum', maxVersion, face.DEFAULT_MAX_VERSION));
  if (secureOptions) {
    check.integer(secureOptions, 'secureOptions');
    this.context.setOptions(secureOptions);
  }
}

function keyOrCert(value, name) {
  if (typeof value !== 'string' && !ArrayBuffer.isView(value)) {
    throw new ERR_INVALID_ARG_TYPE(name, ['string', 'Buffer', 'TypedArray', 'DataView'], value);
  }
}

const listOf = (value) => (Array.isArray(value) ? value : [value]);

// TLS 1.3 suites (TLS_*) have a setting of their own.
function applyCiphers(context, given) {
  if (given !== undefined && given !== null) check.string(given, 'options.ciphers');
  const words = (given || face.DEFAULT_CIPHERS).split(':');
  const is13 = (word) => word.startsWith('TLS_') || word.startsWith('!TLS_');
  const suites = words.filter((word) => word !== '' && is13(word)).join(':');
  const ciphers = words.filter((word) => word !== '' && !is13(word)).join(':');
  if (suites === '' && ciphers === '') throw new ERR_INVALID_ARG_VALUE('options.ciphers', words);

  if (suites !== '') context.setCipherSuites(suites);
  context.setCiphers(ciphers);
  // Without a suite for the older versions only TLS 1.3 is left.
  if (ciphers === '' && context.getMinProto() < TLS1_3 && context.getMaxProto() > TLS1_2) {
    context.setMinProto(TLS1_3);
  }
}

function applyKey(context, pem, passphrase) {
  keyOrCert(pem, 'options.key');
  if (passphrase !== undefined && passphrase !== null) check.string(passphrase, 'options.passphrase');
  context.setKey(pem, passphrase);
}

// A key may come with a passphrase of its own.
function applyKeys(context, key, passphrase) {
  if (!Array.isArray(key)) {
    applyKey(context, key, passphrase);
    return;
  }
  for (const item of key) {
    applyKey(context,
             item?.pem !== undefined ? item.pem : item,
             item?.passphrase !== undefined ? item.passphrase : passphrase);
  }
}

function applyPfx(context, pfx, passphrase, legacy) {
  for (const item of listOf(pfx)) {
    const own = Array.isArray(pfx) ? item.passphrase || passphrase : passphrase;
    const data = Array.isArray(pfx) ? item.buf || item : item;
    context.loadPKCS12(data, own || undefined, legacy);
  }
}

// Engines are a dying part of OpenSSL; ours has none.
function refuseEngines({ key, privateKeyIdentifier: id, privateKeyEngine: engine }) {
  if (id === undefined || id === null) return;
  if (engine === undefined || engine === null) throw new ERR_INVALID_ARG_VALUE('options.privateKeyEngine', engine);
  if (key) throw new ERR_INVALID_ARG_VALUE('options.privateKeyIdentifier', id);
  const kinds = ['string', 'null', 'undefined'];
  if (typeof id !== 'string') throw new ERR_INVALID_ARG_TYPE('options.privateKeyIdentifier', kinds, id);
  if (typeof engine !== 'string') throw new ERR_INVALID_ARG_TYPE('options.privateKeyEngine', kinds, engine);
  throw new ERR_CRYPTO_CUSTOM_ENGINE_NOT_SUPPORTED();
}

function refuseClientCertEngine(engine) {
  if (typeof engine === 'string') throw new ERR_CRYPTO_CUSTOM_ENGINE_NOT_SUPPORTED();
  if (engine !== undefined && engine !== null) {
    throw new ERR_INVALID_ARG_TYPE('options.clientCertEngine', ['string', 'null', 'undefined'], engine);
  }
}

const COMPRESSIONS = ['zlib', 'brotli', 'zstd'];

function applyCertificateCompression(context, names) {
  check.array(names, 'options.certificateCompression');
  if (names.length === 0) return;
  if (names.length > COMPRESSIONS.length) {
    throw new ERR_INVALID_ARG_VALUE('options.certificateCompression', names, 'can specify at most 3 algorithms');
  }
  names.forEach((name, i) => {
    if (COMPRESSIONS.includes(name)) return;
    throw new ERR_INVALID_ARG_VALUE(`options.certificateCompression[${i}]`, name, 'must be \'zlib\', \'brotli\', or \'zstd\'');
  });
  const max = context.getMaxProto();
  if (max !== 0 && max < TLS1_3) {
    const message = 'certificateCompression requires a TLS protocol range that includes TLSv1.3';
    throw withCode('ERR_INVALID_ARG_VALUE', message, TypeError);
  }
  context.setCertificateCompression(names);
}

function applyTicketKeys(context, keys) {
  check.bytes(keys, 'options.ticketKeys');
  if (keys.byteLength !== 48) {
    throw new ERR_INVALID_ARG_VALUE('options.ticketKeys', keys.byteLength, 'must be exactly 48 bytes');
  }
  context.setTicketKeys(keys);
}

const given = (value) => value !== undefined && value !== null;

function configure(context, options) {
  check.object(options, 'options');
  const {
    ca, cert, certificateCompression, ciphers = face.DEFAULT_CIPHERS, crl, dhparam,
    ecdhCurve = face.DEFAULT_ECDH_CURVE || 'auto', key, legacyPfx = false, passphrase, pfx, sessionIdContext,
    sessionTimeout, sigalgs, ticketKeys,
  } = options;

  // First: @SECLEVEL=n in the cipher list governs what follows.
  applyCiphers(context, ciphers);

  if (ca) {
    for (const item of listOf(ca)) {
      keyOrCert(item, 'options.ca');
      context.addCACert(item);
    }
  } else {
    context.addRootCerts();
  }
  if (options.allowPartialTrustChain) context.setAllowPartialTrustChain();

  if (cert) {
    for (const item of listOf(cert)) {
      keyOrCert(item, 'options.cert');
      context.setCert(item);
    }
  }
  if (key) applyKeys(context, key, passphrase);
  if (given(certificateCompression)) applyCertificateCompression(context, certificateCompression);

  if (given(sigalgs)) {
    check.string(sigalgs, 'options.sigalgs');
    if (sigalgs === '') throw new ERR_INVALID_ARG_VALUE('options.sigalgs', sigalgs);
    context.setSigalgs(sigalgs);
  }
  refuseEngines(options);

  check.string(ecdhCurve, 'options.ecdhCurve');
  context.setECDHCurve(ecdhCurve);

  if (given(dhparam)) {
    keyOrCert(dhparam, 'options.dhparam');
    const warning = context.setDHParam(dhparam === 'auto' || dhparam);
    if (warning) process.emitWarning(warning, 'SecurityWarning');
  }
  if (given(crl)) {
    for (const item of listOf(crl)) {
      keyOrCert(item, 'options.crl');
      context.addCRL(item);
    }
  }
  if (given(sessionIdContext)) {
    check.string(sessionIdContext, 'options.sessionIdContext');
    context.setSessionIdContext(sessionIdContext);
  }
  check.boolean(legacyPfx, 'options.legacyPfx');
  if (given(pfx)) applyPfx(context, pfx, passphrase, legacyPfx);
  refuseClientCertEngine(options.clientCertEngine);
  if (given(ticketKeys)) applyTicketKeys(context, ticketKeys);
  if (given(sessionTimeout)) {
    check.int32(sessionTimeout, 'options.sessionTimeout', 0);
    context.setSessionTimeout(sessionTimeout);
  }
}

/**
 * Makes a SecureContext from options as Node documents them, and `legacyPfx`: `pfx` may be a file of an old tool
 * (RC2-40, DES), which Node refuses.
 * @throws coded errors for options of a wrong type; OpenSSL's errors for what it cannot read or use
 */
function createSecureContext(options) {
  const wanted = options || {};
  let { secureOptions } = wanted;
  if (wanted.honorCipherOrder) secureOptions |= constants.SSL_OP_CIPHER_SERVER_PREFERENCE;
  const made = new SecureContext(wanted.secureProtocol, secureOptions, wanted.minVersion, wanted.maxVersion);
  configure(made.context, wanted);
  return made;
}

module.exports = { ContextHandle, SecureContext, createSecureContext };
