'use strict';

// The native addon: see locate-binding.js for where it comes from, and src/bridge for what it holds.
module.exports = require('./locate-binding').load();
