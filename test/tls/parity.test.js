'use strict';

// One scenario, played with c4tls and with the running Node's tls: codes, certificates as objects, and effects of
// options must be the same.

const assert = require('assert');
const { execFileSync } = require('child_process');
const { constants, X509Certificate } = require('crypto');
const EventEmitter = require('events');
const fs = require('fs');
const net = require('net');
const nodeTls = require('tls');
const { Duplex } = require('stream');
const c4tls = require('../..');
const pki = require('../support/pki');
const { subject: tls, stock, betterThanNode } = require('../support/subject');
const { track } = require('../support/cleanup');
const { until } = require('../support/time');
const {
  closed, codeOf, connectPair, dial, dialSecure, dialTcp, echo, event, listen, serve,
} = require('../support/net');

const NODE = Number(process.versions.node.split('.')[0]);
const only = (version) => ({ minVersion: version, maxVersion: version });

/** Plays `scenario(module)` with both; both must come to `expected`. Before version `since` Node does it otherwise. */
function same(title, expected, scenario, since = 18) {
  it(title, async () => {
    assert.deepStrictEqual(await scenario(tls), expected, 'c4tls');
    if (!stock && NODE >= since) assert.deepStrictEqual(await scenario(nodeTls), expected, 'Node\'s tls');
  });
}

/** The code that `call` throws. */
function thrown(call) {
  try {
    call();
  } catch (error) {
    return error.code;
  }
  return 'nothing';
}

function nowhere() {
  return new Duplex({ read() {}, write(chunk, encoding, done) { done(); } });
}

/** A socket of `module` over nothing, gone after `use`. */
function withSocket(module, options, use) {
  const socket = new module.TLSSocket(nowhere(), options);
  socket.on('error', () => {});
  try {
    return use(socket);
  } finally {
    socket.destroy();
  }
}

/** How a handshake that cannot come about ends: [the client's code, the server's]. */
async function failure(module, serverOptions, clientOptions) {
  const { server, port } = await serve(module, serverOptions);
  const failed = event(server, 'tlsClientError');
  const client = closed(dial(module, port, clientOptions));
  const [error] = await failed;
  return [codeOf(await client), codeOf(error)];
}

