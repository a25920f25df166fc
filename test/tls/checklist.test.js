'use strict';

// All of the running Node's tls, found in that module itself: every export, method, accessor, property and option, and
// the same error code for the same bad value. What newer versions of Node have is there on every version.

const assert = require('assert');
const net = require('net');
const nodeTls = require('tls');
const { Duplex } = require('stream');
const pki = require('../support/pki');
const { subject: tls, stock } = require('../support/subject');
const { connectPair } = require('../support/net');

const CLASSES = ['TLSSocket', 'Server', 'SecureContext'];

/** Parts of Node's own implementation that stand on its prototypes; no program has a use for them. */
const INTERNAL = new Set(['_wrapHandle', '_destroySSL', '_handleTimeout']);

/** From newer versions of Node, on every version. */
const NEWER_EXPORTS = ['getCACertificates', 'setDefaultCACertificates', 'getCertificateCompressionAlgorithms'];

/** From Node's documentation of tls.TLSSocket and tls.Server; the lists of 20 and of the newest are the same. */
const DOCUMENTED = {
  TLSSocket: {
    methods: [
      'address', 'disableRenegotiation', 'enableTrace', 'exportKeyingMaterial', 'getCertificate', 'getCipher',
      'getEphemeralKeyInfo', 'getFinished', 'getPeerCertificate', 'getPeerFinished', 'getPeerX509Certificate',
      'getProtocol', 'getSession', 'getSharedSigalgs', 'getTLSTicket', 'getX509Certificate', 'isSessionReused',
      'renegotiate', 'setKeyCert', 'setMaxSendFragment', 'setServername', 'setSession',
      // net.Socket's
      'connect', 'destroy', 'destroySoon', 'end', 'pause', 'ref', 'resetAndDestroy', 'resume', 'setEncoding',
      'setKeepAlive', 'setNoDelay', 'setTimeout', 'unref', 'write',
    ],
    properties: [
      'alpnProtocol', 'authorizationError', 'authorized', 'bufferSize', 'bytesRead', 'bytesWritten', 'connecting',
      'destroyed', 'encrypted', 'localAddress', 'localFamily', 'localPort', 'pending', 'readyState', 'remoteAddress',
      'remoteFamily', 'remotePort', 'secureConnecting', 'server', 'servername', 'ssl',
      'autoSelectFamilyAttemptedAddresses',
    ],
  },
  Server: {
    methods: [
      'addContext', 'address', 'close', 'getConnections', 'getTicketKeys', 'listen', 'ref', 'setSecureContext',
      'setTicketKeys', 'unref',
    ],
    properties: [
      'listening', 'maxConnections', '_contexts', '_sharedCreds', 'ALPNCallback', 'ca', 'cert',
      'certificateCompression', 'ciphers', 'crl', 'dhparam', 'ecdhCurve', 'honorCipherOrder', 'key', 'maxVersion',
      'minVersion', 'passphrase', 'pfx', 'rejectUnauthorized', 'requestCert', 'secureOptions', 'secureProtocol',
      'sessionIdContext', 'sigalgs',
    ],
  },
  SecureContext: { methods: [], properties: ['context'] },
};

/** Options as documented, for versions whose own code does not read them yet. */
const NEWER_CONTEXT_OPTIONS = ['allowPartialTrustChain', 'certificateCompression'];

