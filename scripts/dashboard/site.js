'use strict';

// The page's HTTP: its three files, and something that makes traffic when it is asked to.

const fs = require('fs');
const http = require('http');
const path = require('path');

/** Answer to a request for traffic. */
const TRAFFIC = Buffer.alloc(32 * 1024, 'c4tls ');

const read = (name) => fs.readFileSync(path.join(__dirname, 'page', name), 'utf8');

const FILES = {
  '/page.css': ['text/css; charset=utf-8', read('page.css')],
  '/page.mjs': ['text/javascript; charset=utf-8', read('page.mjs')],
};
const PAGE = read('index.html');

/** The page for one request; it says how it has come, and where its feed is. */
function pageFor({ socket }, feedPort) {
  const values = { protocol: socket.getProtocol(), cipher: socket.getCipher().name, feed: feedPort };
  return PAGE.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** Node's own HTTP server, for sockets that are given to it by 'connection'. `feedPort` gives the port of the feed. */
function createSite(feedPort) {
  return http.createServer((request, response) => {
    const { method, url } = request;
    response.setHeader('cache-control', 'no-store');
    response.setHeader('x-content-type-options', 'nosniff');
    if (url === '/' && (method === 'GET' || method === 'HEAD')) {
      response.setHeader('content-type', 'text/html; charset=utf-8');
      response.setHeader('content-security-policy', 'default-src \'none\'; script-src \'self\'; style-src \'self\'; ' +
        `img-src data:; connect-src 'self' wss://127.0.0.1:${feedPort()}; base-uri 'none'; frame-ancestors 'none'`);
      response.end(pageFor(request, feedPort()));
    } else if (FILES[url] && method === 'GET') {
      const [type, content] = FILES[url];
      response.setHeader('content-type', type);
      response.end(content);
    } else if (url === '/traffic' && method === 'POST') {
      // Every request is a connection of its own, and so a handshake.
      response.setHeader('connection', 'close');
      request.on('end', () => response.end(TRAFFIC)).resume();
    } else {
      response.writeHead(404).end();
    }
  });
}

module.exports = { createSite };
