'use strict';
// Configuration settings of WSServer beside those of SSLServer.
const { failure } = require('./errors');
const { BASE, MOST, TCP, TLS, flag, number, text } = require('./settings');
const check = require('./values');

const MAX_REASON = 123;
const NOT_SUPPORTED = 10045;

const LINE_LENGTH = number(2048, 1, MOST);
const MESSAGE_LENGTH = number(0, 0, MOST);

/** A code that a Close frame may have. */
const closeCode = {
  initial: '1000',
  parse(value, name) {
    const code = Number(number(0, 1000, 4999).parse(value, name));
    const isRegistered = code < 3000 && (code > 1014 || (code > 1003 && code < 1007));
    if (!isRegistered) return String(code);
    throw check.invalid(name, '1000 to 1003, 1007 to 1014 or 3000 to 4999');
  },
};

const closeReason = {
  initial: '',
  parse(value, name) {
    if (Buffer.byteLength(value) <= MAX_REASON) return value;
    throw check.invalid(name, `at most ${MAX_REASON} bytes of UTF-8`);
  },
};

/** What is asked of a server's certificate is no matter of a server; it is stored. */
const ofServerCertificate = {
  ...number(0, 0, 2),
  /** Said of a value that cannot be met. */
  complaint: (stored, name) => (stored === '2' ? `${name} is about the certificates of servers: nothing is checked.` : null),
};

const fips = {
  initial: 'False',
  parse(value, name) {
    const stored = flag('False').parse(value, name);
    if (stored === 'False') return stored;
    throw failure(NOT_SUPPORTED, `${name}: the TLS engine is not in FIPS mode.`);
  },
};

/** Settings of the connections to come; BufferMessage and MaxFrameSize hold for those that are open too. */
const WEB_SOCKET = {
  BufferMessage: flag('False'),
  EnablePermessageDeflate: flag('True'),
  KeepAliveRetryCount: number(0, 0, 255),
  MaxFrameSize: number(16384, 1, MOST),
  MaxMessageSize: number(2 ** 24, 1, MOST),
};

const SETTINGS = {
  ...BASE,
  ...TCP,
  ...TLS,
  ...WEB_SOCKET,
  DisconnectStatusCode: closeCode,
  DisconnectStatusDescription: closeReason,
  LogLevel: number(1, 0, 3),
  MaxLineLength: LINE_LENGTH,
  MaxReadTime: number(50, 0, MOST),
  MessageLength: MESSAGE_LENGTH,
  ProcessIdleEvents: flag('True'),
  SSLCACertFilePaths: text('/etc/ssl/ca-bundle.pem;/etc/pki/tls/certs/ca-bundle.crt;' +
    '/etc/ssl/certs/ca-certificates.crt;/etc/pki/tls/cacert.pem'),
  SSLCheckCRL: ofServerCertificate,
  SSLCheckOCSP: ofServerCertificate,
  UseFIPSCompliantAPI: fips,
  UseIOCP: { ...flag('False'), implies: { True: ['UseWindowsMessages', 'False'] } },
  UseSSL: { ...flag('True'), fixedWhileListening: 104 },
  UseWindowsMessages: flag('False'),
  WaitForCloseResponse: flag('True'),
};

/** Settings that are one connection's, by name. */
const OF_CONNECTION = new Map([
  ['maxlinelength', LINE_LENGTH],
  ['messagelength', MESSAGE_LENGTH],
]);

module.exports = { OF_CONNECTION, SETTINGS, WEB_SOCKET };
