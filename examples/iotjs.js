'use strict';
// The `tls` module of IoT.js, for programs written for it.
// Look at: its clients check nothing unless told to. Tell them to wherever you can.

const { once } = require('events');
const { generateCertificate } = require('..');    // in your program: require('c4tls')
const tls = require('../iotjs');                  // in your program: require('c4tls/iotjs')

const pair = generateCertificate();
const server = tls.createServer(pair, (socket) => socket.end('hello'));

async function visit(options) {
  const socket = tls.connect({ port: server.address().port, host: 'localhost', ...options });
  console.log('protocol before the handshake:', socket.getProtocol());
  try {
    await once(socket, 'secureConnect');
    const [text] = await once(socket, 'data');
    console.log(`${socket.getProtocol()}, authorized ${socket.authorized}: ${text}`);
  } catch (error) {
    console.log('refused:', error.code);
  }
}

async function main() {
  server.listen(0, 'localhost');
  await once(server, 'listening');
  await visit({});                                            // IoT.js's default: anybody may answer
  await visit({ rejectUnauthorized: true });                  // checked, and nobody vouches for the server
  await visit({ rejectUnauthorized: true, ca: pair.cert });   // checked and found good
  server.close();
}

main();
