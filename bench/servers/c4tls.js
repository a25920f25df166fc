'use strict';

const { versions } = require('../../lib/core/binding');
const { withDriver } = require('./lines');
const { withWSServer } = require('./websocket');

require('./serve')(require('../..'), versions(), {
  lines: withDriver(require('../../control4')),
  ...withWSServer(require('../../ipworks')),
});
