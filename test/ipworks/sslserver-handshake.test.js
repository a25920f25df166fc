'use strict';

// SSLServer's questions: whether to accept a client, which certificate to show it, what to think of its own.

const assert = require('assert');
const { X509Certificate } = require('crypto');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { CertStoreTypes } = require('../../ipworks');
const { tlsParams } = require('../../lib/ipworks/configuration');
const { ContextCache } = require('../../lib/ipworks/context-cache');
const { Recorded, certificateOf, dial, failsWith, listening } = require('../support/ipworks');
const { closed, event, readBytes } = require('../support/net');
const pki = require('../support/pki');
const { until } = require('../support/time');

const PATIENCE = 6_000;

/** What is waited for by a handler that does not answer. */
function never() {
  return new Promise(() => {});
}

/** A server that asks for client certificates, and what SSLClientAuthentication told. */
async function asking(answer, { settings = [`SSLClientCACerts=${pki.ca}`], versions = 15360, listen = true } = {}) {
  const asked = [];
  const recorded = await listening((server) => {
    server.setSSLAuthenticateClients(true);
    if (listen) {
      server.on('SSLClientAuthentication', (e) => {
        asked.push({ ...e });
        return answer?.(e);
      });
    }
  }, { settings: [`SSLEnabledProtocols=${versions}`, ...settings] });
  return { recorded, asked };
}

/** How a client with a certificate fares: the number of Connected. */
async function fares(recorded, leaf, options = {}) {
  const before = recorded.of('Connected').length;
  const client = dial(recorded.port, { ...(leaf && pki.pair(leaf)), ...options });
  const ended = closed(client);
  const { statusCode, description } = await recorded.first('Connected', before);
  if (statusCode === 0) client.resume().end();
  await ended;
  return [statusCode, description];
}

