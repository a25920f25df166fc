'use strict';
// The `https` module object: what Node programs know as require('https'), over our sockets.
const { globalAgent: nodeAgent } = require('https');
const face = require('./face');
const { Agent } = require('./agent');
const { Server, createServer } = require('./server');
const { get, request } = require('./request');

// With the options of Node's own, so that its defaults and its NODE_USE_ENV_PROXY count.
const globalAgent = new Agent(nodeAgent.options);

module.exports = Object.assign(face, { Agent, globalAgent, Server, createServer, get, request });
