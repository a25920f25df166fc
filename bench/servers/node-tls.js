'use strict';

const tls = require('node:tls');
const { withSplitter } = require('./lines');
const { withWs } = require('./websocket');

const webSocket = withWs();
require('./serve')(tls, { openssl: process.versions.openssl, ...webSocket.versions }, {
  lines: withSplitter(tls),
  ...webSocket.services,
});