describe('error codes', () => {
  same('ERR_TLS_CERT_ALTNAME_FORMAT', 'ERR_TLS_CERT_ALTNAME_FORMAT', (module) => thrown(() =>
    module.checkServerIdentity('a.test', { subject: {}, subjectaltname: 'DNS:"a' })));
  same('ERR_TLS_INVALID_CONTEXT', 'ERR_TLS_INVALID_CONTEXT', (module) => thrown(() =>
    new module.TLSSocket(nowhere(), { secureContext: { context: {} } })));
  same('ERR_TLS_INVALID_STATE', 'ERR_TLS_INVALID_STATE', (module) => thrown(() =>
    withSocket(module, {}, (socket) => socket.exportKeyingMaterial(20, 'label'))));
  same('ERR_TLS_SNI_FROM_SERVER', 'ERR_TLS_SNI_FROM_SERVER', (module) => thrown(() =>
    withSocket(module, { isServer: true }, (socket) => socket.setServername('a.test'))));
  same('ERR_TLS_REQUIRED_SERVER_NAME', 'ERR_TLS_REQUIRED_SERVER_NAME', (module) => thrown(() =>
    module.createServer().addContext('', {})));
  same('ERR_TLS_ALPN_CALLBACK_WITH_PROTOCOLS', 'ERR_TLS_ALPN_CALLBACK_WITH_PROTOCOLS', function(module) {
    return thrown(() => module.createServer({ ALPNCallback() {}, ALPNProtocols: ['a'] }));
  });
  same('ERR_OUT_OF_RANGE', 'ERR_OUT_OF_RANGE', (module) => thrown(() =>
    module.convertALPNProtocols(['x'.repeat(256)], {})));
  same('ERR_STREAM_DESTROYED', 'ERR_STREAM_DESTROYED', async (module) => {
    const { client } = await connectPair(module, module);
    client.destroy();
    return new Promise((resolve) => {
      client.write('x', (error) => resolve(error.code));
    });
  });
  same('ERR_SOCKET_CLOSED', 'ERR_SOCKET_CLOSED', async (module) => {
    const { client } = await connectPair(module, module);
    client.destroy();
    await closed(client);
    client.resetAndDestroy();
    return client.errored?.code ?? 'ERR_SOCKET_CLOSED';
  });
  same('ERR_MULTIPLE_CALLBACK', 'ERR_MULTIPLE_CALLBACK', async (module) => {
    const { server, port } = await serve(module, {
      SNICallback(name, answer) {
        answer(null, null);
        answer(null, null);
      },
    });
    const failed = event(server, 'tlsClientError');
    dial(module, port).on('error', () => {});
    return (await failed)[0].code;
  });
  same('ERR_TLS_ALPN_CALLBACK_INVALID_RESULT', 'ERR_TLS_ALPN_CALLBACK_INVALID_RESULT', async (module) => {
    const { server, port } = await serve(module, { ALPNCallback: () => 'c' });
    const failed = event(server, 'tlsClientError');
    dial(module, port, { ALPNProtocols: ['a', 'b'] }).on('error', () => {});
    return (await failed)[0].code;
  }, 20);
  same('ERR_TLS_DH_PARAM_SIZE', 'ERR_TLS_DH_PARAM_SIZE', async (module) => {
    const ciphers = 'DHE-RSA-AES128-GCM-SHA256';
    const { port } = await serve(module, { ...pki.pair('rsa'), dhparam: 'auto', ciphers, maxVersion: 'TLSv1.2' });
    return (await closed(dial(module, port, { minDHSize: 4096, ciphers }))).code;
  });

  it('ERR_CRYPTO_CUSTOM_ENGINE_NOT_SUPPORTED: there are no engines', function() {
    if (stock) this.skip();
    for (const options of [
      { privateKeyIdentifier: 'id', privateKeyEngine: 'engine' }, { clientCertEngine: 'engine' },
    ]) {
      for (const make of [tls.createSecureContext, tls.createServer, (given) => tls.connect({ port: 1, ...given })]) {
        assert.throws(() => make(options), { code: 'ERR_CRYPTO_CUSTOM_ENGINE_NOT_SUPPORTED' });
      }
    }
    assert.throws(() => tls.createSecureContext({ privateKeyIdentifier: 'id', privateKeyEngine: 'e', key: pki.read('ec.key') }),
      { code: 'ERR_INVALID_ARG_VALUE' });
  });

  it('ECONNRESET before the handshake is done, with path, host, port and localAddress', async () => {
    const port = await listen(net.createServer((socket) => socket.end()));
    for (const module of [tls, nodeTls]) {
      const error = await closed(module.connect({ port, host: '127.0.0.1', localAddress: '127.0.0.1' }));
      const { message, code, path, host, localAddress } = error;
      assert.deepStrictEqual({ message, code, path, host, localAddress, port: error.port }, {
        message: 'Client network socket disconnected before secure TLS connection was established',
        code: 'ECONNRESET', path: undefined, host: '127.0.0.1', localAddress: '127.0.0.1', port,
      });
      assert.ok('path' in error);
    }
  });
});

