'use strict';
// https.Server: our tls.Server, with what node:http gives a server of its own.
const http = require('http');
const net = require('net');
const tls = require('../tls');

// Properties that every net.Server has; what an http.Server has besides is HTTP's.
const OF_NET = new Set(Reflect.ownKeys(new net.Server()));

/** createServer([options][, requestListener]), new Server(...), Server(...) */
function Server(options, requestListener) {
  if (!(this instanceof Server)) return new Server(options, requestListener);
  if (typeof options === 'function') {
    requestListener = options;
    options = undefined;
  }
  // Checks the options of HTTP and keeps what comes of them in properties, most of which no public name leads to.
  // It never listens: its properties and listeners become those of this server.
  const web = new http.Server(options ?? {});
  for (const key of Reflect.ownKeys(web)) {
    if (!OF_NET.has(key)) Object.defineProperty(this, key, Object.getOwnPropertyDescriptor(web, key));
  }
  const protocols = options?.ALPNProtocols || options?.ALPNCallback ? undefined : ['http/1.1'];
  Reflect.apply(tls.Server, this, [{ noDelay: true, ALPNProtocols: protocols, ...options }]);
  for (const listener of web.listeners('connection')) this.on('secureConnection', listener);
  for (const listener of web.listeners('listening')) this.on('listening', listener);
  if (requestListener) this.on('request', requestListener);
  this.on('tlsClientError', onClientError);
}
Object.setPrototypeOf(Server.prototype, tls.Server.prototype);
Object.setPrototypeOf(Server, tls.Server);

function onClientError(error, socket) {
  if (!this.emit('clientError', error, socket)) socket.destroy(error);
}

// Those that the running Node has.
const METHODS = ['closeAllConnections', 'closeIdleConnections', 'setTimeout', Symbol.asyncDispose];

for (const name of METHODS) {
  if (name in http.Server.prototype) Server.prototype[name] = http.Server.prototype[name];
}

// Ends idle connections and the timer of HTTP's timeouts, then does what net.Server does.
Server.prototype.close = function(callback) {
  Reflect.apply(http.Server.prototype.close, this, [callback]);
  return this;
};

function createServer(options, requestListener) {
  return new Server(options, requestListener);
}

module.exports = { Server, createServer };
