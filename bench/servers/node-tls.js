'use strict';

const { ofSplitter } = require('./lines');
const { withWs } = require('./websocket');

const webSocket = withWs();
require('./serve')(require('node:tls'), { openssl: process.versions.openssl, ...webSocket.versions }, {
  ...ofSplitter,
  ...webSocket.services,
});