describe('errors of certificates: code and text', () => {
  const self = c4tls.generateCertificate();
  for (const [code, pair, options] of [
    ['DEPTH_ZERO_SELF_SIGNED_CERT', () => self, {}],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', () => pki.pair('untrusted'), {}],
    ['UNABLE_TO_GET_ISSUER_CERT', () => pki.pair('deep'), { ca: () => pki.read('intermediate.pem') }],
    ['SELF_SIGNED_CERT_IN_CHAIN', () => ({ key: pki.read('ec.key'), cert: pki.read('ec.pem') + pki.ca }),
      { ca: () => pki.read('otherca.pem') }],
    ['CERT_HAS_EXPIRED', () => pki.pair('expired'), {}],
    ['INVALID_PURPOSE', () => pki.pair('client'), {}],
    ['UNABLE_TO_GET_CRL', () => pki.pair('untrusted'), { ca: () => pki.read('otherca.pem'), crl: () => pki.read('crl.pem') }],
    ['ERR_TLS_CERT_ALTNAME_INVALID', () => pki.pair('alpha'), {}],
  ]) {
    it(code, async () => {
      const { port } = await serve(nodeTls, pair());
      const given = Object.fromEntries(Object.entries(options).map(([name, value]) => [name, value()]));
      const errors = [];
      for (const module of [tls, nodeTls]) errors.push(await closed(dial(module, port, given)));
      assert.strictEqual(errors[0].code, code);
      assert.strictEqual(errors[1].code, code);
      // Newer versions of Node add what may help.
      assert.strictEqual(errors[0].message, errors[1].message.replace(/; if the root CA is installed locally.*/, ''));
    });
  }
});

