'use strict';

const { versions } = require('../../lib/core/binding');
const { withDriver, withSSLServer } = require('./lines');

require('./serve')(require('../..'), versions(), {
  lines: withDriver(require('../../control4')),
  datain: withSSLServer(require('../../ipworks')),
});
