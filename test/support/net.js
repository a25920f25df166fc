'use strict';

// Short ways to the sockets of a test. All ports are chosen by the system, everything made here is tracked.

const { once } = require('events');
const net = require('net');
const pki = require('./pki');
const { track } = require('./cleanup');
const { within } = require('./time');

/** Longest wait for an event in a test, in milliseconds. */
const PATIENCE = 8_000;

/** The first `event` of `emitter` as its array of arguments; an 'error' rejects unless it is waited for itself. */
function event(emitter, name, ms = PATIENCE) {
  return within(ms, once(emitter, name), `'${name}'`);
}

/** Resolves when the stream has closed, with the error it ended with (undefined when there was none). */
async function closed(stream, ms = PATIENCE) {
  let error;
  stream.once('error', (reason) => {
    error = reason;
  });
  await within(ms, new Promise((resolve) => {
    stream.once('close', resolve);
  }), '\'close\'');
  return error;
}

/** An error's code; alerts as OpenSSL called them before 3.2, whatever version either side has. */
function codeOf(error) {
  return error?.code?.replace('SSL/TLS_ALERT', 'SSLV3_ALERT');
}

/** Listens on a free loopback port (or on what is given) and resolves with the port. */
async function listen(server, ...args) {
  track(server);
  server.listen(...(args.length > 0 ? args : [0, '127.0.0.1']));
  await event(server, 'listening');
  return server.address()?.port;
}

/** Loopback ports that were free a moment ago, for what cannot be given 0. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => net.createServer());
  const ports = await Promise.all(servers.map((server) => listen(server)));
  await Promise.all(servers.map((server) => new Promise((resolve) => {
    server.close(resolve);
  })));
  return ports;
}

/** A listening TLS server of `tls` with the P-256 certificate unless told otherwise: {server, port}. */
async function serve(tls, options = {}, onSecure) {
  const server = tls.createServer({ ...pki.pair('ec'), ...options }, onSecure);
  return { server, port: await listen(server) };
}

/** The same, echoing every byte. */
function serveEcho(tls, options) {
  return serve(tls, options, (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
}

/** Starts a client that trusts the test CA. */
function dial(tls, port, options = {}) {
  return track(tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: pki.ca, ...options }));
}

/** The same, resolved when the handshake is done and the certificate accepted. */
async function dialSecure(tls, port, options) {
  const socket = dial(tls, port, options);
  await event(socket, 'secureConnect');
  return socket;
}

/** A client and the server's side of the same connection: {client, socket}. */
async function connectPair(serverTls, clientTls, { server: serverOptions = {}, client: clientOptions = {} } = {}) {
  const { server, port } = await serve(serverTls, serverOptions);
  const accepted = event(server, 'secureConnection');
  const client = await dialSecure(clientTls, port, clientOptions);
  const [socket] = await accepted;
  return { server, port, client, socket };
}

/** A plain TCP connection to `port`. */
async function dialTcp(port) {
  const socket = track(net.connect(port, '127.0.0.1'));
  await event(socket, 'connect');
  return socket;
}

/**
 * A TCP relay in front of `port`: {port, near(), far()}, the last connection's two plain sockets, which a test may
 * write into, end or reset.
 */
async function relay(port) {
  let near;
  let far;
  const server = net.createServer((socket) => {
    near = socket;
    far = track(net.connect(port, '127.0.0.1'));
    near.on('error', () => far.destroy()).pipe(far);
    far.on('error', () => near.destroy()).pipe(near);
  });
  return { port: await listen(server), near: () => near, far: () => far };
}

/** Resolves with all that the stream delivers until its end, as a Buffer. */
async function readAll(stream, ms = PATIENCE) {
  const chunks = [];
  stream.on('data', (chunk) => chunks.push(chunk));
  await event(stream, 'end', ms);
  return Buffer.concat(chunks);
}

/** Resolves with the next `length` bytes of a flowing stream; what comes with them is put back. */
async function readBytes(stream, length, ms = PATIENCE) {
  let onReadable;
  const bytes = new Promise((resolve) => {
    onReadable = () => {
      const chunk = stream.read(length);
      if (chunk) resolve(chunk);
    };
    stream.on('readable', onReadable);
    onReadable();
  });
  try {
    return await within(ms, bytes, `${length} bytes`);
  } finally {
    stream.off('readable', onReadable);
  }
}

/** Sends `text` and resolves with the echo of it. */
async function echo(socket, text = 'ping') {
  socket.write(text);
  return String(await readBytes(socket, Buffer.byteLength(text)));
}

module.exports = {
  PATIENCE, event, closed, codeOf, listen, freePorts, serve, serveEcho, dial, dialSecure, connectPair, dialTcp, relay,
  readAll, readBytes, echo,
};
