'use strict';
// The `tls` module object: what Node programs know as require('tls').
const nodeTls = require('./node-tls');
const binding = require('../core/binding');
const face = require('./face');
const rootStore = require('./root-store');
const { SecureContext, createSecureContext } = require('./secure-context');
const { TLSSocket } = require('./tls-socket');
const { Server, createServer } = require('./server');
const { connect } = require('./connect');
const { createSecurePair } = require('./secure-pair');

// Node's own values, so that its command-line options count.
face.CLIENT_RENEG_LIMIT = nodeTls.CLIENT_RENEG_LIMIT;
face.CLIENT_RENEG_WINDOW = nodeTls.CLIENT_RENEG_WINDOW;
face.DEFAULT_CIPHERS = nodeTls.DEFAULT_CIPHERS;
face.DEFAULT_ECDH_CURVE = nodeTls.DEFAULT_ECDH_CURVE;
face.DEFAULT_MIN_VERSION = nodeTls.DEFAULT_MIN_VERSION;
face.DEFAULT_MAX_VERSION = nodeTls.DEFAULT_MAX_VERSION;

Object.defineProperty(face, 'rootCertificates', {
  configurable: false,
  enumerable: true,
  get: () => nodeTls.rootCertificates,
});

let ciphers;
/** Names of the supported cipher suites in lower case; a new array each time. */
face.getCiphers = function getCiphers() {
  ciphers ??= [...new Set(binding.getCiphers().map((name) => name.toLowerCase()))].sort();
  return [...ciphers];
};

let compressions;
/** What certificates can be compressed with (RFC 8879); a new array each time. */
face.getCertificateCompressionAlgorithms = function getCertificateCompressionAlgorithms() {
  compressions ??= binding.certificateCompressionAlgorithms();
  return [...compressions];
};

face.getCACertificates = rootStore.getCACertificates;
face.setDefaultCACertificates = rootStore.setDefaultCACertificates;
face.convertALPNProtocols = nodeTls.convertALPNProtocols;
face.checkServerIdentity = nodeTls.checkServerIdentity;
face.createSecureContext = createSecureContext;
face.SecureContext = SecureContext;
face.TLSSocket = TLSSocket;
face.Server = Server;
face.createServer = createServer;
face.connect = connect;
// Gone from Node 24 on.
if (nodeTls.createSecurePair) face.createSecurePair = createSecurePair;

module.exports = face;
