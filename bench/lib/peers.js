'use strict';

const path = require('node:path');

const server = (file) => path.join(__dirname, '..', 'servers', file);
// Garbage is collected before memory is read, so that both peers show what connections hold.
const node = (file) => ({ command: process.execPath, args: ['--expose-gc', server(file)] });

/** What can be measured: how to start the server. The certificate directory comes as the last argument. */
exports.PEERS = {
  'c4tls': node('c4tls.js'),
  'node-tls': node('node-tls.js'),
};

/** c4tls as the checkout in `directory` has it, with the addon that its scripts/build.js made. */
exports.checkout = function checkout(directory) {
  const { command, args } = node('checkout.js');
  return { command, args: [...args, path.resolve(directory)] };
};
