'use strict';

const { versions } = require('../../lib/core/binding');
const { withDriver } = require('./lines');

require('./serve')(require('../..'), versions(), withDriver(require('../../control4')));
