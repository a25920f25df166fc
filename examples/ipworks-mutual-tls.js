'use strict';
// Clients show certificates: who is trusted, and the program's last word.
// Look at: SSLAuthenticateClients and SSLClientCACerts; SSLClientAuthentication's status and accept; Connected's
// statusCode.

const { once } = require('events');
const tls = require('..');                                                      // in your program: require('c4tls')
const { Certificate, CertStoreTypes, SSLServer } = require('../ipworks');       // require('c4tls/ipworks')

const own = tls.generateCertificate();
const friend = tls.generateCertificate({ names: ['friend.example'] });
const guest = tls.generateCertificate({ names: ['guest.example'] });
const stranger = tls.generateCertificate({ names: ['stranger.example'] });

async function main() {
  const server = new SSLServer();
  server.setSSLCert(new Certificate(CertStoreTypes.cstPEMKeyBlob, own.key + own.cert, '', '*'));
  server.setLocalHost('127.0.0.1');
  server.setSSLAuthenticateClients(true);
  await server.config(`SSLClientCACerts=${friend.cert}`);
  await server.config('SSLEnabledProtocols=15360');    // TLS 1.2 and 1.3

  server.on('SSLClientAuthentication', (e) => {
    console.log(`${e.certSubject}: ${e.status}`);
    // Nobody trusted has signed the guest's certificate, but the program knows it. The name alone is anybody's to sign.
    if (e.certEncoded.trim() === guest.cert.trim()) e.accept = true;
  });
  server.on('Connected', async (e) => {
    if (e.statusCode !== 0) {
      console.log(`refused, ${e.statusCode}`);
      return;
    }
    await server.sendText(e.connectionId, 'come in');
    await server.disconnect(e.connectionId);
  });
  await server.startListening();

  for (const pair of [friend, guest, stranger]) {
    const client = tls.connect({ port: server.getLocalPort(), host: '127.0.0.1', ca: own.cert, ...pair });
    client.on('error', (error) => console.log('client:', error.code));
    client.on('data', (text) => console.log('client:', String(text)));
    await once(client, 'close').catch(() => {});
  }
  await server.shutdown();
}

main();
