'use strict';

// Clients that begin a handshake and do not go on with it. Each takes a connected net.Socket.

const tls = require('tls');

/** OpenSSL's bound on a ClientHello, in bytes behind its header. */
const LARGEST = 131_396;
const RECORD = 16_384;

/** The records of a ClientHello of `length` bytes; what is in it does not matter before its last byte is there. */
function hello(length) {
  const message = Buffer.alloc(4 + length);
  message[0] = 1;
  message.writeUIntBE(length, 1, 3);
  const parts = [];
  for (let at = 0; at < message.length; at += RECORD) {
    const part = message.subarray(at, at + RECORD);
    parts.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 0xff]), part);
  }
  return Buffer.concat(parts);
}

const beginners = {
  /** A few bytes. */
  part: (socket) => socket.write(hello(508).subarray(0, 11)),
  /** All but the last byte of the largest one. */
  most: (socket) => socket.write(hello(LARGEST).subarray(0, -1)),
  /** A real one; what else is written to the socket follows it. */
  whole: (socket) => tls.connect({ socket, servername: 'localhost' }).on('error', () => {}),
};

module.exports = { beginners };
