'use strict';
// A server of lines: each client's name is kept with its connection, and everybody hears what one says.
// Look at: DefaultEOL, so that DataIn has whole lines; UserData; Connections; a setting; disconnect() behind a send.

const { once } = require('events');
const tls = require('..');                                                      // in your program: require('c4tls')
const { Certificate, CertStoreTypes, SSLServer } = require('../ipworks');       // require('c4tls/ipworks')

const { cert, key } = tls.generateCertificate();

async function main() {
  const server = new SSLServer();
  server.sslCert = new Certificate(CertStoreTypes.cstPEMKeyBlob, key + cert, '', '*');
  server.localHost = '127.0.0.1';
  server.defaultEOL = '\r\n';
  server.defaultIdleTimeout = 60;                      // seconds
  await server.config('TcpNoDelay=True');              // answers do not wait for acknowledgements

  server.on('DataIn', async (e) => {
    const speaker = server.connections.get(e.connectionId);
    if (e.text === 'quit') {
      await server.sendLine(e.connectionId, 'good bye');
      await server.disconnect(e.connectionId);
    } else if (speaker.userData === '') {
      speaker.userData = e.text;
      await server.sendLine(e.connectionId, `welcome, ${e.text}`);
    } else {
      for (const connectionId of server.connections.keys()) {
        await server.sendLine(connectionId, `${speaker.userData}: ${e.text}`);
      }
    }
  });
  await server.startListening();

  const ann = await dial(server.localPort, 'Ann');
  const bob = await dial(server.localPort, 'Bob');
  ann.write('is anybo');
  ann.write('dy here?\r\n');
  await once(bob, 'data');
  const gone = [once(ann, 'close'), once(bob, 'close')];
  ann.write('quit\r\n');
  bob.write('quit\r\n');
  await Promise.all(gone);
  await server.shutdown();
}

async function dial(port, name) {
  const client = tls.connect({ port, host: '127.0.0.1', ca: cert });
  client.setEncoding('utf8');
  client.on('data', (lines) => {
    for (const line of lines.trim().split('\r\n')) console.log(`to ${name} | ${line}`);
  });
  client.write(`${name}\r\n`);
  await once(client, 'data');
  return client;
}

main();
