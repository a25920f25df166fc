'use strict';

// The fields of a Certificate, against what the openssl program says of the same certificate.

const assert = require('assert');
const { createHash, X509Certificate } = require('crypto');
const fs = require('fs');
const path = require('path');
const { inspect } = require('util');
const { Certificate, CertStoreTypes } = require('../../ipworks');
const pki = require('../support/pki');
const { runNode } = require('../support/node-program');

const IPWORKS = `require(${JSON.stringify(path.join(__dirname, '..', '..', 'ipworks'))})`;

/** name: [genpkey's arguments, extensions, name and value of further fields] */
const KINDS = {
  'ct-rsa': {
    key: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
    extensions: {
      subjectAltName: 'DNS:www.example.com,DNS:*.example.com,IP:127.0.0.1,email:a@example.com,URI:https://example.com/a',
      keyUsage: 'critical,digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment',
      extendedKeyUsage: 'serverAuth,clientAuth,1.2.3.4',
    },
    algorithm: 'RSA', bits: 2048,
    usage: [0xf0, 'Digital Signature,Non-Repudiation,Key Encipherment,Data Encipherment'],
    purposes: '1.3.6.1.5.5.7.3.1,1.3.6.1.5.5.7.3.2,1.2.3.4',
    names: 'www.example.com,*.example.com,127.0.0.1,a@example.com,https://example.com/a',
  },
  'ct-ec': {
    key: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
    extensions: {
      subjectAltName: 'IP:::1,URI:ldap:///CN=a,dirName:directory',
      keyUsage: 'keyAgreement,keyCertSign,cRLSign,encipherOnly',
      extendedKeyUsage: 'codeSigning',
    },
    algorithm: 'EC', bits: 384,
    usage: [0x0f, 'Key Agreement,Certificate Signing,CRL Signing,Encipher Only'],
    purposes: '1.3.6.1.5.5.7.3.3',
    names: '::1,ldap:///CN=a,"CN=inner, O=Inner Ltd"',
  },
  'ct-ed25519': {
    key: ['-algorithm', 'ED25519'], extensions: {},
    algorithm: 'ED25519', bits: 256, usage: [0, ''], purposes: '', names: '',
  },
  'ct-pss': {
    key: ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048'],
    extensions: { keyUsage: 'digitalSignature,decipherOnly' },
    algorithm: 'RSA-PSS', bits: 2048, usage: [0x80, 'Digital Signature'], purposes: '', names: '',
  },
};

function make(name, { key, extensions }) {
  const lines = Object.entries(extensions).map(([field, value]) => `${field}=${value}`);
  fs.writeFileSync(pki.path(`${name}.cnf`), [
    '[req]', 'distinguished_name=subject', 'prompt=no', 'x509_extensions=extensions', '[subject]', 'CN=www.example.com',
    'O=Example Ltd', 'ST=Ohio', 'emailAddress=a@example.com', '[directory]', 'CN=inner', 'O=Inner Ltd', '[extensions]',
    'subjectKeyIdentifier=hash', ...lines, '',
  ].join('\n'));
  pki.openssl('genpkey', ...key, '-out', `${name}.key`);
  pki.openssl('req', '-x509', '-new', '-key', `${name}.key`, '-config', `${name}.cnf`, '-days', '3', '-out', `${name}.pem`);
}

/** What `openssl x509` prints for a certificate, one item: the text behind `=`. */
function printed(name, ...args) {
  const text = pki.openssl('x509', '-in', `${name}.pem`, '-noout', ...args).toString();
  return text.slice(text.indexOf('=') + 1).trim();
}

/** openssl's "Jan 23 15:00:00 2000 GMT" in the form of the component, by way of the running zone. */
function inLocalTime(text) {
  const [, month, day, year, time] = /^\w+ (\w+) (\d+) (\d+) ([\d:]+)/.exec(new Date(text).toString());
  return `${day}-${month}-${year} ${time}`;
}

