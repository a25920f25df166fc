'use strict';
// A WebSocket server that echoes every message as it came: `node echo-server.js [tls]`. Tells its parent its port.
const c4tls = require('../../..');
const binding = require('../../../lib/core/binding');
const { Target } = require('../../../lib/core/dispatch');
const { kinds } = require('../../../lib/core/events');

// Bytes that may wait for a client; then its messages are not read.
const LIMIT = 1 << 20;
const NOTHING = Buffer.alloc(0);

class Connection extends Target {
  constructor(id) {
    super('ECHO');
    this.paced = false;
    this.waiting = [];
    this.native = binding.claim(id);
    this.attach(id);
  }

  onEvent(kind, arg, payload) {
    switch (kind) {
      case kinds.UPGRADE: this.native.acceptUpgrade(JSON.parse(payload.toString()).protocols[0] ?? null, null); break;
      case kinds.MESSAGE: this.echo(payload ?? NOTHING, arg & 3); break;
      case kinds.DRAIN: this.resume(); break;
      case kinds.CLOSE_IN: this.native.answerClose(); break;
      case kinds.CLOSED:
        this.detach();
        this.native.close();
        break;
    }
  }

  echo(bytes, flags) {
    if (this.waiting.length === 0 && this.send(bytes, flags)) return;
    this.waiting.push([bytes, flags]);
    this.native.readStop();
  }

  send(bytes, flags) {
    return binding.sendMessage(this.id, bytes, flags, LIMIT) !== 0 || bytes.length === 0;
  }

  resume() {
    while (this.waiting.length > 0 && this.send(...this.waiting[0])) this.waiting.shift();
    if (this.waiting.length === 0) this.native.readStart();
  }
}

class Listener extends Target {
  constructor(params) {
    super('ECHO_LISTENER');
    this.native = new binding.Listener();
    this.native.configure(params, { noDelay: true, webSocket: { whole: true } });
    this.attach(this.native.listenTcp('127.0.0.1', 0, 511));
  }

  onEvent(kind, arg) {
    if (kind === kinds.ADOPT) new Connection(arg);
  }
}

const params = process.argv[2] !== 'tls' ? null : {
  context: c4tls.createSecureContext(c4tls.generateCertificate()).context.native,
  isServer: true,
  requestCert: false,
  rejectUnauthorized: false,
  hooks: 0,
  handshakeTimeout: 0,
  renegLimit: 0,
  renegWindow: 0,
};
const listener = new Listener(params);
process.send(listener.native.address().port);
process.on('disconnect', () => process.exit());
