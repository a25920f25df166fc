'use strict';

// What a server and the load generator agree on.

/** Bytes of one download response and of one upload request. */
exports.BULK = 8 * 1024 * 1024;

/** Bytes of one `write` of a download: what a file stream of Node hands over at a time. */
exports.BLOCK = 64 * 1024;

/** What ends a message of the service `lines`. */
exports.DELIMITER = '\r\n';

/** Listening sockets of a server, and the key of the certificate of each; `lines` and `datain` are beside them. */
exports.SERVICES = {
  'echo': 'p256',
  'download': 'p256',
  'upload': 'p256',
  'handshake-p256': 'p256',
  'handshake-rsa': 'rsa',
};
