'use strict';

require('./serve')(require('node:tls'));
