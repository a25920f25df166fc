'use strict';
// An SSLServer as programs for the commercial JavaScript edition write it, and a client that tries it.
// Look at: getters and setters, methods that are awaited, what a client sends comes back as it is.

const tls = require('..');                             // in your program: require('c4tls')
const { ipworksssl } = tls;
const { Certificate, CertStoreTypes } = ipworksssl;

const { cert, key } = tls.generateCertificate();       // a PFX file and its password are as good

async function main() {
  const server = new ipworksssl.sslserver();
  server.setSSLCert(new Certificate(CertStoreTypes.cstPEMKeyBlob, key + cert, '', '*'));
  server.setLocalHost('127.0.0.1');
  server.setLocalPort(0);                              // a free one
  server
    .on('Connected', (e) => console.log(`connected: ${e.description}`))
    .on('DataIn', (e) => server.send(e.connectionId, e.textB))
    .on('Disconnected', async (e) => {
      console.log(`disconnected: ${e.description}`);
      await server.shutdown();
    });
  await server.startListening();

  const client = tls.connect({ port: server.getLocalPort(), host: '127.0.0.1', ca: cert });
  client.on('data', (answer) => {
    console.log(`echo: ${answer}`);
    client.end();
  });
  client.write('hello');
}

main();
