'use strict';

module.exports = require('./lib/ipworks');
