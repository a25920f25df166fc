'use strict';
// A client's sessions, bound to the server that they were made with: a resumed session vouches for the name that was
// checked when it was made, so it must not be used for another. The newest releases of Node 22 and later do so; the
// form is theirs, so that either module's sessions serve the other's sockets.
const nodeTls = require('./node-tls');

const PREFIX = Buffer.from('\0nodejs:tls:session:1\0');
const LENGTH = 2;               // bytes of the name's length

// A client that verifies refuses a session without a name there; an earlier Node hands it on.
function nodeBinds() {
  let taken = false;
  const socket = { _tlsOptions: {}, _handle: { setSession() { taken = true; } } };
  try {
    Reflect.apply(nodeTls.TLSSocket.prototype.setSession, socket, [Buffer.alloc(1)]);
  } catch {
    // A Node to come that wants more of its `this`: the careful way is right there too.
  }
  return !taken;
}

const binds = nodeBinds();

/** The name under which the server of a client with these options is checked. */
function identityOf(options) {
  return options?.servername || options?.host || options?.socket?._host || 'localhost';
}

/** A session as the program gets it. */
function bind(session, options) {
  if (!binds || !Buffer.isBuffer(session) || options?.isServer) return session;
  const name = Buffer.from(identityOf(options), 'utf8');
  const length = Buffer.alloc(LENGTH);
  length.writeUInt16BE(name.length);
  return Buffer.concat([PREFIX, length, name, session]);
}

// { name, session } or undefined.
function split(bound) {
  const start = PREFIX.length + LENGTH;
  if (!Buffer.isBuffer(bound) || bound.length < start || !bound.subarray(0, PREFIX.length).equals(PREFIX)) {
    return undefined;
  }
  const end = start + bound.readUInt16BE(PREFIX.length);
  return end > bound.length ? undefined :
    { name: bound.toString('utf8', start, end), session: bound.subarray(end) };
}

/** The session in what the program gives; undefined when it may not be used with these options. */
function release(given, options) {
  if (!binds) return given;
  const session = typeof given === 'string' ? Buffer.from(given, 'latin1') : given;
  if (options?.isServer) return session;
  const parts = split(session);
  if (parts !== undefined) return parts.name === identityOf(options) ? parts.session : undefined;
  return Buffer.isBuffer(session) && options?.rejectUnauthorized !== false ? undefined : session;
}

module.exports = { bind, binds, identityOf, release };
