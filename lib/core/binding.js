'use strict';
// The native addon. The loader at the package root chooses the file for this platform.
module.exports = require('../../binding.js');
