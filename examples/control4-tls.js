'use strict';
// A TLS server of a Control4 driver with its certificate in files, and clients with and without one of their own.
// Look at: paths in the driver's directories; verifyMode 6, PEER and FAIL_IF_NO_PEER_CERT; handshakeError.

const fs = require('fs');
const os = require('os');
const path = require('path');
const tls = require('..');                            // in your program: require('c4tls')
const { Driver } = require('../control4');            // in your program: require('c4tls/control4')

// What a driver has in its .c4z: its certificate and key, and here the one certificate that it trusts.
const c4zDir = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-example-'));
process.on('exit', () => fs.rmSync(c4zDir, { recursive: true }));
const own = tls.generateCertificate();
const friend = tls.generateCertificate({ names: ['friend.example'] });
fs.writeFileSync(path.join(c4zDir, 'cert.pem'), own.cert);
fs.writeFileSync(path.join(c4zDir, 'key.pem'), own.key);
fs.writeFileSync(path.join(c4zDir, 'trusted.pem'), friend.cert);

const driver = new Driver({ c4zDir, encoding: 'utf8' });

driver.OnServerStatusChanged = async (port, status) => {
  console.log(`server ${status}`);
  if (status !== 'ONLINE') return;
  await dial(port, 'a friend', friend);
  await dial(port, 'a stranger', {});
  driver.DestroyServer(port);
};
driver.OnServerDataIn = (handle, line) => driver.ServerSend(handle, line.toUpperCase());

// Who fails in the handshake is no connection; a driver on a controller would not hear of it.
driver.on('handshakeError', (error) => console.log('refused:', error.code));

const [ok, error] = driver.CreateTLSServer(
  0, '\n', 0, 0x02 | 0x04, '', 'cert.pem', 'key.pem', '', 'trusted.pem', 'api');
if (!ok) console.log('no server:', error);

function dial(port, name, pair) {
  return new Promise((resolve) => {
    const client = tls.connect({ port, host: '127.0.0.1', ca: own.cert, ...pair });
    client.on('error', () => {}).on('close', resolve).setEncoding('utf8');
    client.on('data', (answer) => {
      console.log(`${name} got ${answer.trim()}`);
      client.end();
    });
    client.write(`hello from ${name}\n`);
  });
}
