'use strict';

module.exports = require('./lib/control4');
