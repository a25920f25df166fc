'use strict';

module.exports = require('./lib/iotjs');
