'use strict';
// https.request and https.get: Node's http.ClientRequest, by way of our agents.
const http = require('http');
const { URL, urlToHttpOptions } = require('url');
const tls = require('../tls');
const face = require('./face');
const { kOwnCheck } = require('./symbols');

let checks = 0;

// An object of the class URL, whoever's; url.parse() makes others, which are options.
function isURL(value) {
  return Boolean(value?.href && value.protocol && value.auth === undefined && value.path === undefined);
}

function agentChecks({ agent, createConnection }) {
  if (agent === false) return false;
  if (agent == null && typeof createConnection === 'function') return false;
  return (agent ?? face.globalAgent)?.options?.checkServerIdentity !== undefined;
}

/** request(options[, cb]), request(url[, options][, cb]) */
function request(...args) {
  let options = {};
  if (typeof args[0] === 'string') options = urlToHttpOptions(new URL(args.shift()));
  else if (isURL(args[0])) options = urlToHttpOptions(args.shift());
  if (args[0] && typeof args[0] !== 'function') Object.assign(options, args.shift());
  options._defaultAgent = face.globalAgent;
  // What this request's own check lets pass, no other request may use: neither the connection nor its session.
  const { checkServerIdentity } = options;
  if (checkServerIdentity !== undefined && checkServerIdentity !== tls.checkServerIdentity && !agentChecks(options)) {
    options[kOwnCheck] = ++checks;
  }
  return new http.ClientRequest(options, ...args);
}

function get(...args) {
  const sent = request(...args);
  sent.end();
  return sent;
}

module.exports = { get, request };
