'use strict';
// The `tls` module of IoT.js: the Node face with IoT.js's defaults and narrower options.
// No default CAs, no verification unless asked for, a truncated stream is an error.
const { connect } = require('./connect');
const { createSecureContext } = require('./secure-context');
const { Server, createServer } = require('./server');
const { TLSSocket } = require('./tls-socket');

module.exports = { Server, TLSSocket, connect, createSecureContext, createServer };
