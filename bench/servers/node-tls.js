'use strict';

require('./serve')(require('node:tls'), { openssl: process.versions.openssl });