describe('IPWorks Certificate, fields', () => {
  before(() => {
    for (const [name, kind] of Object.entries(KINDS)) make(name, kind);
  });

  for (const [name, kind] of Object.entries(KINDS)) {
    it(`of ${name} are those that openssl shows (SSL-CT-01 to 07, 09, 10, 12 to 16, 21 to 27; D-42)`, () => {
      fs.writeFileSync(pki.path(`${name}-both.pem`), pki.read(`${name}.key`) + pki.read(`${name}.pem`));
      const c = new Certificate(CertStoreTypes.cstPEMKeyFile, pki.path(`${name}-both.pem`), '', '*');
      assert.strictEqual(c.getEffectiveDate(), inLocalTime(printed(name, '-startdate')));
      assert.strictEqual(c.getExpirationDate(), inLocalTime(printed(name, '-enddate')));
      for (const [field, hash] of [['MD5', 'md5'], ['SHA1', 'sha1'], ['SHA256', 'sha256']]) {
        const fingerprint = printed(name, '-fingerprint', `-${hash}`).toLowerCase();
        assert.strictEqual(c[`getFingerprint${field === 'MD5' ? '' : field}`](), fingerprint);
        assert.strictEqual(c[`getThumbprint${field}`](), fingerprint.replaceAll(':', ''));
      }
      const dn = 'CN=www.example.com, O=Example Ltd, S=Ohio, E=a@example.com';
      assert.strictEqual(printed(name, '-subject', '-nameopt', 'sep_comma_plus_space'),
        dn.replace('S=', 'ST=').replace('E=', 'emailAddress='));
      assert.deepStrictEqual([c.getSubject(), c.getIssuer()], [dn, dn]);
      assert.strictEqual(c.getSerialNumber(), printed(name, '-serial'));
      assert.strictEqual(c.getPublicKey(), pki.openssl('x509', '-in', `${name}.pem`, '-noout', '-pubkey').toString());
      assert.strictEqual(c.getPrivateKey(), pki.openssl('pkey', '-in', `${name}.key`).toString());
      assert.strictEqual(c.isPrivateKeyAvailable(), true);
      assert.strictEqual(c.getPublicKeyAlgorithm(), kind.algorithm);
      assert.strictEqual(c.getPublicKeyLength(), kind.bits);
      const text = pki.openssl('x509', '-in', `${name}.pem`, '-noout', '-text').toString();
      assert.strictEqual(c.getSignatureAlgorithm(), /Signature Algorithm: (\S+)/.exec(text)[1]);
      assert.strictEqual(c.getVersion(), `V${/Version: (\d)/.exec(text)[1]}`);
      assert.deepStrictEqual([c.getUsageFlags(), c.getUsage()], kind.usage);
      assert.strictEqual(c.getExtendedKeyUsage(), kind.purposes);
      assert.strictEqual(c.getSubjectAltNames(), kind.names);
      assert.strictEqual(c.getEncoded(), pki.read(`${name}.pem`));
      assert.deepStrictEqual(c.getEncodedB(), Buffer.from(pki.read(`${name}.pem`)));
    });
  }

  it('dates follow the zone of the process (SSL-CT-01, SSL-CT-02)', async () => {
    const source = `
      const c = new tls.Certificate(pki.path('expired.pem'));
      console.log(c.getEffectiveDate() + ', ' + c.getExpirationDate());`;
    for (const [TZ, expected] of [
      ['America/New_York', '31-Dec-2019 19:00:00, 31-Jan-2020 19:00:00'],
      ['Asia/Kolkata', '01-Jan-2020 05:30:00, 01-Feb-2020 05:30:00'],
    ]) {
      const { stdout, stderr } = await runNode(source, { module: IPWORKS, env: { TZ } });
      assert.strictEqual(stdout.trim(), expected, stderr);
    }
  });

  it('values with a meaning are quoted in names, and no text ends at a NUL (D-43)', () => {
    pki.openssl('req', '-x509', '-new', '-key', 'ec.key', '-days', '1', '-multivalue-rdn', '-utf8',
      '-subj', '/CN=a, b/O=say "hi"/OU=R\\+D/L=Zürich/C=US/DC=example+UID=me', '-out', 'ct-quoted.pem');
    const c = new Certificate(pki.path('ct-quoted.pem'));
    assert.strictEqual(c.getSubject(),
      'CN="a, b", O="say ""hi""", OU="R+D", L=Zürich, C=US, UID=me + DC=example');
    const der = new X509Certificate(fs.readFileSync(pki.path('ct-quoted.pem'))).raw;
    const at = der.lastIndexOf('hi"');   // the subject's, behind the issuer's
    der[at] = 0;
    assert.match(new Certificate(der).getSubject(), /O="say ""\0i"""/);
  });

  it('texts that look like PEM within DER are texts (SSL-CT-33)', () => {
    for (const subject of ['-----BEGIN', `a${pki.read('ec.pem').split('\n')[0]}`]) {
      pki.openssl('req', '-x509', '-new', '-key', 'ec.key', '-days', '1', '-subj', `/CN=${subject}`, '-outform', 'DER',
        '-out', 'ct-dashes.der');
      assert.strictEqual(new Certificate(fs.readFileSync(pki.path('ct-dashes.der'))).getSubject(), `CN=${subject}`);
      assert.strictEqual(new Certificate(pki.path('ct-dashes.der')).getSubject(), `CN=${subject}`);
    }
  });

  it('an empty object has the documented defaults (SSL-CT-11, 31)', () => {
    const c = new Certificate();
    const texts = [
      'EffectiveDate', 'ExpirationDate', 'ExtendedKeyUsage', 'Fingerprint', 'FingerprintSHA1', 'FingerprintSHA256', 'Issuer',
      'KeyPassword', 'PrivateKey', 'PrivateKeyContainer', 'PublicKey', 'PublicKeyAlgorithm', 'SerialNumber',
      'SignatureAlgorithm', 'StorePassword', 'SubjectAltNames', 'ThumbprintMD5', 'ThumbprintSHA1', 'ThumbprintSHA256', 'Usage',
      'Version', 'Subject', 'Encoded',
    ];
    for (const name of texts) assert.strictEqual(c[`get${name}`](), '', name);
    for (const name of ['PublicKeyLength', 'UsageFlags', 'StoreType']) assert.strictEqual(c[`get${name}`](), 0, name);
    assert.deepStrictEqual([c.getStore(), c.getStoreB().toString(), c.getEncodedB().length], ['MY', 'MY', 0]);
    assert.strictEqual(c.isPrivateKeyAvailable(), false);
  });

  it('every getter and setter is a property too', () => {
    const c = new Certificate(CertStoreTypes.cstPFXFile, pki.path('ec.pfx'), pki.PASSPHRASE, '*');
    const names = Object.getOwnPropertyNames(Certificate.prototype);
    const methods = names.filter((name) => /^(get|is)[A-Z]/.test(name));
    assert.strictEqual(methods.length, 30);
    for (const method of methods) {
      const name = method.replace(/^(get|is)/, '');
      const property = name[0].toLowerCase() + name.slice(1);
      assert.deepStrictEqual(c[property], c[method](), property);
      const { set } = Object.getOwnPropertyDescriptor(Certificate.prototype, property);
      assert.strictEqual(set, Certificate.prototype[`set${name}`], property);
    }
    c.storeType = CertStoreTypes.cstPublicKeyFile;
    c.store = pki.path('rsa.pem');
    c.subject = 'localhost';
    assert.strictEqual(c.getPublicKeyAlgorithm(), 'RSA');
  });

  it('shows no password and no key to console.log and JSON', () => {
    const c = new Certificate(CertStoreTypes.cstPEMKeyBlob, pki.read('rsa-encrypted.key') + pki.read('rsa.pem'),
      pki.PASSPHRASE, '*');
    const shown = inspect(c, { depth: null, showHidden: true, getters: false }) + JSON.stringify(c);
    assert.doesNotMatch(shown, /correct horse|PRIVATE/);
  });

  it('a key without a certificate has SSH\'s fingerprints and no thumbprint', () => {
    const c = new Certificate(CertStoreTypes.cstPEMKeyBlob, pki.read('ec.key'), '', '*');
    const der = pki.openssl('pkey', '-in', 'ec.key', '-pubout', '-outform', 'DER');
    const string = (bytes) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), Buffer.from(bytes)]);
    const wire = Buffer.concat([string('ecdsa-sha2-nistp256'), string('nistp256'), string(der.subarray(-65))]);
    assert.strictEqual(c.getFingerprintSHA256().replaceAll(':', ''), createHash('sha256').update(wire).digest('hex'));
    assert.deepStrictEqual([c.getThumbprintSHA256(), c.getVersion(), c.getSubject(), c.getEncoded()], ['', '', '', '']);
    assert.strictEqual(c.isPrivateKeyAvailable(), true);
  });
});
