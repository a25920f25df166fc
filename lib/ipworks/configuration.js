'use strict';
// A component's properties and settings as the native listener takes them.
const { hooks } = require('../core/events');
const { PLATFORM } = require('./platform');
const { verifyFlags } = require('./tls-settings');

// A whole handshake, in milliseconds, unless DefaultConnectionTimeout is longer: silent clients must not pile up.
const HANDSHAKE = 120_000;
// Renegotiations of a client, when SSLEnableRenegotiation allows them: so many in so many seconds, as in Node.
const RENEGOTIATIONS = 3;
const RENEGOTIATION_WINDOW = 600;

/** What the native side asks of the program, or tells it. */
function hooksFor(server, values, settings) {
  let bits = 0;
  if (server.listenerCount('ConnectionRequest') > 0) bits |= hooks.EAGER;
  // It cannot be asked for another certificate, and has refused the rest already.
  if (values.provider === PLATFORM) return bits;
  if (server.listenerCount('SSLConnectionRequest') > 0) bits |= hooks.CERTIFICATE | hooks.OFFER;
  if (values.authenticateClients) bits |= hooks.CLIENT_CERTIFICATE;
  if (settings.get('SSLKeyLogFile') !== '') bits |= hooks.KEYLOG;
  if (settings.isOn('LogSSLPackets')) bits |= hooks.RECORDS;
  return bits;
}

/** TLS of the connections to come. */
function tlsParams(server, values, settings, context) {
  const inactivity = settings.number('DefaultConnectionTimeout') * 1000;
  return {
    context,
    isServer: true,
    requestCert: values.authenticateClients,
    rejectUnauthorized: false,     // the program has the last word, or CLIENT_CERTIFICATE's default
    hooks: hooksFor(server, values, settings),
    handshakeTimeout: Math.max(HANDSHAKE, inactivity),
    handshakeInactivity: inactivity,
    verifyFlags: verifyFlags(settings),
    renegLimit: settings.isOn('SSLEnableRenegotiation') ? RENEGOTIATIONS : 0,
    renegWindow: RENEGOTIATION_WINDOW,
  };
}

/**
 * Sockets of the connections to come.
 * @param {{ generation: number, access: { allowed: string[], blocked: string[] } }} present
 */
function listenerOptions(server, values, settings, { generation, access }) {
  return {
    generation,
    access: { ...access, ask: server.listenerCount('ConnectionRequest') > 0 },
    noDelay: settings.isOn('TcpNoDelay'),
    keepAlive: values.keepAlive,
    keepAliveDelay: settings.number('KeepAliveTime') / 1000,
    keepAliveInterval: settings.number('KeepAliveInterval') / 1000,
    receiveBuffer: settings.number('InBufferSize'),
    sendBuffer: settings.number('OutBufferSize'),
    idleTimeout: values.idleTimeout * 1000,
    maxConnections: settings.number('MaxConnections'),
  };
}

module.exports = { listenerOptions, tlsParams };
