'use strict';

require('./serve')(require('../..'));
