'use strict';

// c4tls as another checkout has it, with the addon that was built there: node checkout.js CHECKOUT DIRECTORY

const fs = require('node:fs');
const path = require('node:path');
const { withDriver, withSSLServer } = require('./lines');
const { withWSServer } = require('./websocket');
const { localFileName } = require('../../locate-binding');

const checkout = process.argv[2];
process.env.C4TLS_BINDING = path.join(checkout, localFileName());
/** What `make` makes of a public module of the checkout; nothing where an earlier commit has none. */
function servicesOf(file, make) {
  const module = path.join(checkout, file);
  return fs.existsSync(module) ? make(require(module)) : {};
}

/** Earlier commits have only certificates. */
const withIPWorks = (ipworks) => ({
  ...(ipworks.SSLServer && { datain: withSSLServer(ipworks) }),
  ...withWSServer(ipworks),
});

require('./serve')(require(checkout), require(process.env.C4TLS_BINDING).versions(), {
  ...servicesOf('control4.js', (control4) => ({ lines: withDriver(control4) })),
  ...servicesOf('ipworks.js', withIPWorks),
});
