'use strict';
// Node's http2 puts a net.Socket of its own around each socket that is not made of Node's handles, and asks that one
// whether it is encrypted, what ALPN chose, who the peer is. Its answers must be those of the TLSSocket inside, which
// it has as `stream`.
const { Socket } = require('net');
const os = require('os');
const { Duplex } = require('stream');

const EPIPE = -os.constants.errno.EPIPE;

const MEMBERS = [
  'address', 'alpnProtocol', 'authorizationError', 'authorized', 'disableRenegotiation', 'encrypted',
  'exportKeyingMaterial', 'getCertificate', 'getCipher', 'getEphemeralKeyInfo', 'getFinished', 'getPeerCertificate',
  'getPeerFinished', 'getPeerX509Certificate', 'getProtocol', 'getSession', 'getSharedSigalgs', 'getTLSTicket',
  'getX509Certificate', 'isSessionReused', 'localAddress', 'localFamily', 'localPort', 'remoteAddress', 'remoteFamily',
  'remotePort', 'secureConnecting', 'servername', 'setMaxSendFragment',
];

let done = false;

// The prototype of those sockets. http2 shows it on its sessions; one that leads nowhere is enough.
function findWrapper() {
  const nowhere = new Duplex({ read() {}, write(chunk, encoding, callback) { callback(); } });
  const session = require('http2').connect('http://localhost', { createConnection: () => nowhere });
  const wrapper = Object.getPrototypeOf(session.socket);
  const isWrapper = session.socket.stream === nowhere && wrapper.doShutdown && wrapper.doWrite;
  session.on('error', () => {});
  session.destroy();
  return isWrapper ? wrapper : null;
}

// A peer that goes away makes http2 write its farewell after it has shut the connection down. The wrapper throws then,
// which ends the process; a handle says that the pipe is broken.
function answerWritesAfterShutdown(wrapper, inside) {
  const { doShutdown, doWrite } = wrapper;
  const shut = new WeakSet();
  wrapper.doShutdown = function(request) {
    shut.add(this);
    return Reflect.apply(doShutdown, this, [request]);
  };
  wrapper.doWrite = function(request, buffers) {
    if (inside(this) !== null && (shut.has(this) || !this._handle)) return EPIPE;
    return Reflect.apply(doWrite, this, [request, buffers]);
  };
}

/** Makes http2's sockets around a `TLSSocket` answer as it does; others are left as they are. */
function answerAs(TLSSocket) {
  if (done) return;
  done = true;
  const wrapper = findWrapper();
  if (wrapper === null) return;
  const inside = (socket) => (socket.stream instanceof TLSSocket ? socket.stream : null);

  for (const name of MEMBERS) {
    Object.defineProperty(wrapper, name, {
      configurable: true,
      enumerable: false,
      get() {
        const socket = inside(this);
        const value = socket === null ? Reflect.get(Socket.prototype, name, this) : socket[name];
        return socket !== null && typeof value === 'function' ? value.bind(socket) : value;
      },
      set(value) {
        Object.defineProperty(this, name, { configurable: true, enumerable: true, writable: true, value });
      },
    });
  }

  answerWritesAfterShutdown(wrapper, inside);

  // A session begins with its connection's 'connect': for TLS that is the handshake's end.
  wrapper.once = function(event, listener) {
    const socket = event === 'connect' ? inside(this) : null;
    if (socket?.secureConnecting) socket.once('secureConnect', listener);
    else Socket.prototype.once.call(this, event, listener);
    return this;
  };
}

module.exports = { answerAs };
