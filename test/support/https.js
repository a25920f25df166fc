'use strict';

// c4tls/https for tests, and short ways to its servers and requests. C4TLS_TEST_MODULE=tls puts Node's own https in.

const { once } = require('events');
const pki = require('./pki');
const { stock } = require('./subject');
const { track } = require('./cleanup');
const { closed, listen } = require('./net');

const https = stock ? require('https') : require('../../https');

/** A listening server with the P-256 certificate: {server, port}. */
async function serveHttps(options, onRequest) {
  const server = track(https.createServer({ ...pki.pair('ec'), ...options }, onRequest));
  return { server, port: await listen(server) };
}

/** Options of a request to `port` that trusts the test CA. */
function to(port, options) {
  return { host: '127.0.0.1', servername: 'localhost', port, ca: pki.ca, ...options };
}

/** The response to a GET of `options`, or to what `send` makes: {response, socket, body}. */
async function fetchText(options, send = https.get) {
  const [response] = await once(send(options), 'response');
  const { socket } = response;       // it leaves the response at its end
  let body = '';
  for await (const text of response.setEncoding('utf8')) body += text;
  return { response, socket, body };
}

/** Resolves when the socket has closed, which may be now. */
async function gone(socket) {
  if (!socket.closed) await closed(socket);
}

module.exports = { fetchText, gone, https, serveHttps, to };
