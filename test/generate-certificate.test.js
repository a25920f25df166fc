'use strict';

// generateCertificate(): certificates that work at once, and wrong options.

const assert = require('assert');
const { X509Certificate, createPrivateKey } = require('crypto');
const nodeTls = require('tls');
const tls = require('..');
const { dialSecure, echo, serveEcho } = require('./support/net');

const DAY = 24 * 60 * 60 * 1000;

describe('generateCertificate', () => {
  it('by default: P-256, this machine\'s names, 30 days', () => {
    const { cert, key } = tls.generateCertificate();
    const parsed = new X509Certificate(cert);
    assert.strictEqual(parsed.subject, 'CN=localhost');
    assert.ok(parsed.checkHost('localhost'));
    assert.ok(parsed.checkIP('127.0.0.1'));
    assert.ok(parsed.checkIP('::1'));
    const validity = Date.parse(parsed.validTo) - Date.parse(parsed.validFrom);
    assert.ok(Math.abs(validity - 30 * DAY) <= 1_000, `${validity} ms`);    // the two dates are read one after the other
    const parsedKey = createPrivateKey(key);
    assert.strictEqual(parsedKey.asymmetricKeyDetails.namedCurve, 'prime256v1');
    assert.ok(parsed.checkPrivateKey(parsedKey));
    assert.ok(parsed.verify(parsed.publicKey));
  });

  for (const keyType of ['ec', 'rsa', 'ed25519']) {
    it(`${keyType}: Node's own client accepts it`, async () => {
      const pair = tls.generateCertificate({ keyType });
      assert.strictEqual(createPrivateKey(pair.key).asymmetricKeyType, keyType);
      const { port } = await serveEcho(tls, pair);
      const client = await dialSecure(nodeTls, port, { ca: pair.cert });
      assert.strictEqual(await echo(client), 'ping');
    });
  }

  it('takes names and days', () => {
    const names = ['*.example.test', '192.0.2.1', 'other.test'];
    const parsed = new X509Certificate(tls.generateCertificate({ names, days: 365_000 }).cert);
    assert.strictEqual(parsed.subjectAltName, 'DNS:*.example.test, IP Address:192.0.2.1, DNS:other.test');
    assert.ok(parsed.checkHost('one.example.test'));
    assert.ok(Date.parse(parsed.validTo) > Date.now() + 999 * 365 * DAY);
  });

  it('each call makes another key and serial number', () => {
    const [a, b] = [tls.generateCertificate(), tls.generateCertificate()];
    assert.notStrictEqual(a.key, b.key);
    assert.notStrictEqual(new X509Certificate(a.cert).serialNumber, new X509Certificate(b.cert).serialNumber);
  });

  for (const [options, code] of [
    [null, 'ERR_INVALID_ARG_TYPE'],
    ['localhost', 'ERR_INVALID_ARG_TYPE'],
    [{ names: 'localhost' }, 'ERR_INVALID_ARG_TYPE'],
    [{ names: ['localhost', 7] }, 'ERR_INVALID_ARG_TYPE'],
    [{ days: '7' }, 'ERR_INVALID_ARG_TYPE'],
    [{ keyType: 7 }, 'ERR_INVALID_ARG_TYPE'],
    [{ days: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ days: 1.5 }, 'ERR_OUT_OF_RANGE'],
    [{ days: 365_001 }, 'ERR_OUT_OF_RANGE'],
    [{ names: [] }, 'ERR_INVALID_ARG_VALUE'],
    [{ names: ['no name'] }, 'ERR_INVALID_ARG_VALUE'],
    [{ keyType: 'dsa' }, 'ERR_INVALID_ARG_VALUE'],
  ]) {
    it(`${JSON.stringify(options)} is ${code}`, () => {
      assert.throws(() => tls.generateCertificate(options), { code });
    });
  }
});
