'use strict';
// A WSServer that echoes every message as it came: `node echo-server.js [tls]`. Tells its parent its port.
const c4tls = require('../../..');
const { Certificate, CertStoreTypes, WSServer } = require('../../../ipworks');

/** TLS 1.2 and 1.3. */
const PROTOCOLS = 0x0c00 | 0x3000;

async function main(tls) {
  const server = new WSServer();
  server.setLocalHost('127.0.0.1');
  // An echo is one message, and waits for the one before.
  server.setDefaultTimeout(60);
  const settings = [`UseSSL=${tls}`, `SSLEnabledProtocols=${PROTOCOLS}`, 'BufferMessage=True', 'TcpNoDelay=True'];
  for (const setting of settings) await server.config(setting);
  if (tls) {
    const { cert, key } = c4tls.generateCertificate();
    server.setSSLCert(new Certificate(CertStoreTypes.cstPEMKeyBlob, key + cert, '', '*'));
  }
  server.on('DataIn', (e) => server.send(e.connectionId, e.dataFormat === 1 ? e.text : e.textB));
  await server.startListening();
  process.send(server.getLocalPort());
}

process.on('disconnect', () => process.exit());
main(process.argv[2] === 'tls');
