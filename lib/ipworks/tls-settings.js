'use strict';
// The component's properties and settings as OpenSSL wants them.
const { constants } = require('crypto');
const fs = require('fs');
const binding = require('../core/binding');
const { GROUPS, TLS12_SIGNATURES, TLS13_SIGNATURES, protocols, translate } = require('./algorithms');
const { choose } = require('./cipher-suites');
const { failure, numberOf } = require('./errors');
const { PLATFORM, platformContext } = require('./platform');

const TLS1_2 = 0x0303;
const TLS1_3 = 0x0304;
// The engine never uses suites that authenticate or encrypt nothing. Named here, a list of nothing else is an error.
const NEVER = ':!aNULL:!eNULL';
const { SSL_OP_CIPHER_SERVER_PREFERENCE, SSL_OP_NO_RENEGOTIATION } = constants;

const PEM = /-----BEGIN [A-Z ]*CERTIFICATE-----[\s\S]*?-----END [A-Z ]*CERTIFICATE-----/g;

/** The PEM blocks of a setting: whatever separates them. */
function certificates(text) {
  return text.match(PEM) ?? [];
}

// OpenSSL's refusal of a value of the program's, with the setting it came from.
function attempt(code, name, act) {
  try {
    return act();
  } catch (error) {
    throw failure(code, `${name}: ${error.message}`, { cause: error });
  }
}

// TLS 1.0 and 1.1 sign with SHA-1, which OpenSSL allows at security level 0 only.
function cipherList(list, min) {
  return list + NEVER + (min < TLS1_2 && !list.includes('@SECLEVEL') ? ':@SECLEVEL=0' : '');
}

function applySuites(context, settings, { min, max }) {
  const given = settings.get('OpenSSLCipherList');
  if (given !== 'DEFAULT' && given !== '') {
    attempt(270, 'OpenSSLCipherList', () => context.setCiphers(cipherList(given, min)));
    return;
  }
  const { tls12, tls13 } = choose(settings.get('SSLEnabledCipherSuites'), settings.number('SSLCipherStrength'));
  const usable = (min <= TLS1_2 && tls12.length > 0) || (max >= TLS1_3 && tls13.length > 0);
  if (!usable) throw failure(270, 'SSLEnabledCipherSuites and SSLCipherStrength leave no cipher suite.');
  if (tls12.length > 0) attempt(270, 'SSLEnabledCipherSuites', () => context.setCiphers(cipherList(tls12.join(':'), min)));
  // Without a suite of its own a version is not spoken.
  else if (min <= TLS1_2) context.setMinProto(TLS1_3);
  if (tls13.length > 0) context.setCipherSuites(tls13.join(':'));
  else if (max >= TLS1_3) context.setMaxProto(TLS1_2);
}

// One list for all versions is what OpenSSL has: with TLS 1.3 its names are allowed below it too. An empty list of a
// version that is on restricts nothing.
function joined(settings, { min, max }, [name12, known12], [name13, known13]) {
  const lists = [];
  if (max >= TLS1_3) lists.push(translate(settings.get(name13), known13));
  if (min <= TLS1_2) lists.push(translate(settings.get(name12), known12));
  return lists.some((list) => list.length === 0) ? '' : [...new Set(lists.flat())].join(':');
}

let systemRoots = null;

// The operating system's authorities, which are read once.
function trustSystem(context) {
  systemRoots ??= new binding.RootStore(binding.machineCertificates(false).map((pem) => Buffer.from(pem)));
  context.useRoots(systemRoots);
}

function applyTrust(context, settings, authenticates) {
  const trust = (name, text) => {
    for (const pem of certificates(text)) attempt(271, name, () => context.addCaCert(Buffer.from(pem)));
  };
  const read = (name, file) => {
    try {
      return fs.readFileSync(file, 'latin1');
    } catch (error) {
      throw failure(numberOf(error, 271), `${name}: ${error.message}`, { cause: error });
    }
  };
  if (authenticates && settings.isKnown('SSLCACertFilePaths') && settings.isChanged('SSLCACertFilePaths')) {
    const found = settings.get('SSLCACertFilePaths').split(';').find((path) => fs.existsSync(path));
    if (found !== undefined) trust('SSLCACertFilePaths', read('SSLCACertFilePaths', found));
  } else if (authenticates) {
    trustSystem(context);
  }
  trust('SSLClientCACerts', settings.get('SSLClientCACerts'));
  trust('SSLCACerts', settings.get('SSLCACerts'));
  const file = settings.get('OpenSSLCAFile');
  if (file !== '') trust('OpenSSLCAFile', read('OpenSSLCAFile', file));
  const directory = settings.get('OpenSSLCADir');
  if (directory !== '') attempt(271, 'OpenSSLCADir', () => context.addCaDir(directory));
}

/**
 * A native context for a certificate.
 * @param {import('./settings').Settings} settings
 * @param {{ applyTo(context: object): void }} identity certificate and private key
 * @param {{ authenticateClients: boolean, provider: number }} values the component's properties
 */
function createContext(settings, identity, { authenticateClients, provider }) {
  const versions = protocols(settings.number('SSLEnabledProtocols'));
  if (versions === null) {
    throw failure(270, 'SSLEnabledProtocols enables no version that exists: TLS 1.0 to 1.3 are 192, 768, 3072 and 12288.');
  }
  if (provider === PLATFORM) return platformContext(settings, identity, { authenticateClients, versions });
  const context = new binding.SecureContext(undefined, versions.min, versions.max);
  const renegotiates = settings.isOn('SSLEnableRenegotiation');
  context.setOptions(versions.off + SSL_OP_CIPHER_SERVER_PREFERENCE + (renegotiates ? 0 : SSL_OP_NO_RENEGOTIATION));
  applySuites(context, settings, versions);
  const signatures = joined(settings, versions,
    ['TLS12SignatureAlgorithms', TLS12_SIGNATURES], ['TLS13SignatureAlgorithms', TLS13_SIGNATURES]);
  if (signatures !== '') attempt(270, 'TLS12SignatureAlgorithms', () => context.setSigalgs(signatures));
  const groups = joined(settings, versions, ['TLS12SupportedGroups', GROUPS], ['TLS13SupportedGroups', GROUPS]);
  if (groups !== '') attempt(270, 'TLS12SupportedGroups', () => context.setEcdhCurve(groups));
  context.setDhParam(true);
  applyTrust(context, settings, authenticateClients);
  attempt(273, 'SSLCert', () => identity.applyTo(context));
  for (const pem of certificates(settings.get('SSLCACerts'))) {
    attempt(274, 'SSLCACerts', () => context.addChainCert(Buffer.from(pem)));
  }
  if (settings.isOn('ReuseSSLSession')) context.setSessionIdContext('c4tls.ipworks');
  else context.disableSessions();
  return context;
}

// SSLSecurityFlags that say something on this side: validity, unknown authority, usage.
const RELAXATIONS = 0x01 | 0x10 | 0x20;

/** The flags that relax the verification of clients. */
function verifyFlags(settings) {
  return settings.number('SSLSecurityFlags') & RELAXATIONS;
}

module.exports = { createContext, verifyFlags };
