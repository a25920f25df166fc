'use strict';

// SSLEnabledCipherSuites: every documented name, with a client that offers everything.

const assert = require('assert');
const { once } = require('events');
const tls = require('tls');
const { Certificate, CertStoreTypes, SSLServer } = require('../../ipworks');
const { choose } = require('../../lib/ipworks/cipher-suites');
const { track } = require('../support/cleanup');
const { failsWith, listening } = require('../support/ipworks');
const pki = require('../support/pki');
const { rowsOf } = require('../support/rows');

const SUITES = rowsOf('SSL-CS').map(({ item, ...row }) => ({ ...row, name: item.split(' ')[0] }));
const USABLE = SUITES.filter(({ refused }) => !refused).map(({ name }) => name);
const isTls13 = (name) => !name.includes('_WITH_');

// TLS 1.2 and 1.3.
const BOTH = 'SSLEnabledProtocols=15360';

/** Of clients that offer all that they have, and look at no certificate. */
const ANYTHING = { rejectUnauthorized: false, ciphers: 'ALL:@SECLEVEL=0' };

/** By the end of a name in front of _WITH_: whose certificate signs, or decrypts. */
const keyOf = (name) => (/_(ECDSA|DSS)_WITH_/.exec(name)?.[1] ?? 'RSA').toLowerCase();

function certificateFor(kind) {
  const name = { rsa: 'rsa', ecdsa: 'ec', dss: 'suites-dsa' }[kind];
  return new Certificate(CertStoreTypes.cstPEMKeyBlob, pki.read(`${name}.key`) + pki.read(`${name}.pem`), '', '*');
}

function makeDsa() {
  pki.openssl('genpkey', '-genparam', '-algorithm', 'DSA', '-pkeyopt', 'pbits:2048', '-pkeyopt', 'qbits:256',
    '-out', 'suites-dsa.params');
  pki.openssl('genpkey', '-paramfile', pki.path('suites-dsa.params'), '-out', 'suites-dsa.key');
  pki.openssl('req', '-x509', '-new', '-sha256', '-key', 'suites-dsa.key', '-subj', '/CN=localhost', '-days', '3',
    '-out', 'suites-dsa.pem');
}

/** The suite that a client gets; or its error's code. */
async function negotiate(port, options) {
  const client = track(tls.connect({ port, host: '127.0.0.1', ...ANYTHING, ...options }));
  try {
    await once(client, 'secureConnect');
    return client.getCipher().standardName;
  } catch (error) {
    return error.code;
  } finally {
    client.destroy();
  }
}

