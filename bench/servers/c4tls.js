'use strict';

const { versions } = require('../../lib/core/binding');
const { withDriver, withSSLServer } = require('./lines');
const { withWSServer } = require('./websocket');

const ipworks = require('../../ipworks');

require('./serve')(require('../..'), versions(), {
  lines: withDriver(require('../../control4')),
  datain: withSSLServer(ipworks),
  ...withWSServer(ipworks),
});