describe('SSLServer, handshakes', () => {
  it('SSL-G-08: events come in their order', async () => {
    const names = [];
    const recorded = await listening((server) => {
      server.setSSLAuthenticateClients(true);
      server.setDefaultEOL('\n');
      for (const name of ['ConnectionRequest', 'SSLConnectionRequest', 'SSLStatus', 'SSLClientAuthentication', 'Connected',
        'ReadyToSend', 'DataIn', 'Disconnected']) {
        server.on(name, (e) => {
          if (names.at(-1) !== name || name === 'DataIn') names.push(name);
          if (name === 'SSLClientAuthentication') e.accept = true;
        });
      }
    }, { settings: ['LogSSLPackets=True'] });
    const { client } = await recorded.connect();
    client.end('1\n2\n');
    await recorded.first('Disconnected');
    const plain = names.filter((name) => name !== 'SSLStatus');
    assert.deepStrictEqual(plain, ['ConnectionRequest', 'SSLConnectionRequest', 'SSLClientAuthentication', 'Connected',
      'ReadyToSend', 'DataIn', 'DataIn', 'Disconnected']);
    assert.ok(names.indexOf('SSLStatus') < names.indexOf('Connected'));
  });

  describe('ConnectionRequest', () => {
    it('SSL-E-05 to 08: who comes, and a refusal, after which nothing is told', async () => {
      const seen = [];
      const recorded = await listening((server) => server.on('ConnectionRequest', (e) => {
        seen.push({ ...e });
        e.accept = seen.length > 1;
      }));
      const refused = dial(recorded.port);
      await event(refused, 'connect');
      const port = refused.localPort;
      await closed(refused);
      const { client } = await recorded.connect();
      assert.deepStrictEqual(seen, [
        { address: '127.0.0.1', port, accept: true }, { address: '127.0.0.1', port: client.localPort, accept: true },
      ]);
      assert.deepStrictEqual(recorded.events.map(([name]) => name).filter((name) => name !== 'SSLStatus').slice(0, 1),
        ['Connected']);
      assert.deepStrictEqual([recorded.of('Connected').length, recorded.of('Disconnected').length], [1, 0]);
    });

    it('SSL-E-08, D-30: a promise is waited for, and what is no answer is a refusal', async () => {
      const answers = [
        (e) => Promise.resolve().then(() => { e.accept = false; }),
        (e) => Promise.resolve().then(() => { e.accept = true; }),
        (e) => { e.accept = 1; },
      ];
      const recorded = await listening((server) => server.on('ConnectionRequest', (e) => answers.shift()(e)));
      await closed(dial(recorded.port));
      await recorded.connect();
      await closed(dial(recorded.port));
      assert.strictEqual(recorded.of('Connected').length, 1);
    });

    it('SSL-E-08: a handler that does not answer costs its own client only, and that one in the end', async () => {
      let first = true;
      const recorded = await listening((server) => server.on('ConnectionRequest', () => {
        const mine = first;
        first = false;
        return mine ? never() : undefined;
      }), { settings: ['DefaultConnectionTimeout=1'] });
      const stalled = dial(recorded.port);
      await event(stalled, 'connect');
      await until(() => !first, PATIENCE, 'the request');
      await recorded.connect();
      await closed(stalled);
      assert.strictEqual(recorded.of('Connected').length, 1);
    });

    it('listeners may come and go while it listens', async () => {
      const recorded = await listening();
      await recorded.connect();
      const refuse = (e) => { e.accept = false; };
      recorded.server.on('ConnectionRequest', refuse);
      await closed(dial(recorded.port));
      recorded.server.off('ConnectionRequest', refuse);
      await recorded.connect();
      recorded.server.once('ConnectionRequest', refuse);
      await closed(dial(recorded.port));
      await recorded.connect();
      assert.strictEqual(recorded.of('Connected').length, 3);
    });
  });

  describe('SSLConnectionRequest', () => {
    const keyOf = (client) => new X509Certificate(client.getPeerCertificate().raw).publicKey.asymmetricKeyType;

    it('SSL-E-32 to 39: RSA or ECDSA, by what the client can', async () => {
      const seen = [];
      const recorded = await listening((server) => server.on('SSLConnectionRequest', (e) => {
        seen.push({ ...e });
        if (e.supportedCipherSuites.includes('_ECDSA_')) return;
        e.certStoreType = CertStoreTypes.cstPEMKeyBlob;
        e.certStore = pki.read('rsa.key') + pki.read('rsa.pem');
        e.certSubject = '*';
      }));
      const offer = (ciphers) => ({ ciphers, maxVersion: 'TLSv1.2', sigalgs: 'ecdsa_secp256r1_sha256:RSA+SHA256' });
      const both = await recorded.connect(offer('ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384'));
      const rsa = await recorded.connect(offer('ECDHE-RSA-AES256-GCM-SHA384'));
      assert.deepStrictEqual([keyOf(both.client), keyOf(rsa.client)], ['ec', 'rsa']);
      assert.deepStrictEqual([both.client, rsa.client].map((client) => client.getCipher().standardName),
        ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384']);
      const { connectionId, supportedCipherSuites, supportedSignatureAlgs, ...answers } = seen[0];
      assert.strictEqual(connectionId, both.id);
      assert.deepStrictEqual(answers, { certStoreType: 0, certStore: '', certPassword: '', certSubject: '' });
      assert.deepStrictEqual(supportedCipherSuites.split(',').filter((name) => !name.includes('SCSV')),
        ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384']);
      assert.strictEqual(supportedSignatureAlgs, 'ecdsa_secp256r1_sha256,rsa_pkcs1_sha256');
    });

    it('SSL-E-36 to 39: a PFX file with a password, by a promise, and in TLS 1.3', async () => {
      const recorded = await listening((server) => server.on('SSLConnectionRequest', async (e) => {
        await null;
        e.certStoreType = CertStoreTypes.cstPFXFile;
        e.certStore = pki.path('ec.pfx');
        e.certPassword = pki.PASSPHRASE;
      }), { certificate: 'rsa', settings: ['SSLEnabledProtocols=12288'] });
      const { client } = await recorded.connect();
      assert.deepStrictEqual([keyOf(client), client.getProtocol()], ['ec', 'TLSv1.3']);
    });

    it('SSL-E-36 to 39: a certificate that is named again is another one when its store or a setting has changed', async () => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-store-'));
      try {
        const certStore = path.join(folder, 'store.pem');
        const store = (leaf) => fs.writeFileSync(certStore, pki.read(`${leaf}.key`) + pki.read(`${leaf}.pem`));
        const recorded = await listening((server) => server.on('SSLConnectionRequest', (e) => {
          Object.assign(e, { certStoreType: CertStoreTypes.cstPEMKeyFile, certStore });
        }));
        for (const leaf of ['rsa', 'rsa', 'ec']) {
          store(leaf);
          assert.strictEqual(keyOf((await recorded.connect()).client), leaf);
        }
        const suite = 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256';
        await recorded.server.config(`SSLEnabledCipherSuites=${suite}`);
        assert.strictEqual((await recorded.connect()).client.getCipher().standardName, suite);
        fs.rmSync(certStore);
        await recorded.connect();
        assert.deepStrictEqual(recorded.of('Error').map((e) => e.errorCode), [271]);
      } finally {
        fs.rmSync(folder, { recursive: true });
      }
    });

    it('SSL-E-36 to 39: a store is opened once for many clients, as long as all that is named is the same', () => {
      const { cstPEMKeyBlob, cstPFXBlob, cstPEMKeyFile, cstAuto } = CertStoreTypes;
      const cache = new ContextCache();
      let opened = 0;
      const opens = (...named) => {
        const before = opened;
        cache.get(...named, () => ++opened);
        return opened > before;
      };
      assert.deepStrictEqual([
        opens(cstPEMKeyBlob, 'store', 'password', '*'),
        opens(cstPEMKeyBlob, 'store', 'password', '*'),
        opens(cstPEMKeyBlob, Buffer.from('store'), 'password', '*'),
        opens(cstPEMKeyBlob, Buffer.from('store'), 'password', '*'),
        opens(cstPFXBlob, 'store', 'password', '*'),
        opens(cstPEMKeyBlob, 'storep', 'assword', '*'),
        opens(cstPEMKeyBlob, 'store', 'password', 'CN=a'),
        opens(cstPEMKeyFile, __filename, '', '*'),
        opens(cstPEMKeyFile, __filename, '', '*'),
        // What it is cannot be told.
        opens(cstAuto, 'store', '', '*'), opens(cstAuto, 'store', '', '*'),
        opens(cstPEMKeyFile, `${__filename}.none`, '', '*'), opens(cstPEMKeyFile, `${__filename}.none`, '', '*'),
      ], [true, false, true, false, true, true, true, true, false, true, true, true, true]);
      // The 64 that were used last are kept.
      for (let i = 0; i < 63; i++) opens(cstPEMKeyBlob, `store ${i}`, '', '*');
      assert.strictEqual(opens(cstPEMKeyFile, __filename, '', '*'), false);
      assert.strictEqual(opens(cstPEMKeyBlob, 'store', 'password', '*'), true);
      cache.clear();
      assert.strictEqual(opens(cstPEMKeyFile, __filename, '', '*'), true);
      assert.throws(() => cache.get(cstPEMKeyBlob, 'other', '', '*', () => { throw new Error('closed'); }), /closed/);
      assert.strictEqual(opens(cstPEMKeyBlob, 'other', '', '*'), true);
    });

    it('SSL-E-38: a password that is wrong once is wrong, although another one was right', async () => {
      const passwords = [pki.PASSPHRASE, 'wrong', pki.PASSPHRASE];
      const recorded = await listening((server) => server.on('SSLConnectionRequest', (e) => {
        e.certStoreType = CertStoreTypes.cstPFXBlob;
        e.certStore = fs.readFileSync(pki.path('ec.pfx'));
        e.certPassword = passwords.shift();
      }), { certificate: 'rsa' });
      for (const kind of ['ec', 'rsa', 'ec']) assert.strictEqual(keyOf((await recorded.connect()).client), kind);
      assert.deepStrictEqual(recorded.of('Error').map((e) => e.errorCode), [271]);
    });

    it('SSL-E-37: a store that does not open is an Error, and SSLCert is shown', async () => {
      const stores = [
        { certStoreType: CertStoreTypes.cstPFXFile, certStore: pki.path('ec.pfx'), certPassword: 'wrong' },
        { certStoreType: CertStoreTypes.cstPFXFile, certStore: path.join(pki.path('ec.pfx'), 'no') },
        { certStoreType: CertStoreTypes.cstPEMKeyBlob, certStore: pki.read('rsa.key') + pki.read('rsa.pem'), certSubject: 'no' },
        { certStoreType: CertStoreTypes.cstPublicKeyBlob, certStore: pki.read('rsa.pem') },
        { certStoreType: 77, certStore: 'x' }, { certStore: 5 },
      ];
      const recorded = await listening((server) => server.on('SSLConnectionRequest', (e) => Object.assign(e, stores.shift())));
      for (const code of [271, 271, 272, 272, 10022, 0]) {
        const before = recorded.of('Error').length;
        const { client, id } = await recorded.connect();
        assert.strictEqual(keyOf(client), 'ec');
        const errors = recorded.of('Error').slice(before);
        assert.deepStrictEqual(errors.map((e) => [e.connectionId, e.errorCode]), code === 0 ? [] : [[id, code]]);
      }
    });

    it('SSL-E-32: a handler that does not answer costs its own client only', async () => {
      let first = true;
      const recorded = await listening((server) => server.on('SSLConnectionRequest', () => {
        const mine = first;
        first = false;
        return mine ? never() : undefined;
      }), { settings: ['DefaultConnectionTimeout=1'] });
      const stalled = dial(recorded.port);
      await until(() => !first, PATIENCE, 'the question');
      await recorded.connect();
      await closed(stalled);
      await recorded.until(() => recorded.of('Connected').some((e) => e.statusCode !== 0), 'the failure');
    });
  });

  describe('SSLClientAuthentication', () => {
    for (const [versions, name] of [[3072, 'TLSv1.2'], [12288, 'TLSv1.3']]) {
      it(`SSL-P-13, SSL-E-24 to 31, SSL-C-21: a good certificate, a bad one, and none, ${name}`, async () => {
        const { recorded, asked } = await asking(undefined, { versions });
        assert.deepStrictEqual(await fares(recorded, 'client'), [0, 'OK']);
        const [status] = await fares(recorded, 'client-untrusted');
        assert.strictEqual(status, 280);
        assert.strictEqual((await fares(recorded, null))[0], 281);
        const [good, bad, none] = asked;
        const { connectionId, certEncodedB, ...rest } = good;
        assert.strictEqual(connectionId, recorded.of('Connected')[0].connectionId);
        assert.strictEqual(Buffer.from(certEncodedB).toString(), rest.certEncoded);
        assert.deepStrictEqual(rest, {
          certEncoded: new X509Certificate(pki.read('client.pem')).toString(), certSubject: 'CN=good client',
          certIssuer: 'CN=c4tls test CA', status: 'OK', accept: true,
        });
        assert.strictEqual(bad.accept, false);
        assert.match(bad.status, /issuer|certificate/i);
        assert.strictEqual(bad.certSubject, 'CN=untrusted client');
        assert.deepStrictEqual(
          [none.certEncoded, none.certEncodedB.length, none.certSubject, none.certIssuer, none.accept],
          ['', 0, '', '', false]);
        assert.notStrictEqual(none.status, 'OK');
        assert.strictEqual(recorded.of('Disconnected').filter((e) => e.statusCode !== 0).length, 0);
      });

      it(`SSL-E-31, D-30: the program has the last word, also by a promise, ${name}`, async () => {
        const set = (accept) => (e) => { e.accept = accept; };
        const answers = [
          set(true), (e) => Promise.resolve(e).then(set(true)),
          set(false), (e) => Promise.resolve(e).then(set(false)), () => Promise.reject(new Error('no')),
        ];
        const { recorded } = await asking((e) => answers.shift()(e), { versions });
        const rejections = process.listeners('unhandledRejection');
        process.removeAllListeners('unhandledRejection');
        const unhandled = new Promise((resolve) => { process.once('unhandledRejection', resolve); });
        try {
          assert.deepStrictEqual(await fares(recorded, 'client-untrusted'), [0, 'OK']);
          assert.deepStrictEqual(await fares(recorded, null), [0, 'OK']);
          for (let i = 0; i < 3; i++) assert.strictEqual((await fares(recorded, 'client'))[0], 280);
          assert.strictEqual((await unhandled).message, 'no');
        } finally {
          for (const listener of rejections) process.on('unhandledRejection', listener);
        }
      });
    }

    it('SSL-X-280: a client that is refused is told', async () => {
      const { recorded } = await asking(undefined, { versions: 12288 });
      const client = dial(recorded.port, pki.pair('client-untrusted'));
      const error = await closed(client);
      assert.match(error.code, /ALERT_BAD_CERTIFICATE/);
      const nobody = dial(recorded.port);
      assert.match((await closed(nobody)).code, /CERTIFICATE_REQUIRED|BAD_CERTIFICATE/);
    });

    it('SSL-E-24: without a listener what the verification says counts', async () => {
      const { recorded } = await asking(null, { listen: false });
      assert.deepStrictEqual(await fares(recorded, 'client'), [0, 'OK']);
      assert.strictEqual((await fares(recorded, 'client-untrusted'))[0], 280);
      assert.strictEqual((await fares(recorded, null))[0], 281);
    });

    it('SSL-P-13: nobody is asked without SSLAuthenticateClients, which can change while it listens', async () => {
      const asked = [];
      const recorded = await listening((server) => server.on('SSLClientAuthentication', (e) => asked.push(e.certSubject)),
        { settings: [`SSLClientCACerts=${pki.ca}`] });
      await fares(recorded, 'client');
      assert.deepStrictEqual(asked, []);
      recorded.server.setSSLAuthenticateClients(true);
      await fares(recorded, 'client');
      assert.deepStrictEqual(asked, ['CN=good client']);
    });

    it('SSL-E-24: a handler that does not answer costs its own client only', async () => {
      let first = true;
      const { recorded } = await asking(() => {
        const mine = first;
        first = false;
        return mine ? never() : undefined;
      }, { settings: [`SSLClientCACerts=${pki.ca}`, 'DefaultConnectionTimeout=1'] });
      const stalled = dial(recorded.port, pki.pair('client'));
      await until(() => !first, PATIENCE, 'the question');
      const { client, id } = await recorded.connect(pki.pair('client'));
      await recorded.server.sendText(id, 'hello');
      assert.strictEqual(String(await readBytes(client, 5)), 'hello');
      await closed(stalled);
      await recorded.until(() => recorded.of('Connected').some((e) => e.statusCode === 280), 'error 280');
    });

    it('SSL-E-26 to 29: a certificate in a client\'s certificate is not the client\'s', async () => {
      pki.selfSigned('client-nested', 'outer', `\n${pki.read('client.pem')}\n`);
      pki.selfSigned('client-dashes', 'dashes', '-----BEGIN');
      const { recorded, asked } = await asking();
      for (const [leaf, name] of [['client-nested', 'outer'], ['client-dashes', 'dashes']]) {
        assert.strictEqual((await fares(recorded, leaf))[0], 280);
        const { certSubject, certEncoded, accept } = asked.pop();
        assert.deepStrictEqual([certSubject, accept], [`CN=${name}`, false]);
        assert.deepStrictEqual(new X509Certificate(certEncoded).raw, new X509Certificate(pki.read(`${leaf}.pem`)).raw);
      }
    });

    it('SSL-C-31, D-51: the whole chain with SSLIncludeCertChain', async () => {
      const counts = [];
      const { recorded } = await asking((e) => {
        counts.push(e.certEncoded.match(/BEGIN CERTIFICATE/g).length);
        e.accept = true;
      });
      const chain = { key: pki.read('deep.key'), cert: pki.read('chain.pem') };
      await fares(recorded, null, chain);
      await recorded.server.config('SSLIncludeCertChain=True');
      await fares(recorded, null, chain);
      // Up to the authority.
      assert.deepStrictEqual(counts, [1, 3]);
    });

    it('SSL-C-14, SSL-C-19: authorities of OpenSSLCAFile and SSLCACerts', async () => {
      for (const [name, value] of [['OpenSSLCAFile', pki.path('ca.pem')], ['SSLCACerts', pki.ca],
        ['SSLClientCACerts', `noise\r\n${pki.read('otherca.pem')}\r\nmore noise\r\n${pki.ca}`]]) {
        const { recorded } = await asking(null, { listen: false, settings: [] });
        assert.strictEqual((await fares(recorded, 'client'))[0], 280, name);
        await recorded.server.config(`${name}=${value}`);
        assert.deepStrictEqual(await fares(recorded, 'client'), [0, 'OK'], name);
      }
      const { recorded } = await asking(null, { listen: false });
      await failsWith(271, recorded.server.config('OpenSSLCAFile=/no/such/file'), /OpenSSLCAFile/);
      assert.strictEqual(await recorded.server.config('OpenSSLCAFile'), '');
    });

    it('SSL-C-13: authorities of OpenSSLCADir, by the hash of their names', async () => {
      const directory = path.join(path.dirname(pki.path('ca.pem')), 'hashed');
      fs.mkdirSync(directory, { recursive: true });
      const hash = String(pki.openssl('x509', '-hash', '-noout', '-in', 'ca.pem')).trim();
      fs.copyFileSync(pki.path('ca.pem'), path.join(directory, `${hash}.0`));
      const { recorded } = await asking(null, { listen: false, settings: [`OpenSSLCADir=${directory}`] });
      assert.deepStrictEqual(await fares(recorded, 'client'), [0, 'OK']);
      assert.strictEqual((await fares(recorded, 'client-untrusted'))[0], 280);
    });

    for (const [flag, leaf, row] of [
      [0x01, 'client-expired', 'SSL-C-40'], [0x10, 'client-untrusted', 'SSL-C-43'], [0x20, 'client-wrong-usage', 'SSL-C-44'],
    ]) {
      it(`SSL-C-39, ${row}: SSLSecurityFlags ${flag} forgives ${leaf}, and nothing else does`, async () => {
        const { recorded, asked } = await asking(undefined);
        assert.strictEqual((await fares(recorded, leaf))[0], 280);
        await recorded.server.config(`SSLSecurityFlags=${0x31 & ~flag}`);
        assert.strictEqual((await fares(recorded, leaf))[0], 280);
        await recorded.server.config(`SSLSecurityFlags=0x${flag.toString(16)}`);
        assert.deepStrictEqual(await fares(recorded, leaf), [0, 'OK']);
        assert.deepStrictEqual(asked.map((e) => [e.status === 'OK', e.accept]), [[false, false], [false, false], [true, true]]);
        assert.strictEqual((await fares(recorded, null))[0], 281);
      });
    }

    it('SSL-C-41, 42, 45 to 51, SSL-C-18, SSL-C-52: other flags and settings of clients forgive nothing', async () => {
      const { recorded } = await asking(null, { listen: false });
      for (const flag of [0x2, 0x4, 0x100, 0x200, 0x400, 0x800, 0x8000, 0x4000, 0x80000000]) {
        assert.strictEqual(await recorded.server.config(`SSLSecurityFlags=${flag}`), String(flag));
      }
      await recorded.server.config(`SSLSecurityFlags=${0x80000000 + 0xcf06}`);
      await recorded.server.config('SSLAcceptAnyServerCert=True');
      await recorded.server.config(`SSLServerCACerts=${pki.read('otherca.pem')}`);
      for (const leaf of ['client-expired', 'client-untrusted', 'client-wrong-usage']) {
        assert.strictEqual((await fares(recorded, leaf))[0], 280, leaf);
      }
    });
  });

  it('SSL-C-04: how long a handshake and a listener\'s promise may take, by default and by the setting', async () => {
    const { server } = new Recorded();
    const times = () => {
      const { handshakeTimeout, handshakeInactivity } = tlsParams(server, server._values, server._settings, null);
      return [handshakeTimeout, handshakeInactivity, server._patience()];
    };
    assert.deepStrictEqual(times(), [120_000, 0, 30_000]);
    await server.config('DefaultConnectionTimeout=5');
    assert.deepStrictEqual(times(), [120_000, 5_000, 5_000]);
    await server.config('DefaultConnectionTimeout=200');
    assert.deepStrictEqual(times(), [200_000, 200_000, 200_000]);
  });

  it('SSL-P-14: another SSLCert is for handshakes that come later', async () => {
    const recorded = await listening();
    const early = await recorded.connect();
    recorded.server.setSSLCert(certificateOf('rsa'));
    const late = await recorded.connect();
    assert.deepStrictEqual([early, late].map(({ client }) =>
      new X509Certificate(client.getPeerCertificate().raw).publicKey.asymmetricKeyType), ['ec', 'rsa']);
    assert.match(recorded.server.getSSLCert().getSubject(), /localhost/);
  });
});
