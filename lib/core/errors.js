'use strict';
// Errors in the shape that Node's own modules give them: `code`, plain `name`, the code in the stack.
const { inspect, getSystemErrorMap } = require('util');

/** Constructors by code: `new codes.ERR_X(...)`. */
const codes = Object.create(null);

// The stack's first line shows the code, while `name` stays that of the class.
function dress(error, code, above) {
  const { name } = error;
  Object.defineProperty(error, 'name', {
    value: `${name} [${code}]`, configurable: true, enumerable: false, writable: true,
  });
  Error.captureStackTrace(error, above);
  delete error.name;
  error.code = code;
  Object.defineProperty(error, 'toString', {
    value() { return `${this.name} [${code}]: ${this.message}`; },
    configurable: true, enumerable: false, writable: true,
  });
  return error;
}

function define(code, Base, text) {
  codes[code] = function CodedError(...args) {
    const error = new Base(typeof text === 'function' ? text(...args) : text);
    return dress(error, code, new.target ?? codes[code]);
  };
}

/** An error with one of the codes above whose text comes from elsewhere. */
function withCode(code, message, Base = Error) {
  return dress(new Base(message), code, withCode);
}

// "a", "a or b", "a, b, or c"
function alternatives(list) {
  if (list.length < 3) return list.join(' or ');
  return `${list.slice(0, -1).join(', ')}, or ${list.at(-1)}`;
}

function described(value) {
  if (value === null) return 'null';
  if (value === undefined) return 'undefined';
  if (typeof value === 'function') return value.name ? `function ${value.name}` : 'function ';
  if (typeof value === 'object') {
    if (value.constructor?.name) return `an instance of ${value.constructor.name}`;
    return inspect(value, { depth: -1 });
  }
  let shown = inspect(value, { colors: false });
  if (shown.length > 28) shown = `${shown.slice(0, 25)}...`;
  return `type ${typeof value} (${shown})`;
}

const PRIMITIVES = new Set([
  'string', 'function', 'number', 'object', 'Function', 'Object', 'boolean', 'bigint', 'symbol',
]);

function expectation(expected) {
  const types = [];
  const instances = [];
  const other = [];
  for (const word of Array.isArray(expected) ? expected : [expected]) {
    if (PRIMITIVES.has(word)) types.push(word.toLowerCase());
    else if (/^([A-Z][a-z0-9]*)+$/.test(word)) instances.push(word);
    else other.push(word);
  }
  // Beside named classes, `object` reads better as one of them.
  if (instances.length > 0 && types.includes('object')) {
    types.splice(types.indexOf('object'), 1);
    instances.push('Object');
  }
  const parts = [];
  if (types.length > 0) parts.push(`${types.length > 1 ? 'one of type' : 'of type'} ${alternatives(types)}`);
  if (instances.length > 0) parts.push(`an instance of ${alternatives(instances)}`);
  if (other.length > 1) parts.push(`one of ${alternatives(other)}`);
  else if (other.length === 1) parts.push(other[0].toLowerCase() === other[0] ? other[0] : `an ${other[0]}`);
  return parts.join(' or ');
}

function subject(name) {
  if (name.endsWith(' argument')) return `The ${name}`;
  return `The "${name}" ${name.includes('.') ? 'property' : 'argument'}`;
}

// 1234567 -> 1_234_567
function grouped(digits) {
  return String(digits).replace(/(?<=\d)(?=(?:\d{3})+$)/g, '_');
}

define('ERR_INVALID_ARG_TYPE', TypeError, (name, expected, actual) =>
  `${subject(name)} must be ${expectation(expected)}. Received ${described(actual)}`);

define('ERR_INVALID_ARG_VALUE', TypeError, (name, value, reason = 'is invalid') => {
  let shown = inspect(value);
  if (shown.length > 128) shown = `${shown.slice(0, 128)}...`;
  return `The ${name.includes('.') ? 'property' : 'argument'} '${name}' ${reason}. Received ${shown}`;
});

define('ERR_OUT_OF_RANGE', RangeError, (name, range, value, whole = false) => {
  const start = whole ? name : `The value of "${name}" is out of range.`;
  let shown;
  if (Number.isInteger(value) && Math.abs(value) > 2 ** 32) {
    shown = grouped(value);
  } else if (typeof value === 'bigint') {
    shown = `${value > 2n ** 32n || value < -(2n ** 32n) ? grouped(value) : value}n`;
  } else {
    shown = inspect(value);
  }
  return `${start} It must be ${range}. Received ${shown}`;
});

define('ERR_SOCKET_BAD_PORT', RangeError, (name, port) =>
  `${name} should be >= 0 and < 65536. Received ${described(port)}.`);
define('ERR_MISSING_ARGS', TypeError, (names) =>
  `The ${names.map((n) => `"${n}"`).join(' or ')} argument must be specified`);
define('ERR_INVALID_IP_ADDRESS', TypeError, (ip) => `Invalid IP address: ${ip}`);
define('ERR_INVALID_ADDRESS_FAMILY', RangeError, (family, host, port) =>
  `Invalid address family: ${family} ${host}:${port}`);
