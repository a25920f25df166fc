'use strict';
// The `tls` module object: what Node programs know as require('tls').
const nodeTls = require('./node-tls');
const binding = require('../core/binding');
const { codes } = require('../core/errors');
const face = require('./face');
const rootStore = require('./root-store');
const { SecureContext, createSecureContext } = require('./secure-context');
const { TLSSocket } = require('./tls-socket');
const { Server, createServer } = require('./server');
const { connect } = require('./connect');
const { createSecurePair } = require('./secure-pair');

const { ERR_OUT_OF_RANGE } = codes;

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

// ['h2', 'http/1.1'] to the form on the wire: a length byte before each name.
function wireForm(protocols) {
  const parts = [];
  protocols.forEach((protocol, i) => {
    const name = Buffer.from(protocol);
    if (name.length > 255) {
      throw new ERR_OUT_OF_RANGE(`The byte length of the protocol at index ${i} exceeds the maximum length.`,
                                 '<= 255', name.length, true);
    }
    parts.push(Buffer.from([name.length]), name);
  });
  return Buffer.concat(parts);
}

/** Sets `out.ALPNProtocols` to the wire form of an array of names, or to a copy of bytes that have it. */
face.convertALPNProtocols = function convertALPNProtocols(protocols, out) {
  if (Array.isArray(protocols)) {
    out.ALPNProtocols = wireForm(protocols);
  } else if (ArrayBuffer.isView(protocols)) {
    const { buffer, byteOffset, byteLength } = protocols;
    out.ALPNProtocols = Buffer.from(Buffer.from(buffer, byteOffset, byteLength));
  }
};

let ciphers;
/** Names of the supported cipher suites in lower case; a new array each time. */
face.getCiphers = function getCiphers() {
  ciphers ??= [...new Set(binding.getCiphers().map((name) => name.toLowerCase()))].sort();
  return [...ciphers];
};

// What only newer versions of Node have.
if (nodeTls.getCACertificates) face.getCACertificates = nodeTls.getCACertificates;
if (nodeTls.setDefaultCACertificates) face.setDefaultCACertificates = rootStore.setDefaults;
if (nodeTls.getCertificateCompressionAlgorithms) {
  /** Certificate compression (RFC 8879) is not offered: an empty list. */
  face.getCertificateCompressionAlgorithms = function getCertificateCompressionAlgorithms() {
    return [];
  };
}

face.checkServerIdentity = nodeTls.checkServerIdentity;
face.createSecureContext = createSecureContext;
face.SecureContext = SecureContext;
face.TLSSocket = TLSSocket;
face.Server = Server;
face.createServer = createServer;
face.connect = connect;
face.createSecurePair = createSecurePair;

module.exports = face;