const CONTEXT_OPTIONS = [
  'allowPartialTrustChain', 'ca', 'cert', 'ciphers', 'clientCertEngine', 'crl', 'dhparam', 'ecdhCurve',
  'honorCipherOrder', 'key', 'maxVersion', 'minVersion', 'passphrase', 'pfx', 'privateKeyEngine',
  'privateKeyIdentifier', 'secureOptions', 'secureProtocol', 'sessionIdContext', 'sessionTimeout', 'sigalgs',
  'ticketKeys',
];
const CONNECT_OPTIONS = [
  'ALPNProtocols', 'allowHalfOpen', 'autoSelectFamily', 'autoSelectFamilyAttemptTimeout', 'checkServerIdentity',
  'enableTrace', 'family', 'highWaterMark', 'hints', 'host', 'keepAlive', 'keepAliveInitialDelay', 'localAddress',
  'localPort', 'lookup', 'minDHSize', 'noDelay', 'onread', 'path', 'port', 'rejectUnauthorized', 'requestOCSP',
  'secureContext', 'servername', 'session', 'signal', 'socket', 'timeout',
];
const SERVER_OPTIONS = [
  'ALPNCallback', 'ALPNProtocols', 'SNICallback', 'allowHalfOpen', 'captureRejections', 'enableTrace',
  'handshakeTimeout', 'highWaterMark', 'keepAlive', 'keepAliveInitialDelay', 'noDelay', 'pauseOnConnect',
  'rejectUnauthorized', 'requestCert', 'sessionTimeout', 'ticketKeys',
];
const SOCKET_OPTIONS = [
  'ALPNCallback', 'ALPNProtocols', 'SNICallback', 'enableTrace', 'highWaterMark', 'isServer', 'rejectUnauthorized',
  'requestCert', 'requestOCSP', 'secureContext', 'session', 'signal',
];

const BAD_VALUES = {
  null: null, true: true, '0': 0, '1': 1, '-1': -1, '1.5': 1.5, NaN, '1e10': 1e10, '1n': 1n,
  '\'\'': '', '\'x\'': 'x', '[]': [], '[1]': [1], '[\'x\']': ['x'], '{}': {}, 'a function': () => {},
  'a Buffer': Buffer.from('x'), 'an empty Buffer': Buffer.alloc(0), 'a Uint8Array': new Uint8Array(3),
};

/**
 * Where c4tls means to differ: it has no engines, takes a session as text, and an empty list of curves for OpenSSL's
 * own, as newer versions of Node do.
 */
const DIFFERENT = [/clientCertEngine/, /session: 'x'$/, /ecdhCurve: ''$/];
// Node 18 let these pass.
if (process.version.startsWith('v18.')) DIFFERENT.push(/sessionTimeout: -1$/, /^addContext, name/);

/** What comes of a call: 'ok', an error's code, or 'no code'. What it made is destroyed. */
function outcome(call) {
  let made;
  try {
    made = call();
    return 'ok';
  } catch (error) {
    return error.code ?? 'no code';
  } finally {
    made?.on?.('error', () => {});
    made?.destroy?.();
  }
}

/** The same call on both modules: the same result, unless Node's is an error that nobody gave a code. */
function same(call, what) {
  if (DIFFERENT.some((pattern) => pattern.test(what))) return;
  const expected = outcome(() => call(nodeTls));
  if (expected === 'no code' || (expected === 'ERR_INTERNAL_ASSERTION' && what.startsWith('SNICallback'))) return;
  assert.strictEqual(outcome(() => call(tls)), expected, what);
}

