'use strict';

// c4tls as another checkout has it, with the addon that was built there: node checkout.js CHECKOUT DIRECTORY

const path = require('node:path');
const { localFileName } = require('../../locate-binding');

const checkout = process.argv[2];
process.env.C4TLS_BINDING = path.join(checkout, localFileName());
require('./serve')(require(checkout), require(process.env.C4TLS_BINDING).versions());