describe('handshakes that fail: the codes of both sides', () => {
  for (const [title, server, client, different] of [
    ['no version in common', only('TLSv1.3'), only('TLSv1.2')],
    ['no version in common, the other way', only('TLSv1.2'), only('TLSv1.3')],
    ['no suite in common', { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' },
      { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }],
    ['no signature algorithm in common', { sigalgs: 'ECDSA+SHA256' }, { sigalgs: 'ECDSA+SHA512' }],
    ['no protocol in common', { ALPNProtocols: ['a'] }, { ALPNProtocols: ['b'] }, NODE < 20 && 'Node 18 goes on'],
    // Node closes without a word; c4tls refuses in the handshake.
    ['no certificate of the client', { requestCert: true, maxVersion: 'TLSv1.2' }, {}, 'Node is silent'],
  ]) {
    it(title, async () => {
      const mine = await failure(tls, server, client);
      for (const code of mine) assert.match(code, /^ERR_SSL_/);
      if (different) return;
      const theirs = await failure(nodeTls, server, client);
      // The same reason has had more than one name: OpenSSL 3.2 has found better ones.
      const plain = (codes) => codes.map((code) =>
        code.replace('NO_SHARED_SIGNATURE_ALGORITHMS', 'NO_SUITABLE_SIGNATURE_ALGORITHM'));
      assert.deepStrictEqual(plain(mine), plain(theirs));
    });
  }

  it('no version at all is an error of the client', async () => {
    const { port } = await serve(tls);
    const secureOptions = constants.SSL_OP_NO_TLSv1_2 | constants.SSL_OP_NO_TLSv1_3;
    for (const module of [tls, nodeTls]) {
      assert.strictEqual((await closed(dial(module, port, { secureOptions }))).code, 'ERR_SSL_NO_PROTOCOLS_AVAILABLE');
    }
  });

  it('bytes that are no TLS', async () => {
    for (const module of [tls, nodeTls]) {
      const { server, port } = await serve(module);
      const failed = event(server, 'tlsClientError');
      (await dialTcp(port)).on('error', () => {}).write('no TLS at all, but enough of it to be read as a record');
      // OpenSSL's word for it has changed with 3.2.
      assert.match((await failed)[0].code, /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/);
    }
  });
});

describe('certificates as objects', () => {
  for (const name of ['rsa', 'ec', 'deep']) {
    it(`${name}: the same as Node's`, async () => {
      const pair = name === 'deep' ? { key: pki.read('deep.key'), cert: pki.read('chain.pem') } : pki.pair(name);
      const clients = [];
      for (const module of [tls, nodeTls]) clients.push((await connectPair(module, module, { server: pair })));
      const [mine, theirs] = clients;
      for (const { socket } of clients) socket.on('error', () => {});
      assert.deepStrictEqual(mine.client.getPeerCertificate(), theirs.client.getPeerCertificate());
      assert.deepStrictEqual(mine.client.getPeerCertificate(true), theirs.client.getPeerCertificate(true));
      assert.deepStrictEqual(mine.socket.getCertificate(), theirs.socket.getCertificate());
      assert.deepStrictEqual(mine.socket.getPeerCertificate(), {});
      assert.deepStrictEqual(theirs.socket.getPeerCertificate(), {});
      const certificate = mine.client.getPeerCertificate();
      for (const key of ['subject', 'issuer']) assert.strictEqual(Object.getPrototypeOf(certificate[key]), null);
      assert.strictEqual(mine.socket.getX509Certificate().toString(), theirs.socket.getX509Certificate().toString());
      assert.strictEqual(mine.client.getPeerX509Certificate().toString(), new X509Certificate(pair.cert).toString());
      assert.strictEqual(mine.client.getX509Certificate(), undefined);
      for (const { client } of clients) {
        client.destroy();
        await closed(client);
        assert.strictEqual(client.getPeerCertificate(), null);
      }
    });
  }
});

describe('what connections tell', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    same(`${version}: cipher, key exchange and protocol`, {
      cipher: { 'TLSv1.2': 'ECDHE-ECDSA-AES128-GCM-SHA256', 'TLSv1.3': 'TLS_AES_128_GCM_SHA256' }[version],
      standardName: { 'TLSv1.2': 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'TLSv1.3': 'TLS_AES_128_GCM_SHA256' }[version],
      version, key: { type: 'ECDH', name: 'prime256v1', size: 256 }, protocol: version, alpn: 'b',
    }, async (module) => {
      const ciphers = 'TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256';
      const { client } = await connectPair(module, module, {
        server: { ciphers, ecdhCurve: 'P-256', ALPNProtocols: ['b'], ...only(version) },
        client: { ALPNProtocols: ['a', 'b'], ecdhCurve: 'P-256' },
      });
      const { name: cipher, standardName, version: cipherVersion } = client.getCipher();
      return {
        cipher, standardName, version: cipherVersion, key: client.getEphemeralKeyInfo(), protocol: client.getProtocol(),
        alpn: client.alpnProtocol,
      };
    });
  }

  same('Diffie-Hellman with parameters of a file', { type: 'DH', size: 2048 }, async (module) => {
    // 2048 bits of RFC 7919: nothing has to be searched for.
    const dhparam = execFileSync('openssl', ['genpkey', '-genparam', '-algorithm', 'DH', '-pkeyopt', 'group:ffdhe2048'],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 20_000 });
    const ciphers = 'DHE-RSA-AES128-GCM-SHA256';
    const { client } = await connectPair(module, module, {
      server: { ...pki.pair('rsa'), dhparam: dhparam.replace(/X9.42 /g, ''), ciphers, maxVersion: 'TLSv1.2' },
      client: { ciphers },
    });
    const { type, size } = client.getEphemeralKeyInfo();
    return { type, size };
  });

  same('setKeyCert on a server\'s socket, before the handshake', 'alpha.test', async (module) => {
    const port = await listen(net.createServer((raw) => {
      const socket = track(new module.TLSSocket(raw, { isServer: true, ...pki.pair('ec') }));
      socket.setKeyCert(pki.pair('alpha'));
    }));
    const client = await dialSecure(module, port, { servername: 'alpha.test' });
    return client.getPeerCertificate().subject.CN;
  }, 20);

  same('captureRejections ends the socket whose listener fails', 'listener failed', async (module) => {
    let ended;
    // net.Server heeds no option of that name.
    EventEmitter.captureRejections = true;
    const { server, port } = await serve(module, {}, async (socket) => {
      ended = closed(socket);
      throw new Error('listener failed');
    }).finally(() => {
      EventEmitter.captureRejections = false;
    });
    const accepted = event(server, 'secureConnection');
    dial(module, port).on('error', () => {});
    await accepted;
    return (await ended).message;
  });

  it('enableTrace tells the messages on stderr', async () => {
    const { client } = await connectPair(tls, tls);
    const { _rawDebug: debug } = process;
    const lines = [];
    process._rawDebug = (text) => lines.push(text);
    try {
      client.enableTrace();
      const gone = closed(client);
      client.end();
      await gone;
    } finally {
      process._rawDebug = debug;
    }
    if (!stock) assert.match(lines.join(''), /Alert|close.notify/i);
  });
});

