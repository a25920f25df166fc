'use strict';

// c4tls as another checkout has it, with the addon that was built there: node checkout.js CHECKOUT DIRECTORY

const path = require('node:path');
const { localFileName } = require('../../locate-binding');

// What is left is what every server is given.
const [checkout] = process.argv.splice(2, 1);
process.env.C4TLS_BINDING = path.join(checkout, localFileName());
require('./serve')(require(checkout));
