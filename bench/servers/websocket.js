'use strict';

// The services `websocket` and `websocket-deflate`: each message is sent back as it came, over wss. The second lets a
// client have its messages compressed.

const https = require('node:https');

/** Connections that a server may have. */
const CONNECTIONS = 20_000;

/** Node's; a class that follows IPWorks has 5. */
const BACKLOG = 511;

/** Enables TLS 1.3 in both roles. */
const TLS13 = 0x3000;

/** npm's ws over Node's https; no services where ws is not installed. */
exports.withWs = function withWs() {
  let ws;
  try {
    ws = require('ws');
  } catch {
    return { services: {}, versions: {} };
  }
  const start = (perMessageDeflate) => (tls, credentials) => {
    const web = https.createServer({ ...credentials, minVersion: 'TLSv1.3' });
    new ws.WebSocketServer({ server: web, perMessageDeflate }).on('connection', (socket) => {
      socket.on('error', () => socket.terminate());
      socket.on('message', (data, binary) => socket.send(data, { binary }));
    });
    return new Promise((resolve, reject) => {
      web.once('error', reject);
      web.listen(0, '127.0.0.1', () => resolve(web.address().port));
    });
  };
  return {
    services: { 'websocket': start(false), 'websocket-deflate': start(true) },
    versions: { ws: require('ws/package.json').version },
  };
};

/** IPWorks's WSServer; no services in a checkout that has none. */
exports.withWSServer = function withWSServer({ Certificate, CertStoreTypes, WSServer }) {
  if (!WSServer) return {};
  const start = (deflate) => async (tls, { key, cert }) => {
    const server = new WSServer();
    server.setLocalHost('127.0.0.1');
    server.setLocalPort(0);
    server.setConnectionBacklog(BACKLOG);
    server.setSSLCert(new Certificate(CertStoreTypes.cstPEMKeyBlob, key + cert, '', '*'));
    for (const setting of [
      `MaxConnections=${CONNECTIONS}`, `SSLEnabledProtocols=${TLS13}`, 'BufferMessage=true', `EnablePermessageDeflate=${deflate}`,
    ]) await server.config(setting);
    server.on('DataIn', (e) => server.send(e.connectionId, e.textB));
    await server.startListening();
    return server.getLocalPort();
  };
  return { 'websocket': start(false), 'websocket-deflate': start(true) };
};
