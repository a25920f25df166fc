'use strict';

// c4tls as another checkout has it, with the addon that was built there: node checkout.js CHECKOUT DIRECTORY

const fs = require('node:fs');
const path = require('node:path');
const { withDriver, withSSLServer } = require('./lines');
const { localFileName } = require('../../locate-binding');

const checkout = process.argv[2];
process.env.C4TLS_BINDING = path.join(checkout, localFileName());
// Earlier commits have less.
const others = {};
for (const [service, file, start] of [['lines', 'control4.js', withDriver], ['datain', 'ipworks.js', withSSLServer]]) {
  const face = path.join(checkout, file);
  if (fs.existsSync(face)) others[service] = start(require(face));
}
require('./serve')(require(checkout), require(process.env.C4TLS_BINDING).versions(), others);