describe('cipher suites', () => {
  before(makeDsa);

  for (const { id, name, refused } of SUITES) {
    if (refused) {
      it(`${id}: ${name} is refused with the reason`, async () => {
        const server = new SSLServer();
        await failsWith(270, server.config(`SSLEnabledCipherSuites=${name}`),
          /without authentication|not part of OpenSSL any more|built without this cipher/);
        assert.strictEqual(await server.config('SSLEnabledCipherSuites'), '*');
      });
      continue;
    }

    it(`${id}: ${name} alone is what is spoken`, async () => {
      const recorded = await listening((server) => server.setSSLCert(certificateFor(keyOf(name))), {
        settings: [isTls13(name) ? 'SSLEnabledProtocols=12288' : 'SSLEnabledProtocols=3072', `SSLEnabledCipherSuites=${name}`],
      });
      const { client, id: connectionId } = await recorded.connect(ANYTHING);
      assert.strictEqual(client.getCipher().standardName, name);
      assert.strictEqual(await recorded.server.config(`SSLNegotiatedCipherSuite[${connectionId}]`), name);
    });
  }

  it('a name in small letters is the same; one that is none is not', async () => {
    const server = new SSLServer();
    await server.config('SSLEnabledCipherSuites= tls_rsa_with_aes_128_cbc_sha ; TLS_AES_128_GCM_SHA256;');
    await failsWith(270, server.config('SSLEnabledCipherSuites=TLS_RSA_WITH_NONSENSE'), /NONSENSE: no such cipher suite/);
  });

  it('a client without the suite is turned away', async () => {
    const recorded = await listening(() => {}, { settings: ['SSLEnabledCipherSuites=TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'] });
    assert.match(await negotiate(recorded.port, { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }), /HANDSHAKE_FAILURE/);
    const { statusCode } = await recorded.first('Connected');
    assert.strictEqual(statusCode, 276);
  });

  it('SSL-C-22, SSL-C-24: `*` is everything that is no refusal', async () => {
    const { tls12, tls13, problem } = choose('*', 0);
    assert.deepStrictEqual([tls12.length + tls13.length, problem], [USABLE.length, null]);
    const recorded = await listening(() => {}, { settings: [BOTH] });
    assert.strictEqual(await negotiate(recorded.port, { maxVersion: 'TLSv1.2' }), 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384');
    assert.strictEqual(await negotiate(recorded.port), 'TLS_AES_256_GCM_SHA384');
  });

  it('SSL-C-20: SSLCipherStrength leaves the stronger ones, and none is error 270', async () => {
    const recorded = await listening(() => {}, { settings: ['SSLCipherStrength=256'] });
    assert.match(await negotiate(recorded.port), /_AES_256_/);
    assert.match(await negotiate(recorded.port, { ciphers: 'AES128', maxVersion: 'TLSv1.2' }), /HANDSHAKE_FAILURE/);
    await recorded.server.stopListening();
    await recorded.server.config('SSLCipherStrength=257');
    await failsWith(270, recorded.server.startListening(), /SSLCipherStrength/);
  });
});

/** What the documents' words for an identifier choose. */
const CHOSEN = [
  [/^all AES suites$/, /_AES_/],
  [/^AES-128 suites$/, /_AES_128_/],
  [/^AES-256 suites$/, /_AES_256_/],
  [/^DHE suites$/, /^TLS_DHE_/],
  [/^ECDHE suites$/, /^TLS_ECDHE_/],
  [/^ECDSA-signed suites$/, /_ECDSA_/],
  [/^RSA key exchange suites$/, /^TLS_RSA_/],
  [/^RSA-signed suites$/, /_RSA_/],
  [/^suites with SHA1$/, /_SHA$/],
  [/^suites with SHA256$/, /_SHA256$/],
  [/^suites with SHA384$/, /_SHA384$/],
  [/no TLS suite|refused/, /^never/],
];

describe('Schannel\'s identifiers', () => {
  const openssl = new Map(USABLE.filter((name) => !isTls13(name)).map((name) => [name, choose(name, 0).tls12[0]]));

  for (const { id, item: name, chooses } of rowsOf('SSL-CALG')) {
    const [, pattern] = CHOSEN.find(([words]) => words.test(chooses));
    const expected = [...openssl.keys()].filter((suite) => pattern.test(suite));

    it(`${id}: ${name} chooses ${expected.length === 0 ? 'nothing' : pattern}`, async () => {
      const { tls12, problem } = choose(name, 0);
      assert.deepStrictEqual([tls12.sort(), problem], [expected.map((suite) => openssl.get(suite)).sort(), null]);
      const server = new SSLServer();
      assert.strictEqual(await server.config(`SSLEnabledCipherSuites=${name}`), name);
      server.setSSLCert(certificateFor('ecdsa'));
      server.setLocalHost('127.0.0.1');
      if (expected.length === 0) {
        await failsWith(270, server.startListening(), /leave no cipher suite/);
        await server.config(`SSLEnabledCipherSuites=${name};CALG_ECDSA`);
      }
      await server.startListening();
      await server.shutdown();
    });
  }

  it('one together with names of suites', async () => {
    const recorded = await listening(() => {}, {
      certificate: 'rsa',
      settings: ['SSLEnabledCipherSuites=CALG_RSA_KEYX;CALG_DES;TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA'],
    });
    assert.strictEqual(await negotiate(recorded.port, { ciphers: 'kDHE:kECDHE:@SECLEVEL=0' }), 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA');
    assert.match(await negotiate(recorded.port, { ciphers: 'kRSA:@SECLEVEL=0' }), /^TLS_RSA_/);
  });
});
