'use strict';
// Numbers shared with the native side: event kinds, handshake hooks.

/** Kinds of events that the native side delivers. */
const kinds = Object.freeze({
  // For a listener.
  ACCEPT: 1,
  ADOPT: 2,
  DROP: 3,
  LISTENER_CLOSED: 5,
  PENDING_ZERO: 6,
  // For a connection.
  CONNECTED: 16,
  CONNECT_FAILED: 17,
  SECURE: 18,
  DATA: 19,
  EOF: 20,
  DRAIN: 21,
  SHUTDOWN_DONE: 22,
  ERROR: 23,
  CLOSED: 24,
  HELLO: 25,
  CERTIFICATE: 26,
  KEYLOG: 27,
  NEW_SESSION: 28,
  OCSP_RESPONSE: 29,
  CIPHER_OUT: 30,
  CIPHER_RESUME: 31,
  CIPHER_END: 32,
  TRACE: 33,
  PSK: 34,
  RENEGOTIATION: 35,
  MESSAGE: 36,
  CLIENT_CERTIFICATE: 40,
  FILE_PROGRESS: 41,
  FILE_DONE: 42,
  STALLED: 43,
  TICKET_KEYS: 44,
  UPGRADE: 45,
  OPEN: 46,
  PING_IN: 47,
  PONG_IN: 48,
  CLOSE_IN: 49,
  // For a UDP socket.
  DATAGRAM: 37,
  PEER: 38,
  PEER_GONE: 39,
});

/** What JavaScript asks to be told of, as bits. */
const hooks = Object.freeze({
  HELLO: 1,          // park after the client hello (resumeSession, ALPNCallback)
  CERTIFICATE: 2,    // park before the certificate is chosen (SNICallback, OCSPRequest)
  KEYLOG: 4,
  SESSIONS: 8,
  EAGER: 16,         // listeners only: hand every connection over before TLS starts
  TRACE: 32,
  PSK: 64,           // park for each pre-shared key (pskCallback)
  OFFER: 128,        // CERTIFICATE tells the client's suites and signature algorithms
  CLIENT_CERTIFICATE: 256,   // park before SECURE: the program judges the client's certificate
  RECORDS: 512,      // a TRACE for each record
});

module.exports = { hooks, kinds };
