'use strict';
// The module object. Programs assign to its globalAgent, so request() reads that from here, at the time of use.
module.exports = {};
