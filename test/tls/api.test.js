'use strict';

// The face of the module: the names Node has, classes, lists, and ESM named imports.

const assert = require('assert');
const net = require('net');
const nodeTls = require('tls');
const { pathToFileURL } = require('url');
const path = require('path');
const { subject: tls, stock } = require('../support/subject');

const ROOT = path.join(__dirname, '..', '..');

describe('the module', () => {
  it('has every public name of Node\'s tls, of the same type', () => {
    for (const name of Object.keys(nodeTls)) {
      assert.strictEqual(typeof tls[name], typeof nodeTls[name], name);
    }
  });

  it('has Node\'s constants', () => {
    for (const name of ['CLIENT_RENEG_LIMIT', 'CLIENT_RENEG_WINDOW', 'DEFAULT_MIN_VERSION', 'DEFAULT_MAX_VERSION']) {
      assert.strictEqual(tls[name], nodeTls[name], name);
    }
    assert.ok(tls.DEFAULT_CIPHERS.includes('TLS_AES_256_GCM_SHA384'));
  });

  it('lists ciphers in lower case, those of TLS 1.3 among them', () => {
    const ciphers = tls.getCiphers();
    assert.ok(ciphers.includes('tls_aes_256_gcm_sha384'));
    assert.ok(ciphers.includes('ecdhe-rsa-aes128-gcm-sha256'));
    assert.deepStrictEqual(ciphers, ciphers.map((name) => name.toLowerCase()));
    assert.strictEqual(new Set(ciphers).size, ciphers.length);
  });

  it('has Node\'s root certificates, frozen', () => {
    assert.deepStrictEqual(tls.rootCertificates, nodeTls.rootCertificates);
    assert.ok(Object.isFrozen(tls.rootCertificates));
  });

  it('makes classes that extend those of net', () => {
    assert.ok(tls.createServer() instanceof net.Server);
    assert.ok(tls.createServer() instanceof tls.Server);
    assert.ok(tls.Server() instanceof tls.Server, 'callable without new');
    const socket = new tls.TLSSocket(new net.Socket());
    assert.ok(socket instanceof net.Socket);
    assert.ok(socket instanceof tls.TLSSocket);
    assert.strictEqual(socket.encrypted, true);
    socket.destroy();
  });

  it('convertALPNProtocols writes the wire form', () => {
    const out = {};
    tls.convertALPNProtocols(['h2', 'http/1.1'], out);
    assert.deepStrictEqual(out.ALPNProtocols, Buffer.from('\x02h2\x08http/1.1'));
    assert.throws(() => tls.convertALPNProtocols(['x'.repeat(256)], {}), { code: 'ERR_OUT_OF_RANGE' });
  });

  it('checkServerIdentity is Node\'s', () => {
    const cert = { subject: { CN: 'a.test' }, subjectaltname: 'DNS:*.b.test, IP Address:127.0.0.1' };
    assert.strictEqual(tls.checkServerIdentity('x.b.test', cert), undefined);
    assert.strictEqual(tls.checkServerIdentity('127.0.0.1', cert), undefined);
    const error = tls.checkServerIdentity('a.test', cert);
    assert.strictEqual(error.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
    assert.strictEqual(error.host, 'a.test');
  });

  it('can be imported by name', async function () {
    if (stock) this.skip();
    const module = await import(pathToFileURL(path.join(ROOT, 'index.mjs')));
    assert.strictEqual(module.default, tls);
    const names = Object.keys(tls).filter((name) => name !== 'default');
    const exported = Object.keys(module).filter((name) => name !== 'default' && module[name] !== undefined);
    assert.deepStrictEqual(exported.sort(), names.sort());
    for (const name of names) assert.strictEqual(module[name], tls[name], name);
    const iot = await import(pathToFileURL(path.join(ROOT, 'iotjs.mjs')));
    assert.strictEqual(iot.default, require('../../iotjs'));
    assert.deepStrictEqual(Object.keys(iot).filter((name) => name !== 'default').sort(), Object.keys(iot.default).sort());
  });

  it('answers to its package name and sub-paths, as the exports map says', async function () {
    if (stock) this.skip();
    // A package may refer to itself by name: this goes through package.json's "exports".
    assert.strictEqual(require('c4tls'), tls);
    assert.strictEqual(require('c4tls/iotjs'), require('../../iotjs'));
    assert.strictEqual(require('c4tls/package.json').name, 'c4tls');
    assert.throws(() => require('c4tls/lib/core/dispatch.js'), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' });
    assert.strictEqual((await import('c4tls')).default, tls);
  });
});
