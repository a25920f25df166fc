'use strict';
// https.Agent: Node's own pool of connections, its names for them and its cache of sessions, with our sockets.
const { Agent: NodeAgent } = require('https');
const tls = require('../tls');
const { Proxy } = require('./proxy');
const { kOwnCheck } = require('./symbols');

const kProxy = Symbol('proxy');

/** new Agent([options]), Agent([options]) */
function Agent(options) {
  if (!(this instanceof Agent)) return new Agent(options);
  Reflect.apply(NodeAgent, this, [options]);
  this[kProxy] = Proxy.of(this.options.proxyEnv);
}
Object.setPrototypeOf(Agent.prototype, NodeAgent.prototype);
Object.setPrototypeOf(Agent, NodeAgent);

// (options[, cb]), (port[, host][, options][, cb])
function normalize(args) {
  const last = args.at(-1);
  const callback = typeof last === 'function' ? last : undefined;
  const [first, second] = args;
  if (first !== null && typeof first === 'object') return { options: first, callback };
  const options = { ...args.slice(1, 3).find((arg) => arg !== null && typeof arg === 'object') };
  if (typeof first === 'number') options.port = first;
  if (typeof second === 'string') options.host = second;
  return { options, callback };
}

function keepSessions(agent, key, socket) {
  socket.on('session', (session) => agent._cacheSession(key, session));
  socket.once('close', (hadError) => {
    if (hadError) agent._evictSession(key);
  });
}

function connect(agent, options, secured) {
  const key = options[kOwnCheck] ? undefined : options._agentKey;
  const session = key && agent._getSession(key);
  const socket = tls.connect(session ? { session, ...options } : options, secured);
  if (key) keepSessions(agent, key, socket);
  if (options[kOwnCheck]) socket[kOwnCheck] = true;
  return socket;
}

/** The socket; undefined when a proxy comes in between, and the callback gets it later. */
Agent.prototype.createConnection = function(...args) {
  const { options, callback } = normalize(args);
  const proxy = this[kProxy];
  if (!proxy?.serves(options)) return connect(this, options);
  const lasting = this.keepAlive || this.maxSockets !== Infinity;
  proxy.openTunnel({ defaultPort: this.defaultPort, ...options }, lasting, (error, tunnel) => {
    if (error) {
      callback?.(error);
      return;
    }
    const fail = (failure) => callback?.(failure);
    const socket = connect(this, { ...options, socket: tunnel }, () => {
      socket.off('error', fail);
      callback?.(null, socket);
    });
    socket.once('error', fail);
  });
  return undefined;
};

Agent.prototype.getName = function(options) {
  const name = Reflect.apply(NodeAgent.prototype.getName, this, [options]);
  return options?.[kOwnCheck] ? `${name}:${options[kOwnCheck]}` : name;
};

// What a server sends on an idle connection would be taken for the answer to the next request.
function refuseData(chunk) {
  delete this.push;
  if (chunk === null) return this.push(null);
  this.destroy();
  return false;
}

// The last word on whether a socket waits for another request.
Agent.prototype.keepSocketAlive = function(socket) {
  if (socket[kOwnCheck]) return false;
  if (!Reflect.apply(NodeAgent.prototype.keepSocketAlive, this, [socket])) return false;
  if (!(socket instanceof tls.TLSSocket)) return true;
  if (socket.readableLength > 0) return false;
  socket.push = refuseData;
  socket._handle?.readStart();
  return true;
};

Agent.prototype.reuseSocket = function(socket, request) {
  if (Object.hasOwn(socket, 'push')) delete socket.push;
  Reflect.apply(NodeAgent.prototype.reuseSocket, this, [socket, request]);
};

module.exports = { Agent };
