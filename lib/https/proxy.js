'use strict';
// Proxies that an agent's `proxyEnv` names, in the way of Node 24: https_proxy and no_proxy, in either case.
const http = require('http');
const net = require('net');
const tls = require('../tls');
const { codes } = require('../core/errors');

const { ERR_PROXY_TUNNEL } = codes;

const SCHEME = /^https?:\/\//;

function addressNumber(ip) {
  return ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function inRange(host, range) {
  const [first, last] = range.split('-').map((part) => part.trim());
  if (![host, first, last].every(net.isIPv4)) return false;
  return addressNumber(host) >= addressNumber(first) && addressNumber(host) <= addressNumber(last);
}

// One entry of no_proxy: *, a host, host:port, .domain (with the domain itself), *.domain, or first-last of IPv4.
function covers(entry, host, port) {
  if (entry === '*' || entry === host || entry === `${host}:${port}`) return true;
  if (entry.startsWith('.')) return host.endsWith(entry) || host === entry.slice(1);
  if (entry.startsWith('*.')) return host.endsWith(entry.slice(1));
  return inRange(host, entry);
}

class Proxy {
  /** The proxy for HTTPS in `env`; null when there is none. */
  static of(env) {
    const url = env?.https_proxy || env?.HTTPS_PROXY;
    return url && SCHEME.test(url) ? new Proxy(new URL(url), env.no_proxy || env.NO_PROXY || '') : null;
  }

  constructor(url, exceptions) {
    const { protocol, hostname, port, username, password } = url;
    this.secure = protocol === 'https:';
    this.destination = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (this.secure ? 443 : 80) };
    this.authorization = null;
    if (username || password) {
      const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
      this.authorization = `Basic ${Buffer.from(plain).toString('base64')}`;
    }
    url.username = url.password = '';
    this.shown = url.href;
    this.exceptions = exceptions.split(',').map((entry) => entry.trim().toLowerCase()).filter(Boolean);
  }

  /** Whether a request with these options goes through the proxy. */
  serves({ host, port, socketPath }) {
    if (socketPath) return false;
    const name = (host || 'localhost').toLowerCase();
    return !this.exceptions.some((entry) => covers(entry, name, port));
  }

  /** Asks the proxy for a connection to `host` and `port`; `done(error, socket)` is called once. */
  openTunnel({ host = 'localhost', port, defaultPort, timeout }, lasting, done) {
    const target = `${net.isIPv6(host) ? `[${host}]` : host}:${port || defaultPort}`;
    const headers = { host: target };
    if (this.authorization) headers['proxy-authorization'] = this.authorization;
    if (lasting) headers['proxy-connection'] = 'keep-alive';
    const { destination, secure } = this;
    const request = http.request({
      method: 'CONNECT', path: target, headers,
      createConnection: () => (secure ? tls.connect(destination) : net.connect(destination)),
    });
    request.on('connect', ({ statusCode, statusMessage, httpVersion }, socket, head) => {
      if (statusCode !== 200) {
        socket.destroy();
        const line = `HTTP/${httpVersion} ${statusCode} ${statusMessage}`;
        const error = new ERR_PROXY_TUNNEL(`Failed to establish tunnel to ${target} via ${this.shown}: ${line}`);
        done(Object.assign(error, { statusCode }));
        return;
      }
      socket.setTimeout(0);
      if (head.length > 0) socket.unshift(head);
      done(null, socket);
    });
    if (timeout) request.setTimeout(timeout);
    request.on('timeout', () => {
      const text = `Connection to establish proxy tunnel timed out after ${timeout}ms`;
      request.destroy(Object.assign(new ERR_PROXY_TUNNEL(text), { proxyTunnelTimeout: timeout }));
    });
    request.on('error', (error) => {
      const ended = error.code === 'ECONNRESET' && !error.syscall;
      done(ended ? new ERR_PROXY_TUNNEL('Connection to establish proxy tunnel ended unexpectedly') : error);
    });
    request.end();
  }
}

module.exports = { Proxy };
