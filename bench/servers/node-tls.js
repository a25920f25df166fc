'use strict';

const { ofSplitter } = require('./lines');

require('./serve')(require('node:tls'), { openssl: process.versions.openssl }, ofSplitter);
