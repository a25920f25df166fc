'use strict';

const { withSplitter } = require('./lines');

require('./serve')(require('node:tls'), { openssl: process.versions.openssl }, withSplitter);