define('ERR_MULTIPLE_CALLBACK', Error, 'Callback called multiple times');
define('ERR_SOCKET_CLOSED', Error, 'Socket is closed');
define('ERR_SOCKET_CLOSED_BEFORE_CONNECTION', Error, 'Socket closed before the connection was established');
define('ERR_SOCKET_CONNECTION_TIMEOUT', Error, 'Socket connection timeout');
define('ERR_INVALID_HANDLE_TYPE', TypeError, 'This handle type cannot be sent');
define('ERR_PROXY_TUNNEL', Error, (text) => text);
define('ERR_STREAM_WRAP', Error, 'Stream has StringDecoder set or is in objectMode');
define('ERR_CRYPTO_CUSTOM_ENGINE_NOT_SUPPORTED', Error, 'Custom engines not supported by this OpenSSL');

define('ERR_TLS_ALPN_CALLBACK_INVALID_RESULT', TypeError, (value, protocols) =>
  `ALPN callback returned a value (${value}) that did not match any of the client's offered protocols (${
    protocols.join(', ')})`);
define('ERR_TLS_ALPN_CALLBACK_WITH_PROTOCOLS', TypeError,
  'The ALPNCallback and ALPNProtocols TLS options are mutually exclusive');
define('ERR_TLS_DH_PARAM_SIZE', Error, (size) => `DH parameter size ${size} is less than 2048`);
define('ERR_TLS_HANDSHAKE_TIMEOUT', Error, 'TLS handshake timeout');
define('ERR_TLS_INVALID_CONTEXT', TypeError, (name) => `${name} must be a SecureContext`);
define('ERR_TLS_INVALID_PROTOCOL_VERSION', TypeError, (version, which) =>
  `${JSON.stringify(version)} is not a valid ${which} TLS protocol version`);
define('ERR_TLS_INVALID_STATE', Error, 'TLS socket connection must be securely established');
define('ERR_TLS_PROTOCOL_VERSION_CONFLICT', TypeError, (version, method) =>
  `TLS protocol version ${JSON.stringify(version)} conflicts with secureProtocol ${JSON.stringify(method)}`);
// Spelled as Node spells it.
define('ERR_TLS_PSK_SET_IDENTIY_HINT_FAILED', Error, 'Failed to set PSK identity hint');
define('ERR_TLS_RENEGOTIATION_DISABLED', Error, 'TLS session renegotiation disabled for this socket');
define('ERR_TLS_REQUIRED_SERVER_NAME', Error, '"servername" is required parameter for Server.addContext');
define('ERR_TLS_SESSION_ATTACK', Error, 'TLS session renegotiation attack detected');
define('ERR_TLS_SNI_FROM_SERVER', Error, 'Cannot issue SNI from a TLS server-side socket');

/** ECONNRESET that this side noticed by itself, without a failed system call. */
function connReset(message, options) {
  const error = new Error(message, options);
  Error.captureStackTrace(error, connReset);
  error.code = 'ECONNRESET';
  return error;
}

/** A failed system call: `read ECONNRESET`. `errno` is negative, as in libuv. */
function systemError({ code, errno, syscall }) {
  const error = new Error(`${syscall} ${code}`);
  Error.captureStackTrace(error, systemError);
  return Object.assign(error, { errno, code, syscall });
}

function place(address, port) {
  if (port > 0) return ` ${address}:${port}`;
  return address ? ` ${address}` : '';
}

/** A failed connect or bind: `connect ECONNREFUSED 127.0.0.1:1`. */
function connectError({ code, errno, syscall, address, port, localAddress, localPort }) {
  const local = localAddress && localPort ? `${localAddress}:${localPort}` : '';
  const error = new Error(`${syscall} ${code}${place(address, port)}${local && ` - Local (${local})`}`);
  Error.captureStackTrace(error, connectError);
  Object.assign(error, { errno, code, syscall, address });
  if (port) error.port = port;
  if (local) Object.assign(error, { localAddress, localPort });
  return error;
}

/** All addresses of a host failed. */
function connectErrors(list) {
  const errors = list.map(connectError);
  if (errors.length === 1) return errors[0];
  const error = new AggregateError(errors);
  error.code = errors[0]?.code;
  return error;
}

/** A failed listen: `listen EADDRINUSE: address already in use :::443`. */
function listenError({ code, errno, syscall = 'listen' }, address, port) {
  const text = getSystemErrorMap().get(errno)?.[1] ?? 'unknown error';
  const error = new Error(`${syscall} ${code}: ${text}${place(address, port)}`);
  Error.captureStackTrace(error, listenError);
  Object.assign(error, { code, errno, syscall, address });
  if (port) error.port = port;
  return error;
}

/** A TLS failure as the native side describes it. */
function tlsError({ code, message, library, function: fn, reason, stack }) {
  if (code in codes) return withCode(code, message);
  const error = new Error(message);
  Error.captureStackTrace(error, tlsError);
  if (stack?.length > 0) error.opensslErrorStack = stack;
  if (library) error.library = library;
  if (fn) error.function = fn;
  if (reason) error.reason = reason;
  if (code) error.code = code;
  return error;
}

module.exports = {
  codes, connReset, connectError, connectErrors, listenError, systemError, tlsError, withCode,
};