function forBadValues(names, call) {
  for (const name of names) {
    it(name, () => {
      for (const [title, value] of Object.entries(BAD_VALUES)) {
        // Old versions of Node abort for bytes that are no list of protocols.
        if (name === 'ALPNProtocols' && !/^(null|0|NaN|''|\[.*)$/.test(title)) continue;
        same((module) => call(module, { [name]: value }), `${name}: ${title}`);
      }
    });
  }
}

/** A stream that swallows everything and never ends. */
function nowhere() {
  return new Duplex({ read() {}, write(chunk, encoding, done) { done(); } });
}

function find(object, name) {
  for (let at = object; at; at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertyDescriptor(at, name);
    if (found) return found;
  }
  return undefined;
}

const kindOf = (descriptor) => (descriptor === undefined ? 'missing' :
  descriptor.get || descriptor.set ? 'accessor' : typeof descriptor.value);

/** The names of options that `read` looks at. */
function optionsRead(read) {
  const seen = new Set();
  read(new Proxy({}, {
    get(target, name) {
      if (typeof name === 'string') seen.add(name);
      return undefined;
    },
  }));
  return seen;
}

describe('the API of the running Node', () => {
  it('has every export, of the same kind', () => {
    for (const name of Object.keys(nodeTls)) {
      assert.strictEqual(typeof tls[name], typeof nodeTls[name], name);
      const mine = Object.getOwnPropertyDescriptor(tls, name);
      const theirs = Object.getOwnPropertyDescriptor(nodeTls, name);
      for (const key of ['enumerable', 'configurable', 'writable']) {
        assert.strictEqual(mine[key], theirs[key], `${name}: ${key}`);
      }
    }
  });

  it('has what newer versions export', function() {
    if (stock) this.skip();
    for (const name of NEWER_EXPORTS) assert.strictEqual(typeof tls[name], 'function', name);
  });

  it('does not have what the running Node has dropped', () => {
    assert.strictEqual('createSecurePair' in tls, 'createSecurePair' in nodeTls);
    assert.strictEqual('setOptions' in tls.Server.prototype, 'setOptions' in nodeTls.Server.prototype);
  });

  for (const name of CLASSES) {
    it(`${name} has every method and accessor of its prototype`, () => {
      for (const [key, theirs] of Object.entries(Object.getOwnPropertyDescriptors(nodeTls[name].prototype))) {
        if (INTERNAL.has(key)) continue;
        assert.strictEqual(kindOf(find(tls[name].prototype, key)), kindOf(theirs), `${name}.prototype.${key}`);
      }
      for (const key of Object.getOwnPropertySymbols(nodeTls[name].prototype)) {
        assert.ok(key in tls[name].prototype, `${name}.prototype[${String(key)}]`);
      }
    });

    it(`${name} has what the documentation names`, () => {
      const made = {
        TLSSocket: () => new tls.TLSSocket(new net.Socket()),
        Server: () => tls.createServer(),
        SecureContext: () => tls.createSecureContext(),
      }[name]();
      for (const key of DOCUMENTED[name].methods) assert.strictEqual(typeof made[key], 'function', key);
      // Which of them a version of Node has by itself is not the same everywhere.
      const left = DOCUMENTED[name].properties.filter((key) => !(key in made));
      assert.deepStrictEqual(left.filter((key) => !stock && key !== 'autoSelectFamilyAttemptedAddresses'), []);
      made.destroy?.();
    });
  }

  it('extends the same classes', () => {
    for (const name of ['TLSSocket', 'Server']) {
      assert.strictEqual(Object.getPrototypeOf(tls[name]), Object.getPrototypeOf(nodeTls[name]));
      assert.strictEqual(Object.getPrototypeOf(tls[name].prototype), Object.getPrototypeOf(nodeTls[name].prototype));
    }
    for (const name of ['Server', 'SecureContext']) assert.ok(tls[name]() instanceof tls[name], `${name} without new`);
  });

  for (const [title, make] of [
    ['a client\'s TLSSocket', (module) => new module.TLSSocket(new net.Socket())],
    ['a server\'s TLSSocket', (module) => new module.TLSSocket(nowhere(), { isServer: true })],
    ['a Server', (module) => module.createServer()],
    ['a SecureContext', (module) => module.createSecureContext()],
  ]) {
    it(`${title} has every property of its own`, () => {
      const [mine, theirs] = [make(tls), make(nodeTls)];
      for (const key of Object.keys(theirs)) {
        assert.ok(key in mine, key);
        if (theirs[key] === null || typeof theirs[key] !== 'object') assert.strictEqual(typeof mine[key], typeof theirs[key], key);
      }
      for (const one of [mine, theirs]) one.destroy?.();
    });
  }

  it('has the running Node\'s high-water marks', () => {
    const [mine, theirs] = [tls, nodeTls].map((module) => new module.TLSSocket(nowhere()));
    assert.strictEqual(mine.readableHighWaterMark, theirs.readableHighWaterMark);
    assert.strictEqual(mine.writableHighWaterMark, theirs.writableHighWaterMark);
    for (const one of [mine, theirs]) one.destroy();
  });
});

describe('options: each one that Node reads is read', () => {
  for (const [title, read] of [
    ['createSecureContext', (module, options) => module.createSecureContext(options)],
    ['createServer', (module, options) => module.createServer(options)],
    ['setSecureContext', (module, options) => module.createServer().setSecureContext(options)],
    ['Server.setOptions', (module, options) => module.createServer().setOptions?.(options)],
  ]) {
    it(title, () => {
      const mine = optionsRead((options) => read(tls, options));
      for (const name of optionsRead((options) => read(nodeTls, options))) {
        // A mark that Node's own tls.connect sets.
        if (name !== 'singleUse') assert.ok(mine.has(name), name);
      }
    });
  }

  it('those of newer versions too', function() {
    if (stock) this.skip();
    const mine = optionsRead((options) => tls.createSecureContext(options));
    for (const name of NEWER_CONTEXT_OPTIONS) assert.ok(mine.has(name), name);
  });
});

describe('options: the same error code for the same bad value', () => {
  describe('createSecureContext', () => {
    forBadValues(CONTEXT_OPTIONS, (module, options) => module.createSecureContext(options));
  });

  describe('createServer, options of its context', () => {
    forBadValues(CONTEXT_OPTIONS, (module, options) => module.createServer(options));
  });

  describe('createServer', () => {
    forBadValues(SERVER_OPTIONS, (module, options) => module.createServer(options));
  });

  describe('connect', () => {
    // Everything is destroyed before the connection is tried; but what is wrong with a name shows when that is begun.
    forBadValues(CONNECT_OPTIONS, (module, options) => module.connect({
      port: 1, host: '127.0.0.1', socket: 'servername' in options ? nowhere() : undefined, ...options,
    }));
  });

  for (const isServer of [false, true]) {
    describe(`new TLSSocket, ${isServer ? 'server' : 'client'}`, () => {
      forBadValues(SOCKET_OPTIONS, (module, options) => new module.TLSSocket(nowhere(), { isServer, ...options }));
    });
  }
});

describe('arguments: the same error code for the same bad value', () => {
  for (const [title, call] of [
    ['createSecureContext', (module, value) => module.createSecureContext(value)],
    ['createServer', (module, value) => module.createServer(value)],
    ['new TLSSocket', (module, value) => new module.TLSSocket(value)],
    ['connect', (module, value) => module.connect(value, '127.0.0.1')],
    ['addContext, name', (module, value) => module.createServer().addContext(value, {})],
    ['addContext, context', (module, value) => module.createServer().addContext('a.test', value)],
    ['setSecureContext', (module, value) => module.createServer().setSecureContext(value)],
    ['setTicketKeys', (module, value) => module.createServer().setTicketKeys(value)],
    ['getCACertificates', (module, value) => module.getCACertificates?.(value)],
  ]) {
    it(title, () => {
      for (const [what, value] of Object.entries(BAD_VALUES)) {
        if (title === 'setTicketKeys' && ArrayBuffer.isView(value)) continue;   // Node fails an assertion of its own
        if (title === 'getCACertificates' && !nodeTls.getCACertificates) continue;
        same((module) => call(module, value), `${title}(${what})`);
      }
    });
  }

  for (const method of [
    'enableTrace', 'exportKeyingMaterial', 'getPeerCertificate', 'renegotiate', 'setKeyCert', 'setMaxSendFragment',
    'setServername', 'setSession',
  ]) {
    it(`TLSSocket.${method}, before the handshake`, () => {
      for (const [what, value] of Object.entries(BAD_VALUES)) {
        same((module) => {
          const socket = new module.TLSSocket(nowhere());
          socket.on('error', () => {});
          try {
            socket[method](value);
          } finally {
            socket.destroy();
          }
        }, `${method}(${what})`);
      }
    });
  }

  it('exportKeyingMaterial, after it', async () => {
    const pairs = new Map();
    for (const module of [tls, nodeTls]) {
      pairs.set(module, await connectPair(module, module, { server: pki.pair('ec') }));
    }
    for (const [what, value] of Object.entries(BAD_VALUES)) {
      for (const args of [[value, 'label'], [20, value], [20, 'label', value]]) {
        same((module) => {
          pairs.get(module).client.exportKeyingMaterial(...args);
        }, `exportKeyingMaterial with ${what} of ${args.length}`);
      }
    }
  });
});
