'use strict';
// TLSSocket.prototype.connect: argument forms, checks, lookup; the native side opens the connection.
const dns = require('dns');
const net = require('net');
const check = require('../core/validate');
const { codes } = require('../core/errors');
const diagnostics = require('./diagnostics');

const {
  ERR_INVALID_ADDRESS_FAMILY, ERR_INVALID_ARG_TYPE, ERR_INVALID_IP_ADDRESS, ERR_MISSING_ARGS,
} = codes;

// (options[, cb]), (path[, cb]), (port[, host][, cb])
function normalize(args) {
  const [first] = args;
  const last = args.at(-1);
  const callback = typeof last === 'function' ? last : null;
  if (typeof first === 'object' && first !== null) return { options: first, callback };
  if (typeof first === 'string' && !(Number(first) >= 0)) return { options: { path: first }, callback };
  const options = {};
  if (args.length > 0) options.port = first;
  if (typeof args[1] === 'string') options.host = args[1];
  return { options, callback };
}

function connectSocket(socket, args) {
  const { options, callback } = normalize(args);
  diagnostics.publishClient(socket);
  if (callback) socket.once('connect', callback);
  if (socket._tlsOptions.signal?.aborted) {
    process.nextTick(() => socket.destroy());
    return socket;
  }
  const parent = socket._parent;
  if (parent) {
    // The stream beneath connects, or somebody has already told it to.
    if (!parent.connecting) parent.connect(options);
    return socket;
  }
  if (options.port === undefined && options.path == null) throw new ERR_MISSING_ARGS(['options', 'port', 'path']);
  if (Object.hasOwn(socket, 'write')) delete socket.write;
  if (socket.destroyed) {
    socket._peername = null;
    socket._undestroy();
  }
  if (!socket._handle || socket._handle.closing) socket._makeHandle();
  socket._sockname = null;
  socket._unrefTimer();
  socket.connecting = true;
  if (options.path) {
    check.string(options.path, 'options.path');
    // Later: the caller may still set the servername and the session.
    process.nextTick(() => {
      if (!socket.connecting) return;
      socket.emit('connectionAttempt', options.path);
      socket._handle.connectPipe(options.path);
    });
  } else {
    lookupAndConnect(socket, options);
  }
  return socket;
}

const FAMILIES = { IPv4: 4, IPv6: 6 };

function checkOptions(options) {
  const { localAddress, localPort, port, lookup } = options;
  if (localAddress && !net.isIP(localAddress)) throw new ERR_INVALID_IP_ADDRESS(localAddress);
  if (localPort) check.number(localPort, 'options.localPort');
  if (port !== undefined && typeof port !== 'number' && typeof port !== 'string') {
    throw new ERR_INVALID_ARG_TYPE('options.port', ['number', 'string'], port);
  }
  const number = port === undefined ? 0 : check.port(port);
  let { autoSelectFamily, autoSelectFamilyAttemptTimeout: timeout } = options;
  if (autoSelectFamily != null) check.boolean(autoSelectFamily, 'options.autoSelectFamily');
  else autoSelectFamily = net.getDefaultAutoSelectFamily?.() ?? false;
  if (timeout != null) check.int32(timeout, 'options.autoSelectFamilyAttemptTimeout', 1);
  else timeout = net.getDefaultAutoSelectFamilyAttemptTimeout?.() ?? 250;
  return { port: number, localAddress, localPort, lookup, autoSelectFamily, attemptTimeout: Math.max(10, timeout) };
}

function lookupAndConnect(socket, options) {
  const host = options.host || 'localhost';
  const wanted = checkOptions(options);
  if (net.isIP(host)) {
    process.nextTick(() => {
      if (socket.connecting) open(socket, wanted, [host]);
    });
    return;
  }
  if (options.lookup != null) check.func(options.lookup, 'options.lookup');
  const query = { family: FAMILIES[options.family] ?? options.family, hints: options.hints || 0 };
  const anyFamily = query.family !== 4 && query.family !== 6;
  if (process.platform !== 'win32' && anyFamily && query.hints === 0) query.hints = dns.ADDRCONFIG;
  socket._host = host;
  const lookup = options.lookup || dns.lookup;
  if (anyFamily && !wanted.localAddress && wanted.autoSelectFamily) {
    query.all = true;
    lookup(host, query, (error, addresses) => onAddresses(socket, host, options, wanted, error, addresses));
  } else {
    lookup(host, query, (error, ip, family) => onAddress(socket, host, options, wanted, error, ip, family));
  }
}

function badAddress(ip, family, { host, port }) {
  if (!net.isIP(ip)) return new ERR_INVALID_IP_ADDRESS(ip);
  if (family === 4 || family === 6) return null;
  return Object.assign(new ERR_INVALID_ADDRESS_FAMILY(family, host, port), { host, port });
}

// Listeners for 'error' may not be there yet.
function failLater(socket, error) {
  process.nextTick(() => socket.destroy(error));
}

function onAddress(socket, host, options, wanted, error, ip, family) {
  socket.emit('lookup', error, ip, family, host);
  if (!socket.connecting) return;
  const wrong = error || badAddress(ip, family, options);
  if (wrong) failLater(socket, wrong);
  else open(socket, wanted, [ip]);
}

function onAddresses(socket, host, options, wanted, error, addresses) {
  if (!socket.connecting) return;
  if (error) {
    socket.emit('lookup', error, undefined, undefined, host);
    failLater(socket, error);
    return;
  }
  // The first usable answer says which family goes first; then they take turns.
  const groups = new Map();
  for (const { address, family } of addresses) {
    socket.emit('lookup', null, address, family, host);
    if (!socket.connecting) return;
    if (badAddress(address, family, options)) continue;
    if (!groups.has(family)) groups.set(family, new Set());
    groups.get(family).add(address);
  }
  const [one = [], other = []] = [...groups.values()].map((set) => [...set]);
  if (one.length === 0) {
    failLater(socket, badAddress(addresses[0]?.address, addresses[0]?.family, options));
    return;
  }
  const turns = [];
  for (let i = 0; i < Math.max(one.length, other.length); i++) {
    if (i < one.length) turns.push(one[i]);
    if (i < other.length) turns.push(other[i]);
  }
  open(socket, wanted, turns);
}

function open(socket, { port, localAddress, localPort, attemptTimeout }, addresses) {
  socket._unrefTimer();
  if (addresses.length > 1) {
    socket.autoSelectFamilyAttemptedAddresses = addresses.map((ip) => `${ip}:${port}`);
  }
  for (const ip of addresses) socket.emit('connectionAttempt', ip, port, net.isIP(ip));
  if (!socket.connecting) return;
  socket._handle.connectTcp({
    addresses, port, attemptTimeout, localAddress: localAddress || undefined, localPort: localPort || undefined,
  });
}

module.exports = { connectSocket, normalize };
