'use strict';
// Loads the native addon: the file named by C4TLS_BINDING, else the local build.
const path = require('path');

module.exports = require(process.env.C4TLS_BINDING ?
  path.resolve(process.env.C4TLS_BINDING) : './c4tls.node');
