'use strict';

module.exports = require('./lib/https');
