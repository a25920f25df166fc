'use strict';

// createSecureContext and the options that servers and clients take: what is accepted, and the error for what is not.

const assert = require('assert');
const crypto = require('crypto');
const pki = require('../support/pki');
const { subject: tls, betterThanNode } = require('../support/subject');
const { connectPair, dialSecure, serve } = require('../support/net');

/** The server certificate's common name, as a client sees a server made with `options`. */
async function served(options) {
  const { port } = await serve(tls, { key: undefined, cert: undefined, ...options });
  return (await dialSecure(require('tls'), port)).getPeerCertificate();
}

describe('createSecureContext accepts', () => {
  for (const [title, options] of [
    ['PEM text', () => pki.pair('rsa')],
    ['PEM in Buffers', () => ({ key: Buffer.from(pki.read('rsa.key')), cert: Buffer.from(pki.read('rsa.pem')) })],
    ['PEM in other views', () => ({
      key: new Uint8Array(Buffer.from(pki.read('rsa.key'))),
      cert: new DataView(new Uint8Array(Buffer.from(pki.read('rsa.pem'))).buffer),
    })],
    ['an encrypted PKCS#8 key', () => (
      { key: pki.read('rsa-encrypted.key'), passphrase: pki.PASSPHRASE, cert: pki.read('rsa.pem') })],
    ['an encrypted traditional key', () => (
      { key: pki.read('rsa-encrypted-old.key'), passphrase: pki.PASSPHRASE, cert: pki.read('rsa.pem') })],
    ['a key object with its own passphrase', () => (
      { key: [{ pem: pki.read('rsa-encrypted.key'), passphrase: pki.PASSPHRASE }], cert: [pki.read('rsa.pem')] })],
    ['PKCS#12', () => ({ pfx: pki.read('ec.pfx'), passphrase: pki.PASSPHRASE })],
    ['PKCS#12 without passphrase', () => ({ pfx: pki.read('ec-open.pfx') })],
    ['an array of PKCS#12', () => ({ pfx: [{ buf: pki.read('ec.pfx'), passphrase: pki.PASSPHRASE }] })],
  ]) {
    it(title, async () => {
      assert.strictEqual((await served(options())).subject.CN, 'localhost');
    });
  }

  it('an old RC2-40 PKCS#12, with legacyPfx alone', async function () {
    betterThanNode(this);
    const options = { pfx: pki.read('ec-legacy.pfx'), passphrase: pki.PASSPHRASE };
    assert.strictEqual((await served({ ...options, legacyPfx: true })).subject.CN, 'localhost');
    for (const legacyPfx of [undefined, false]) {
      assert.throws(() => tls.createSecureContext({ ...options, legacyPfx }),
                    { code: 'ERR_CRYPTO_UNSUPPORTED_OPERATION', message: 'Unsupported PKCS12 PFX data' });
    }
    assert.throws(() => tls.createSecureContext({ ...options, legacyPfx: 1 }), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('several pairs, of which the client\'s algorithms choose', async () => {
    const { port } = await serve(tls, {
      key: [pki.read('rsa.key'), pki.read('ec.key')], cert: [pki.read('rsa.pem'), pki.read('ec.pem')], maxVersion: 'TLSv1.2',
    });
    for (const [ciphers, bits] of [['ECDHE-RSA-AES128-GCM-SHA256', 2048], ['ECDHE-ECDSA-AES128-GCM-SHA256', 256]]) {
      const client = await dialSecure(require('tls'), port, { ciphers });
      assert.strictEqual(client.getPeerCertificate().bits, bits);
    }
  });

  it('a context that is used again and again', async () => {
    const secureContext = tls.createSecureContext(pki.pair('ec'));
    for (let i = 0; i < 2; i++) {
      const { server, port } = await serve(tls, { key: undefined, cert: undefined });
      server.addContext('localhost', secureContext);
      await dialSecure(tls, port, { secureContext: tls.createSecureContext({ ca: pki.ca }) });
    }
  });

  it('all DH, curve, signature and option settings', async () => {
    const { client } = await connectPair(tls, require('tls'), {
      server: {
        ...pki.pair('rsa'), dhparam: 'auto', ciphers: 'DHE-RSA-AES128-GCM-SHA256', maxVersion: 'TLSv1.2',
        secureOptions: crypto.constants.SSL_OP_CIPHER_SERVER_PREFERENCE, sigalgs: 'RSA-PSS+SHA256:RSA+SHA256',
      },
      client: { ciphers: 'DHE-RSA-AES128-GCM-SHA256' },
    });
    assert.strictEqual(client.getCipher().name, 'DHE-RSA-AES128-GCM-SHA256');
    assert.strictEqual(client.getEphemeralKeyInfo().type, 'DH');
  });

  it('ca given several times, as an array and as one text', async () => {
    for (const ca of [[pki.read('otherca.pem'), pki.ca], pki.read('otherca.pem') + pki.ca]) {
      const { port } = await serve(tls);
      assert.strictEqual((await dialSecure(tls, port, { ca })).authorized, true);
    }
  });

  it('ca replaces the default roots', async () => {
    const { port } = await serve(require('tls'));
    const client = tls.connect({ port, host: '127.0.0.1', servername: 'localhost' });
    const [error] = await require('events').once(client, 'error');
    assert.strictEqual(error.code, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });
});

describe('createSecureContext throws at once', () => {
  for (const name of ['key', 'cert', 'ca', 'pfx', 'crl']) {
    // Node's native side finds the wrong type of a pfx, and says so in its own way.
    const code = name === 'pfx' ? /^ERR_(INVALID_ARG_TYPE|CRYPTO_OPERATION_FAILED)$/ : 'ERR_INVALID_ARG_TYPE';
    for (const value of [true, 1, {}, [1], () => {}]) {
      it(`for ${name}: ${JSON.stringify(value) ?? 'a function'}`, () => {
        assert.throws(() => tls.createSecureContext({ ...pki.pair('rsa'), [name]: value }),
          { code });
      });
    }
  }

  for (const [title, options, expected, exception] of [
    ['ciphers of the wrong type', () => ({ ciphers: 1 }), { code: 'ERR_INVALID_ARG_TYPE' }],
    ['an unknown cipher', () => ({ ciphers: 'no-such-cipher' }), { code: 'ERR_SSL_NO_CIPHER_MATCH' }],
    ['passphrase of the wrong type', () => ({ passphrase: 1 }), { code: 'ERR_INVALID_ARG_TYPE' }],
    ['an unknown curve', () => ({ ecdhCurve: 'no-such-curve' }), { code: 'ERR_CRYPTO_OPERATION_FAILED' }],
    ['ecdhCurve of the wrong type', () => ({ ecdhCurve: 1 }), { code: 'ERR_INVALID_ARG_TYPE' }],
    ['sigalgs of the wrong type', () => ({ sigalgs: 1 }), { code: 'ERR_INVALID_ARG_TYPE' }],
    ['empty sigalgs', () => ({ sigalgs: '' }), { code: 'ERR_INVALID_ARG_VALUE' }],
    ['an unknown version', () => ({ minVersion: 'TLSv9' }), { code: 'ERR_TLS_INVALID_PROTOCOL_VERSION' }],
    ['version and method together', () => ({ minVersion: 'TLSv1.2', secureProtocol: 'TLSv1_2_method' }),
      { code: 'ERR_TLS_PROTOCOL_VERSION_CONFLICT' }],
    ['an unknown method', () => ({ secureProtocol: 'blargh' }), { code: 'ERR_TLS_INVALID_PROTOCOL_METHOD' }],
    ['SSLv2', () => ({ secureProtocol: 'SSLv2_method' }), { code: 'ERR_TLS_INVALID_PROTOCOL_METHOD' }],
    ['SSLv3', () => ({ secureProtocol: 'SSLv3_method' }), { code: 'ERR_TLS_INVALID_PROTOCOL_METHOD' }],
    ['secureOptions of the wrong type', () => ({ secureOptions: 'x' }), { code: 'ERR_INVALID_ARG_TYPE' }, 'not by createServer'],
    ['a key that is no PEM', () => ({ key: 'not a key' }), /PEM|DECODER|no start line|unsupported/i],
    ['a certificate that is no PEM', () => ({ cert: 'not a certificate' }), /PEM|no start line/i],
    ['a key of another certificate', () => ({ key: pki.read('client-rsa.key') }), { code: 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' }],
    ['a wrong passphrase', () => ({ key: pki.read('rsa-encrypted.key'), passphrase: 'wrong' }), /bad decrypt|BAD_DECRYPT/i],
    ['a missing passphrase', () => ({ key: pki.read('rsa-encrypted.key') }), /bad decrypt/],
    ['a wrong passphrase of PKCS#12', () => ({ pfx: pki.read('ec.pfx'), passphrase: 'wrong' }), /mac verify failure/],
    ['PKCS#12 that is none', () => ({ pfx: Buffer.from('nonsense') }), /not enough data|wrong tag|asn1/i],
    ['a CRL that is none', () => ({ crl: 'nonsense' }), { message: /CRL/ }],
    ['a DH group that is too small', () => ({ dhparam: smallDh() }), /DH parameter is less than 1024 bits/],
  ]) {
    it(`for ${title}`, () => {
      assert.throws(() => tls.createSecureContext({ ...pki.pair('rsa'), ...options() }), expected);
      if (!exception) assert.throws(() => tls.createServer({ ...pki.pair('rsa'), ...options() }), expected, 'createServer');
      assert.throws(() => tls.connect({ port: 1, ...pki.pair('rsa'), ...options() }), expected, 'connect');
    });
  }

  it('no secret shows in an error', () => {
    for (const options of [
      { key: pki.read('rsa-encrypted.key'), passphrase: 'hunter2-wrong' },
      { pfx: pki.read('ec.pfx'), passphrase: 'hunter2-wrong' },
    ]) {
      try {
        tls.createSecureContext(options);
        assert.fail('should have thrown');
      } catch (error) {
        assert.doesNotMatch(require('util').inspect(error, { showHidden: true, depth: 5 }), /hunter2/);
      }
    }
  });
});

/** A 512-bit DH group in PEM, which nobody may use. */
function smallDh() {
  return require('child_process').execFileSync('openssl', ['dhparam', '-dsaparam', '512'],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 20_000 });
}

describe('server options of the wrong type', () => {
  for (const [name, values, code] of [
    ['handshakeTimeout', ['x', true], 'ERR_INVALID_ARG_TYPE'],
    ['SNICallback', ['x', 1, {}], 'ERR_INVALID_ARG_TYPE'],
    ['ALPNCallback', ['x', 1], 'ERR_INVALID_ARG_TYPE'],
  ]) {
    for (const value of values) {
      it(`${name}: ${JSON.stringify(value)}`, () => {
        assert.throws(() => {
          const server = tls.createServer({ ...pki.pair('ec'), [name]: value });
          // Node looks at some of these only when it needs them.
          server.emit('connection', new (require('net').Socket)());
        }, { code });
      });
    }
  }

  it('options must be an object', () => {
    for (const bad of ['x', 1, true]) {
      assert.throws(() => tls.createServer(bad), { code: 'ERR_INVALID_ARG_TYPE' });
    }
  });

  it('ALPNProtocols and ALPNCallback exclude each other', () => {
    assert.throws(() => tls.createServer({ ALPNProtocols: ['h2'], ALPNCallback: () => {} }),
      { code: 'ERR_TLS_ALPN_CALLBACK_WITH_PROTOCOLS' });
  });

  it('addContext needs a name', () => {
    assert.throws(() => tls.createServer().addContext('', {}), { code: 'ERR_TLS_REQUIRED_SERVER_NAME' });
  });

  it('setSecureContext checks its options', () => {
    assert.throws(() => tls.createServer().setSecureContext('x'), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => tls.createServer().setSecureContext({ ciphers: 'nonsense' }), { code: 'ERR_SSL_NO_CIPHER_MATCH' });
  });
});
