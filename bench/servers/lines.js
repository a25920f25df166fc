'use strict';

// The services `lines` and `datain`: messages that end in a delimiter, each sent back by itself when it has come whole.
// In `datain` the program has them as text without the delimiter.

const { DELIMITER } = require('../lib/protocol');

/**
 * With a splitter in JavaScript, for any module with the interface of Node's `tls`.
 * @param {(socket: object, data: Buffer, from: number, to: number) => void} answer to the message between two places;
 *   the delimiter is behind it
 */
const withSplitter = (answer) => (tls, credentials) => {
  const server = tls.createServer({ ...credentials, minVersion: 'TLSv1.3' }, (socket) => {
    let rest = null;
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      const data = rest === null ? chunk : Buffer.concat([rest, chunk]);
      let from = 0;
      for (let at; (at = data.indexOf(DELIMITER, from)) !== -1;) {
        answer(socket, data, from, at);
        from = at + DELIMITER.length;
      }
      rest = from < data.length ? data.subarray(from) : null;
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
};

exports.ofSplitter = {
  lines: withSplitter((socket, data, from, to) => socket.write(data.subarray(from, to + DELIMITER.length))),
  datain: withSplitter((socket, data, from, to) => socket.write(data.toString('utf8', from, to) + DELIMITER)),
};

/** As a Control4 driver. */
exports.withDriver = ({ Driver }) => (tls, { cert, key }) => {
  const driver = new Driver();
  driver.OnServerDataIn = (handle, data) => driver.ServerSend(handle, data);
  return new Promise((resolve, reject) => {
    driver.OnServerStatusChanged = resolve;
    // TLS 1.3 alone, and no certificates of clients, as in the other servers.
    const [ok, error] = driver.CreateTLSServer(0, DELIMITER, 0x7d, 0x01, '', cert, key);
    if (!ok) reject(new Error(error));
  });
};

/** As an SSLServer of IPWorks. */
exports.withSSLServer = ({ Certificate, CertStoreTypes, SSLServer }) => async (tls, { cert, key }) => {
  const server = new SSLServer();
  server.setSSLCert(new Certificate(CertStoreTypes.cstPEMKeyBlob, key + cert, '', '*'));
  server.setLocalHost('127.0.0.1');
  server.setConnectionBacklog(511);     // Node's
  server.setDefaultEOL(DELIMITER);
  // TLS 1.3 alone, as in the other servers.
  await server.config('SSLEnabledProtocols=12288');
  server.on('DataIn', (e) => server.sendLine(e.connectionId, e.text));
  await server.startListening();
  return server.getLocalPort();
};
