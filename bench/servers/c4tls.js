'use strict';

const { versions } = require('../../lib/core/binding');

require('./serve')(require('../..'), versions());
