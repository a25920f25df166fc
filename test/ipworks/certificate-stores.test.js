'use strict';

// Where a Certificate comes from: store types, selection, passwords, errors.

const assert = require('assert');
const crypto = require('crypto');
const fs = require('fs');
const os = require('os');
const path = require('path');
const tls = require('tls');
const { Certificate, CertStoreTypes, IPWorksSSLError } = require('../../ipworks');
const c4tls = require('../..');
const { kIdentity } = require('../../lib/ipworks/symbols');
const pki = require('../support/pki');
const { dialSecure, event, serve } = require('../support/net');

const T = CertStoreTypes;
const PASS = pki.PASSPHRASE;

const key = (name) => path.join(__dirname, 'keys', name);
const text = (name) => fs.readFileSync(key(name), 'utf8');
const base64 = (bytes) => Buffer.from(bytes).toString('base64').replace(/.{64}/g, '$&\r\n');
const read = (name) => fs.readFileSync(pki.path(name));
const der = (name) => new crypto.X509Certificate(read(name)).raw;

function refused(make, code, pattern = /./) {
  assert.throws(make, (error) => {
    assert.ok(error instanceof IPWorksSSLError && error instanceof Error);
    assert.strictEqual(error.code, code, error.message);
    assert.match(error.message, pattern);
    assert.doesNotMatch(`${error.message}${error.stack}`, /correct horse|PRIVATE KEY-----/);
    return true;
  });
}

function jwk(name) {
  return crypto.createPrivateKey(pki.read(`${name}.key`)).export({ format: 'jwk' });
}

