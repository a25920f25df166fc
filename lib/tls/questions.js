'use strict';
// A server's handshake questions: the native handshake is parked until one of these has its answer.
// Methods of TLSSocket.
const { codes } = require('../core/errors');
const { ContextHandle } = require('./secure-context');
const sessionState = require('./session-state');
const { kALPNCallback, kConnectOptions, kPendingSession, kVerified } = require('./symbols');

const { ERR_MULTIPLE_CALLBACK, ERR_SOCKET_CLOSED, ERR_TLS_ALPN_CALLBACK_INVALID_RESULT } = codes;

// A callback that may be called once, and only while the socket lives.
function answerOnce(socket, use) {
  let called = false;
  return (error, value) => {
    if (called) {
      socket.destroy(new ERR_MULTIPLE_CALLBACK());
      return;
    }
    called = true;
    if (error) socket.destroy(error);
    else if (!socket._handle) socket.destroy(new ERR_SOCKET_CLOSED());
    else use(value);
  };
}

// The client hello has come: { servername, alpn, sessionId, ticket, ocsp }.
function _onClientHello(hello) {
  const { server } = this;
  this.servername ??= hello.servername;
  const answer = answerOnce(this, (session) => answerHello(this, hello, session ?? null));
  // A ticket needs no stored session, and without an id there is none to look for.
  if (hello.sessionId === '' || hello.ticket || !server ||
      !server.emit('resumeSession', Buffer.from(hello.sessionId, 'hex'), answer)) {
    answerHello(this, hello, null);
  }
}

function answerHello(socket, hello, session) {
  const { native } = socket._handle;
  if (socket[kALPNCallback] === null || hello.alpn.length === 0) {
    native.answerHello(session, undefined);
    return;
  }
  const protocols = hello.alpn;
  let chosen;
  try {
    chosen = socket[kALPNCallback]({ servername: hello.servername ?? false, protocols });
    if (chosen !== undefined && !protocols.includes(chosen)) {
      throw new ERR_TLS_ALPN_CALLBACK_INVALID_RESULT(chosen, protocols);
    }
  } catch (error) {
    native.answerHello(session, null);
    socket.destroy(error);
    return;
  }
  native.answerHello(session, chosen ?? null);
}

// The certificate is to be chosen: { servername, ocsp }.
function _onCertificateWanted(info) {
  const { servername } = info;
  this.servername ??= servername;
  if (!servername || !this._SNICallback) {
    answerCertificate(this, info, null);
    return;
  }
  try {
    this._SNICallback(servername, answerOnce(this, (context) => {
      answerCertificate(this, info, context ? context.context || context : null);
    }));
  } catch (error) {
    this.destroy(error);
  }
}

function answerCertificate(socket, { ocsp }, chosen) {
  const { server } = socket;
  if (chosen !== null && !(chosen instanceof ContextHandle)) {
    socket._onTLSFailure(new TypeError('Invalid SNI context'));
    return;
  }
  const done = (response) => {
    try {
      socket._handle.native.answerCertificate(chosen === null ? null : chosen.native, response ?? null);
    } catch (error) {
      socket.destroy(error);
    }
  };
  const context = chosen ?? server?._sharedCreds?.context;
  if (!ocsp || !context || !(server.listenerCount('OCSPRequest') > 0)) {
    done(null);
    return;
  }
  server.emit('OCSPRequest', context.getCertificate(), context.getIssuer(), answerOnce(socket, done));
}

// A session was made: a server offers it to 'newSession', a client to 'session'.
function _onNewSession(payload, idLength) {
  const id = payload.subarray(0, idLength);
  const session = payload.subarray(idLength);
  if (this._tlsOptions.isServer) {
    offerSession(this, id, session);
    return;
  }
  this._handle.lastSession = session;
  const bound = sessionState.bind(session, this[kConnectOptions]);
  if (this[kVerified]) {
    this.emit('session', bound);
  } else {
    this[kPendingSession] = bound;
  }
}

function offerSession(socket, id, session) {
  const { server } = socket;
  let called = false;
  const done = () => {
    if (called) return;
    called = true;
    if (!socket._handle) {
      socket.destroy(new ERR_SOCKET_CLOSED());
      return;
    }
    socket._handle.native.sessionStored();
    socket._newSessionPending = false;
    if (socket._securePending) socket._finishInit();
    socket._securePending = false;
  };
  socket._newSessionPending = true;
  if (!server || !server.emit('newSession', id, session, done)) done();
}

module.exports = { _onCertificateWanted, _onClientHello, _onNewSession };
