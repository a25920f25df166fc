'use strict';
// A server of files: a client names one, and gets its content.
// Look at: sendFile() and its progress; a line behind it, which waits its turn; errors with the documented numbers.

const fs = require('fs');
const os = require('os');
const path = require('path');
const tls = require('..');                                                      // in your program: require('c4tls')
const { Certificate, CertStoreTypes, SSLServer } = require('../ipworks');       // require('c4tls/ipworks')

const { cert, key } = tls.generateCertificate();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-example-'));
process.on('exit', () => fs.rmSync(folder, { recursive: true }));
fs.writeFileSync(path.join(folder, 'large.bin'), Buffer.alloc(8 << 20, 'x'));

async function serve(server, { connectionId, text }) {
  // Names alone: nobody gets out of the folder.
  const file = path.join(folder, path.basename(text));
  try {
    let told = 0;
    await server.sendFile(connectionId, file, (sent, total) => {
      const quarter = Math.floor((4 * sent) / total);
      if (quarter > told) console.log(`sent ${25 * (told = quarter)} %`);
    });
    await server.sendLine(connectionId, 'that is all');
  } catch (error) {
    console.log(`${text}: error ${error.code}`);
    await server.sendLine(connectionId, `there is no ${text}`);
  }
  await server.disconnect(connectionId);
}

async function main() {
  const server = new SSLServer();
  server.setSSLCert(new Certificate(CertStoreTypes.cstPEMKeyBlob, key + cert, '', '*'));
  server.setLocalHost('127.0.0.1');
  server.setDefaultSingleLineMode(true);
  server.setDefaultTimeout(10);                        // sends wait for clients, 10 s without progress
  server.on('DataIn', (e) => serve(server, e));
  await server.startListening();
  await fetch(server.getLocalPort(), 'large.bin');
  await fetch(server.getLocalPort(), 'small.bin');
  await server.shutdown();
}

function fetch(port, name) {
  return new Promise((resolve) => {
    const pieces = [];
    const client = tls.connect({ port, host: '127.0.0.1', ca: cert });
    client.on('data', (piece) => pieces.push(piece));
    client.on('close', () => {
      const all = Buffer.concat(pieces);
      console.log(`${name}: ${all.length} bytes, the last are ${JSON.stringify(all.subarray(-13).toString())}`);
      resolve();
    });
    client.write(`${name}\n`);
  });
}

main();