describe('IPWorks Certificate, stores', () => {
  before(() => {
    pki.openssl('crl2pkcs7', '-nocrl', '-certfile', 'chain.pem', '-out', 'st.p7b');
    pki.openssl('crl2pkcs7', '-nocrl', '-certfile', 'chain.pem', '-outform', 'DER', '-out', 'st-der.p7b');
    // As old tools write it: RC2-40 for the certificates.
    pki.openssl('pkcs12', '-export', '-in', 'rsa.pem', '-inkey', 'rsa.key', '-legacy', '-certpbe', 'PBE-SHA1-RC2-40',
      '-passout', 'pass:test', '-out', 'st-rc2.pfx');
    fs.writeFileSync(pki.path('st-both.pem'), pki.read('ec.pem') + pki.read('ec.key'));
  });

  /** What each kind of store opens to: type, store, password, [key available, certificate]. */
  const STORES = {
    'PFX file (SSL-CST-03)': () => [T.cstPFXFile, pki.path('ec.pfx'), PASS, [true, 'ec']],
    'PFX file without a password': () => [T.cstPFXFile, pki.path('ec-open.pfx'), '', [true, 'ec']],
    'PFX file of old tools, RC2-40': () => [T.cstPFXFile, pki.path('st-rc2.pfx'), 'test', [true, 'rsa']],
    'PFX bytes (SSL-CST-04)': () => [T.cstPFXBlob, read('ec.pfx'), PASS, [true, 'ec']],
    'PFX in Base64': () => [T.cstPFXBlob, base64(read('ec.pfx')), PASS, [true, 'ec']],
    'PFX as a binary string': () => [T.cstPFXBlob, read('ec.pfx').toString('latin1'), PASS, [true, 'ec']],
    'key store of keytool, which is PFX (SSL-CST-05)': () => [T.cstJKSFile, pki.path('ec.pfx'), PASS, [true, 'ec']],
    'PEM file with a key (SSL-CST-07)': () => [T.cstPEMKeyFile, pki.path('st-both.pem'), '', [true, 'ec']],
    'PEM text with an encrypted key (SSL-CST-08)': () =>
      [T.cstPEMKeyBlob, pki.read('rsa-encrypted.key') + pki.read('rsa.pem'), PASS, [true, 'rsa']],
    'PEM bytes with an old encrypted key': () =>
      [T.cstPEMKeyBlob, Buffer.concat([read('rsa-encrypted-old.key'), read('rsa.pem')]), PASS, [true, 'rsa']],
    'PEM in Base64': () => [T.cstPEMKeyBlob, base64(read('st-both.pem')), '', [true, 'ec']],
    'PEM, indented': () => [T.cstPEMKeyBlob, pki.read('st-both.pem').replace(/^/gm, '    '), '', [true, 'ec']],
    'certificate file, PEM (SSL-CST-09)': () => [T.cstPublicKeyFile, pki.path('ec.pem'), '', [false, 'ec']],
    'certificate, DER (SSL-CST-10)': () => [T.cstPublicKeyBlob, der('ec.pem'), '', [false, 'ec']],
    'certificate, Base64': () => [T.cstPublicKeyBlob, base64(der('ec.pem')), '', [false, 'ec']],
    'P7B file, PEM (SSL-CST-12)': () => [T.cstP7BFile, pki.path('st.p7b'), '', [false, null]],
    'P7B bytes, DER (SSL-CST-13)': () => [T.cstP7BBlob, read('st-der.p7b'), '', [false, null]],
    'JWK file with x5c (SSL-CST-19)': () => {
      const file = pki.path('st.jwk');
      const x5c = [der('rsa.pem').toString('base64')];
      fs.writeFileSync(file, JSON.stringify({ ...jwk('rsa'), x5c, alg: 'anything', kid: 'a' }));
      return [T.cstJWKFile, file, '', [true, 'rsa']];
    },
  };

  for (const [name, make] of Object.entries(STORES)) {
    it(`${name}, by its type and by detection (SSL-CST-24)`, () => {
      const [type, store, password, [available, certificate]] = make();
      for (const storeType of [type, T.cstAuto]) {
        const c = new Certificate(storeType, store, password, '*');
        assert.strictEqual(c.isPrivateKeyAvailable(), available);
        assert.notStrictEqual(c.getSubject(), '');
        if (certificate !== null) assert.strictEqual(c.getEncoded().trim(), pki.read(`${certificate}.pem`).trim());
        if (available) {
          const expected = crypto.createPrivateKey(pki.read(`${certificate}.key`));
          assert.ok(crypto.createPrivateKey(c.getPrivateKey()).equals(expected));
        }
      }
    });
  }

  // Made by puttygen and ssh-keygen; the fingerprints are those that ssh-keygen -l shows.
  const SSH = [
    ['rsa', 'RSA', 2048, 'ac:c4:8d:3b:6b:dc:83:eb:64:23:62:d7:c6:ca:df:92', ['rsa.ppk', 'rsa.pub', 'rsa.ssh2']],
    ['ed25519', 'ED25519', 256, 'f3:ff:04:7a:af:6a:e5:99:f4:51:40:d5:3d:70:1d:5b', ['ed25519.ppk', 'ed25519.pub']],
    ['ecdsa', 'EC', 256, '29:ea:92:e2:93:b1:49:60:fd:d1:35:af:f0:4c:7a:35', ['ecdsa.ppk', 'ecdsa.pub']],
    ['openssh', 'ED25519', 256, '0d:20:0b:50:96:60:c5:a6:ab:1a:61:ef:e7:82:10:b2', ['openssh.key', 'openssh.pub']],
  ];
  for (const [name, algorithm, bits, fingerprint, files] of SSH) {
    it(`SSH's keys: ${files.join(', ')} (SSL-CST-11, SSL-CST-14 to 16)`, () => {
      const publicKeys = new Set();
      for (const file of files) {
        const [fileType, blobType] = file.endsWith('.ppk') ? [T.cstPPKFile, T.cstPPKBlob]
          : file.endsWith('.key') ? [T.cstPEMKeyFile, T.cstPEMKeyBlob] : [T.cstSSHPublicKeyFile, T.cstSSHPublicKeyBlob];
        const stores = [[fileType, key(file)], [blobType, text(file)], [T.cstAuto, key(file)], [T.cstAuto, text(file)]];
        for (const [type, store] of stores) {
          const c = new Certificate(type, store, PASS, '*');
          assert.deepStrictEqual([c.getPublicKeyAlgorithm(), c.getPublicKeyLength()], [algorithm, bits]);
          assert.strictEqual(c.getFingerprint(), fingerprint);
          assert.strictEqual(c[kIdentity], null);
          const isPrivate = /ppk$|key$/.test(file);
          assert.strictEqual(c.isPrivateKeyAvailable(), isPrivate);
          if (isPrivate) {
            const made = crypto.createPublicKey(c.getPrivateKey()).export({ type: 'spki', format: 'pem' });
            assert.strictEqual(made, c.getPublicKey());
          }
          publicKeys.add(c.getPublicKey());
        }
      }
      assert.strictEqual(publicKeys.size, 1, name);
    });
  }

  it('JSON Web Keys of every type, alone and in a set (SSL-CST-20)', () => {
    const made = ['ec', 'rsa'].map((name) => crypto.createPrivateKey(pki.read(`${name}.key`)));
    for (const kind of ['ed25519', 'ed448', 'x25519']) made.push(crypto.generateKeyPairSync(kind).privateKey);
    for (const namedCurve of ['P-384', 'P-521', 'secp256k1']) {
      made.push(crypto.generateKeyPairSync('ec', { namedCurve }).privateKey);
    }
    for (const privateKey of made) {
      const whole = privateKey.export({ format: 'jwk' });
      const c = new Certificate(T.cstJWKBlob, JSON.stringify({ keys: [whole] }), '', '*');
      assert.ok(crypto.createPrivateKey(c.getPrivateKey()).equals(privateKey));
      const spki = crypto.createPublicKey(privateKey).export({ type: 'spki', format: 'pem' });
      assert.strictEqual(c.getPublicKey(), spki);
      const half = crypto.createPublicKey(privateKey).export({ format: 'jwk' });
      const open = new Certificate(T.cstAuto, JSON.stringify(half), '', '*');
      assert.deepStrictEqual([open.getPublicKey(), open.isPrivateKeyAvailable()], [spki, false]);
    }
    const { kty, n, e, d } = jwk('rsa');
    refused(() => new Certificate(T.cstJWKBlob, JSON.stringify({ kty, n, e, d }), '', '*'), 271, /without its primes/);
  });

  it('what is not supported is refused with 271 and a reason (SSL-CST-01, 02, 05, 06, 17, 18, 21 to 23, 25)', () => {
    const jks = Buffer.from('feedfeed0000000200000000', 'hex');
    const cases = [
      [T.cstUser, 'MY', /Windows/], [T.cstMachine, 'ROOT', /Windows/], [T.cstJKSBlob, jks, /keytool -importkeystore/],
      [T.cstAuto, jks, /keytool/], [T.cstXMLFile, 'a.xml', /XML/], [T.cstXMLBlob, '<a/>', /XML/], [T.cstAuto, '<a/>', /XML/],
      [T.cstBCFKSFile, 'a', /Bouncy Castle/], [T.cstBCFKSBlob, 'a', /Bouncy Castle/], [T.cstPKCS11, 'a', /PKCS#11/],
      [T.cstAuto, 'nothing of that kind', /not known/],
    ];
    for (const [type, store, reason] of cases) {
      refused(() => new Certificate(type, store, '', '*'), 271, /^Cannot open certificate store\. [A-Z].*\.$/);
      refused(() => new Certificate(type, store, '', '*'), 271, reason);
    }
  });

  it('every type has the number of the document, and there is no 20', () => {
    assert.strictEqual(Object.keys(T).length, 24);
    const numbers = Object.values(T);
    assert.deepStrictEqual(numbers, [...Array(24).keys()].filter((n) => n !== 20).concat(99));
    assert.ok(Object.isFrozen(T));
  });

  it('files that are none, or too large, are refused without a look at them', () => {
    const large = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-store-')), 'large');
    fs.writeFileSync(large, '');
    fs.truncateSync(large, 4 * 1024 * 1024 + 1);
    try {
      refused(() => new Certificate(T.cstPFXFile, large, '', '*'), 271, /larger than 4 MiB/);
      refused(() => new Certificate(T.cstPFXFile, path.dirname(large), '', '*'), 271, /no regular file/);
      refused(() => new Certificate(T.cstPFXFile, `${large}.not`, '', '*'), 271, /ENOENT/);
      refused(() => new Certificate(T.cstPFXFile, '', '', '*'), 271, /empty/);
      // A key in the place of a name is in no message.
      refused(() => new Certificate(T.cstPEMKeyFile, pki.read('ec.key'), '', '*'), 271, /not the name of a file/);
      if (process.platform !== 'win32') refused(() => new Certificate('/dev/zero'), 271, /no regular file/);
    } finally {
      fs.rmSync(path.dirname(large), { recursive: true });
    }
  });

  it('a wrong password and a missing one are told apart (SSL-CT-19)', () => {
    const pem = pki.read('rsa-encrypted.key');
    refused(() => new Certificate(T.cstPFXFile, pki.path('ec.pfx'), 'wrong', '*'), 271, /password of the store is wrong/);
    refused(() => new Certificate(T.cstPFXFile, pki.path('st-rc2.pfx'), 'wrong', '*'), 271, /password of the store is wrong/);
    refused(() => new Certificate(T.cstPEMKeyBlob, pem, 'wrong', '*'), 271, /password of the private key is wrong/);
    refused(() => new Certificate(T.cstPEMKeyBlob, pem, '', '*'), 271, /encrypted, and there is no password/);
    for (const file of ['rsa.ppk', 'ecdsa.ppk', 'openssh.key']) {
      refused(() => new Certificate(T.cstAuto, key(file), 'wrong', '*'), 271, /password of the private key is wrong/);
      refused(() => new Certificate(T.cstAuto, key(file), '', '*'), 271, /encrypted, and there is no password/);
    }
  });

  it('the key may have a password of its own, a string or bytes (SSL-CT-08)', () => {
    const c = new Certificate();
    c.setStoreType(T.cstPEMKeyBlob);
    c.setStore(pki.read('rsa-encrypted.key') + pki.read('rsa.pem'));
    c.setStorePassword('the store\'s');
    assert.strictEqual(c.getKeyPassword(), 'the store\'s');
    refused(() => c.setSubject('*'), 271, /wrong/);
    c.setKeyPassword(Buffer.from(PASS));
    assert.deepStrictEqual([c.getKeyPassword(), c.getStorePassword()], [PASS, 'the store\'s']);
    c.setSubject('*');
    assert.strictEqual(c.isPrivateKeyAvailable(), true);
    c.setKeyPassword('');
    assert.strictEqual(c.getKeyPassword(), '');
    refused(() => c.setSubject('*'), 271, /no password/);
    assert.deepStrictEqual([c.getSubject(), c.isPrivateKeyAvailable()], ['', false]);
  });

  it('a PFX with several keys gives each, and a certificate with a key before others (SSL-CT-28)', () => {
    const all = ['alpha', 'beta', 'client'];
    const several = pki.path('st-several.pem');
    fs.writeFileSync(several, all.map((name) => pki.read(`${name}.pem`)).join('') + pki.ca);
    pki.openssl('pkcs12', '-export', '-in', 'st-several.pem', '-inkey', 'beta.key', '-passout', 'pass:', '-out', 'st-several.pfx');
    const at = (subject) => new Certificate(T.cstPFXFile, pki.path('st-several.pfx'), '', subject);
    assert.deepStrictEqual([at('*').getSubject(), at('*').isPrivateKeyAvailable()], ['CN=beta.test', true]);
    assert.deepStrictEqual([at('alpha').getSubject(), at('alpha').isPrivateKeyAvailable()], ['CN=alpha.test', false]);
    // PEM with two keys, in the other order.
    const pem = pki.read('beta.key') + pki.read('alpha.pem') + pki.read('alpha.key') + pki.read('beta.pem');
    for (const name of ['alpha', 'beta']) {
      const c = new Certificate(T.cstPEMKeyBlob, pem, '', `CN=${name}.test`);
      assert.ok(crypto.createPrivateKey(c.getPrivateKey()).equals(crypto.createPrivateKey(pki.read(`${name}.key`))));
    }
  });

  it('Subject selects by whole name, part and thumbprint, or nothing (SSL-CT-28, 34, 35, 40 to 42)', () => {
    const c = new Certificate(T.cstPublicKeyBlob, pki.read('alpha.pem') + pki.read('beta.pem') + pki.ca, '', '*');
    assert.strictEqual(c.getSubject(), 'CN=alpha.test');
    const { fingerprint256 } = new crypto.X509Certificate(read('beta.pem'));
    for (const subject of ['CN=beta.test', 'beta', 'BETA.T', `Thumbprint=${fingerprint256}`]) {
      c.setSubject('*');
      c.setSubject(subject);
      assert.strictEqual(c.getSubject(), 'CN=beta.test', subject);
      assert.strictEqual(c.getSubjectAltNames(), 'beta.test,*.beta.test');
    }
    for (const subject of ['gamma', `Thumbprint=${fingerprint256.replace(/^../, '00')}`, '']) {
      c.setSubject('*');
      c.setSubject(subject);
      assert.deepStrictEqual([c.getSubject(), c.getEncoded(), c.getSerialNumber()], ['', '', ''], subject);
    }
    for (const hash of ['MD5', 'SHA1', 'SHA256']) {
      c.setSubject('CN=beta.test');
      const thumbprint = c[`getThumbprint${hash}`]().toUpperCase();
      const options = `PersistPFXKey=False\nThumbprint=${thumbprint}\r\nUseInternalSecurityAPI=true\n`;
      const found = new Certificate(T.cstPublicKeyBlob, c.getStore(), '', '*', options);
      assert.strictEqual(found.getSubject(), 'CN=beta.test');
    }
    refused(() => new Certificate(T.cstPublicKeyBlob, c.getStore(), '', 'gamma'), 272, /^Cannot find specified certificate\.$/);
    refused(() => new Certificate(T.cstPublicKeyBlob, c.getStore(), '', '*', 'Thumbprint=00'), 272);
    refused(() => new Certificate(T.cstPublicKeyBlob, c.getStore(), '', '*', 'Colour=red'), 10022, /'Colour'/);
  });

  it('Encoded finds its private key in the store (SSL-CT-29, SSL-CT-30, SSL-CT-36, SSL-CT-39)', () => {
    const store = pki.read('ec.key') + pki.read('rsa.key');
    for (const encoded of [read('rsa.pem'), der('rsa.pem')]) {
      for (const content of [store, Buffer.from(store)]) {
        const c = new Certificate(T.cstPEMKeyBlob, content, '', encoded);
        assert.deepStrictEqual([c.getSubject(), c.isPrivateKeyAvailable()], ['CN=localhost', true]);
      }
    }
    refused(() => new Certificate(T.cstPEMKeyBlob, store, '', read('alpha.pem')), 272);
    refused(() => new Certificate(T.cstPEMKeyBlob, store, '', Buffer.from('junk')), 271);

    const c = new Certificate();
    c.setEncoded(pki.read('alpha.pem'));      // no store of Windows' to look in
    assert.deepStrictEqual([c.getSubject(), c.getSubjectAltNames(), c.isPrivateKeyAvailable()], ['', 'alpha.test', false]);
    c.setStoreType(T.cstPEMKeyFile);
    c.setStore(pki.path('rsa.key'));
    c.setEncoded(base64(der('rsa.pem')));
    assert.deepStrictEqual([c.getSubject(), c.isPrivateKeyAvailable()], ['CN=localhost', true]);
    c.setEncodedB(read('alpha.pem'));
    assert.deepStrictEqual([c.getSubject(), c.isPrivateKeyAvailable()], ['', false]);
    c.setEncoded('');
    assert.strictEqual(c.getEncoded(), '');
  });

  it('constructors for certificates alone (SSL-CT-17, 18, 20, 32, 33, 37, 38)', () => {
    const file = new Certificate(pki.path('ec.pem'));
    assert.deepStrictEqual([file.getSubject(), file.getStoreType()], ['CN=localhost', T.cstPublicKeyFile]);
    assert.strictEqual(file.getStore(), pki.path('ec.pem'));
    const bytes = new Certificate(new Uint8Array(der('ec.pem')));
    assert.deepStrictEqual([bytes.getSubject(), bytes.getStoreType()], ['CN=localhost', T.cstPublicKeyBlob]);
    assert.deepStrictEqual(Buffer.from(bytes.getStoreB()), der('ec.pem'));
    assert.strictEqual(bytes.getStore(), der('ec.pem').toString('latin1'));
    const late = new Certificate();
    late.setStoreType(T.cstPublicKeyBlob);
    late.setStoreB(der('rsa.pem'));
    late.setSubject('*');
    assert.strictEqual(late.getEncoded(), pki.read('rsa.pem'));
    assert.strictEqual(new Certificate(T.cstPFXBlob, read('ec.pfx'), PASS, '*', 'PersistPFXKey=true').getSubject(), 'CN=localhost');
  });

  it('wrong arguments are invalid arguments', () => {
    const c = new Certificate();
    for (const bad of [
      () => new Certificate(7), () => new Certificate(2, 'a'), () => new Certificate('2', 'a', '', '*'),
      () => new Certificate(2, 3, '', '*'), () => new Certificate(2, 'a', '', 3), () => new Certificate(2, 'a', 3, '*'),
      () => new Certificate(2, 'a', '', '*', 3), () => c.setStoreType(20), () => c.setStoreType(1.5), () => c.setSubject(3),
      () => c.setStoreB('x'), () => c.setEncodedB('x'), () => c.setEncoded(Buffer.alloc(1)), () => c.setKeyPassword(null),
    ]) {
      assert.throws(bad, { name: 'IPWorksSSLError', code: 10022 }, bad.toString());
    }
  });

  it('a context shows certificate, key and chain, and trusts nobody more for it', async () => {
    const pem = pki.read('deep.key') + pki.read('deep.pem') + pki.ca + pki.read('intermediate.pem');
    const certificate = new Certificate(T.cstPEMKeyBlob, pem, '', '*');
    const secureContext = c4tls.createSecureContext({ ca: pki.read('otherca.pem') });
    certificate[kIdentity].applyTo(secureContext.context.native);
    const { server, port } = await serve(c4tls, {
      SNICallback: (name, done) => done(null, secureContext), requestCert: true, rejectUnauthorized: false,
    });
    const accepted = event(server, 'secureConnection');
    const client = await dialSecure(tls, port, { ...pki.pair('client') });
    assert.strictEqual(client.authorized, true);
    const chain = client.getPeerCertificate(true);
    assert.deepStrictEqual([chain.subjectaltname, chain.issuerCertificate.subject.CN],
      [new crypto.X509Certificate(read('deep.pem')).subjectAltName, 'c4tls intermediate CA']);
    const [socket] = await accepted;
    assert.strictEqual(socket.authorized, false);     // the chain's root signed it, but nobody named that as trusted
    assert.strictEqual(new Certificate(pki.path('ec.pem'))[kIdentity], null);
  });
});