describe('enableTrace() of an accepted socket', () => {
  it('tells the records that follow, however late it comes', async function() {
    betterThanNode(this);          // Node's tells more, but in C, past process._rawDebug
    const { client, socket } = await connectPair(tls, tls);
    socket.pipe(socket);
    assert.strictEqual(await echo(client), 'ping');
    const { _rawDebug: debug } = process;
    const lines = [];
    process._rawDebug = (text) => lines.push(text);
    try {
      socket.enableTrace();
      assert.strictEqual(await echo(client), 'ping');
      const gone = closed(socket);
      client.end();
      await gone;
    } finally {
      process._rawDebug = debug;
    }
    const told = lines.join('');
    assert.match(told, /Received Record: ApplicationData, TLS 1.2, 21 bytes\nSent Record: ApplicationData/);
    assert.match(told, /Received Alert: warning, close notify/);
    assert.doesNotMatch(told, /ping/);
  });
});

describe('values of the module are read when they are used', () => {
  for (const [name, value, seen] of [
    ['DEFAULT_MAX_VERSION', 'TLSv1.2', (client) => client.getProtocol()],
    ['DEFAULT_CIPHERS', 'TLS_AES_128_GCM_SHA256', (client) => client.getCipher().name],
    ['DEFAULT_ECDH_CURVE', 'P-384', (client) => client.getEphemeralKeyInfo().name],
  ]) {
    same(name, { 'P-384': 'secp384r1' }[value] ?? value, async (module) => {
      const before = module[name];
      module[name] = value;
      try {
        const { client } = await connectPair(module, module);
        return seen(client);
      } finally {
        module[name] = before;
      }
    });
  }

  same('rootCertificates cannot be assigned', 'TypeError', (module) => {
    try {
      module.rootCertificates = [];
    } catch (error) {
      return error.name;
    }
    return 'assigned';
  });
});

describe('an IP address as servername', () => {
  it('is a warning, and from Node 25 on an error', async () => {
    const { port } = await serve(tls);
    const options = { port, host: '127.0.0.1', ca: pki.ca, servername: '127.0.0.1' };
    if (NODE >= 25) {
      for (const module of [tls, nodeTls]) {
        assert.strictEqual(thrown(() => module.connect(options)), 'ERR_INVALID_ARG_VALUE');
      }
      return;
    }
    // Each module warns once in a process; here it may have done so before.
    const client = track(tls.connect(options));
    await event(client, 'secureConnect');
    assert.strictEqual(client.authorized, true);
  });
});

describe('keepAlive of tls.connect', () => {
  it('starts the probes of the system', async function() {
    if (!fs.existsSync('/proc/net/tcp')) this.skip();
    if (stock && NODE < 25) this.skip();
    const { port } = await serve(tls);
    for (const keepAlive of [true, false]) {
      const client = await dialSecure(tls, port, { keepAlive, keepAliveInitialDelay: 60_000 });
      // Both ports: another connection may have had this local port a minute ago.
      const [local, remote] = [client.localPort, port]
        .map((number) => `0100007F:${number.toString(16).toUpperCase().padStart(4, '0')}`);
      // The timer that runs: 01 until everything is acknowledged, 02 is keep-alive's.
      let timer;
      await until(() => {
        const lines = fs.readFileSync('/proc/net/tcp', 'utf8').split('\n');
        const line = lines.find((one) => one.includes(` ${local} ${remote} `));
        // The system goes through a changing table, and may miss one.
        timer = line?.trim().split(/\s+/)[5].slice(0, 2);
        return timer !== undefined && timer !== '01';
      }, 8_000, 'the acknowledgement');
      assert.strictEqual(timer === '02', keepAlive, timer);
    }
  });
});
