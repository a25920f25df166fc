'use strict';
// A WebSocket server that echoes, and a client that tries it.
// Look at: text comes back as text and bytes as bytes; parts of a message and EOM; ping() that waits for its pong.

const WebSocket = require('ws');                                                // any client will do
const tls = require('..');                                                      // in your program: require('c4tls')
const { Certificate, CertStoreTypes, WSServer } = require('../ipworks');        // require('c4tls/ipworks')

const { cert, key } = tls.generateCertificate();

async function main() {
  const server = new WSServer();
  server.setSSLCert(new Certificate(CertStoreTypes.cstPEMKeyBlob, key + cert, '', '*'));
  server.setLocalHost('127.0.0.1');
  server.setDefaultTimeout(10);                        // sends wait for clients, 10 s without progress
  await server.config('BufferMessage=True');           // whole messages; without it, parts as they arrive
  server
    .on('Connected', async (e) => {
      await server.ping(e.connectionId);
      console.log('the client is alive');
    })
    .on('DataIn', (e) => server.send(e.connectionId, e.dataFormat === 1 ? e.text : e.textB))
    .on('Disconnected', async (e) => {
      console.log(`disconnected: ${e.statusCode} ${e.description}`);
      await server.shutdown();
    });
  await server.startListening();

  const client = new WebSocket(`wss://127.0.0.1:${server.getLocalPort()}/`, { ca: cert });
  client.on('open', () => client.send('hello'));
  client.on('message', (data, isBinary) => {
    console.log(isBinary ? `echo of ${data.length} bytes` : `echo: ${data}`);
    if (isBinary) client.close(1000, 'that is all');
    else client.send(Buffer.alloc(100_000));
  });
}

main();
