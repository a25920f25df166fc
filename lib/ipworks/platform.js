'use strict';
// The operating system's own TLS, which has a certificate, a range of versions, and nothing else to choose.
const binding = require('../core/binding');
const { failure } = require('./errors');

/** SSLProvider's value. */
const PLATFORM = 1;

const UNUSABLE = 270;
const NO_CREDENTIALS = 273;

/** Settings that are out of its reach. */
const INTERNAL_ONLY = [
  'LogSSLPackets', 'OpenSSLCADir', 'OpenSSLCAFile', 'OpenSSLCipherList', 'ReuseSSLSession', 'SSLCipherStrength',
  'SSLClientCACerts', 'SSLEnabledCipherSuites', 'SSLEnableRenegotiation', 'SSLKeyLogFile', 'TLS12SignatureAlgorithms',
  'TLS12SupportedGroups', 'TLS13SignatureAlgorithms', 'TLS13SupportedGroups',
];

const refused = (what) => failure(UNUSABLE,
  `${what} is not supported with SSLProvider sslpPlatform; use sslpInternal or sslpAutomatic.`);

/**
 * A native context for a certificate.
 * @param {import('./settings').Settings} settings
 * @param {object} identity certificate and private key
 * @param {{ authenticateClients: boolean, versions: { min: number, max: number, off: number } }} wanted
 */
function platformContext(settings, identity, { authenticateClients, versions }) {
  if (authenticateClients) throw refused('SSLAuthenticateClients');
  const changed = INTERNAL_ONLY.find((name) => settings.isChanged(name));
  if (changed !== undefined) throw refused(changed);
  if (versions.off !== 0) throw refused('SSLEnabledProtocols with a version left out between others');
  const privateKey = identity.privateKey();
  if (privateKey === null) throw failure(NO_CREDENTIALS, 'The private key has no PKCS#8 form.');
  try {
    const certificate = Buffer.from(identity.toPem() + identity.chainPem() + settings.get('SSLCACerts'));
    return binding.SecureContext.platform({
      certificate, privateKey, minVersion: versions.min, maxVersion: versions.max,
    });
  } catch (error) {
    const isUnsupported = error.code === 'ERR_C4TLS_PROVIDER_UNSUPPORTED';
    throw failure(isUnsupported ? UNUSABLE : NO_CREDENTIALS, error.message, { cause: error });
  } finally {
    privateKey.fill(0);
  }
}

module.exports = { PLATFORM, platformContext };
