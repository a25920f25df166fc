'use strict';

// c4tls as another checkout has it, with the addon that was built there: node checkout.js CHECKOUT DIRECTORY

const fs = require('node:fs');
const path = require('node:path');
const { withDriver } = require('./lines');
const { localFileName } = require('../../locate-binding');

const checkout = process.argv[2];
process.env.C4TLS_BINDING = path.join(checkout, localFileName());
// Earlier commits have no drivers.
const control4 = path.join(checkout, 'control4.js');
const lines = fs.existsSync(control4) ? withDriver(require(control4)) : undefined;
require('./serve')(require(checkout), require(process.env.C4TLS_BINDING).versions(), lines);
