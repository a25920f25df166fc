'use strict';

// The service `lines`: messages that end in a delimiter, each sent back by itself when it has come whole.

const { DELIMITER } = require('../lib/protocol');

/** With a splitter in JavaScript, for any module with the interface of Node's `tls`. */
exports.withSplitter = (tls) => function withSplitter(credentials) {
  const server = tls.createServer({ ...credentials, minVersion: 'TLSv1.3' }, (socket) => {
    let rest = null;
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      const data = rest === null ? chunk : Buffer.concat([rest, chunk]);
      let from = 0;
      for (let at; (at = data.indexOf(DELIMITER, from)) !== -1;) {
        const end = at + DELIMITER.length;
        socket.write(data.subarray(from, end));
        from = end;
      }
      rest = from < data.length ? data.subarray(from) : null;
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
};

/** As a Control4 driver. */
exports.withDriver = ({ Driver }) => function withDriver({ cert, key }) {
  const driver = new Driver();
  driver.OnServerDataIn = (handle, data) => driver.ServerSend(handle, data);
  return new Promise((resolve, reject) => {
    driver.OnServerStatusChanged = resolve;
    // TLS 1.3 alone, and no certificates of clients, as in the other servers.
    const [ok, error] = driver.CreateTLSServer(0, DELIMITER, 0x7d, 0x01, '', cert, key);
    if (!ok) reject(new Error(error));
  });
};
