// The same module for `import`. What a program may assign (DEFAULT_* and CLIENT_RENEG_*) is here as it was when this
// module was loaded, as with Node's own 'tls'; assign to, and read from, the default export. A name that
// the running Node's 'tls' does not have any more (createSecurePair) is undefined.
import tls from './index.js';

export default tls;
export const {
  C4,
  CLIENT_RENEG_LIMIT,
  CLIENT_RENEG_WINDOW,
  DEFAULT_CIPHERS,
  DEFAULT_ECDH_CURVE,
  DEFAULT_MAX_VERSION,
  DEFAULT_MIN_VERSION,
  SecureContext,
  Server,
  TLSSocket,
  checkServerIdentity,
  connect,
  convertALPNProtocols,
  createSecureContext,
  createSecurePair,
  createServer,
  generateCertificate,
  getCACertificates,
  getCertificateCompressionAlgorithms,
  getCiphers,
  ipworksssl,
  rootCertificates,
  setDefaultCACertificates,
} = tls;
