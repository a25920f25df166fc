'use strict';

// The server that is measured, on uWebSockets.js: WebSocket alone. Its sockets are C++ on Node's event loop, over the
// BoringSSL that it brings.
//
//   node --expose-gc uwebsockets.js DIRECTORY     as the other servers of Node

const path = require('node:path');
const uws = require('uwebsockets');
const { control } = require('./control');

const file = (extension) => path.join(process.argv.at(-1), `p256.${extension}`);

/** It sends no pings: the load generator answers none. */
const QUIET = { idleTimeout: 0, sendPingsAutomatically: false };

function listen(compression) {
  return new Promise((resolve, reject) => {
    uws.SSLApp({ key_file_name: file('key'), cert_file_name: file('pem') })
      .ws('/*', { ...QUIET, compression, message: (socket, data, binary) => socket.send(data, binary, true) })
      .listen('127.0.0.1', 0, (token) => {
        if (token) resolve(uws.us_socket_local_port(token));
        else reject(new Error('cannot listen'));
      });
  });
}

async function main() {
  const ports = {
    'websocket': await listen(uws.DISABLED),
    // A window for each connection and both ways, as in ws.
    'websocket-deflate': await listen(uws.DEDICATED_COMPRESSOR | uws.DEDICATED_DECOMPRESSOR),
  };
  control({
    ports,
    versions: { node: process.versions.node, uwebsockets: require('uwebsockets/package.json').version },
    collectGarbage: globalThis.gc,
  });
}

main();
