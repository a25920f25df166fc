'use strict';

// The certificates that are trusted without a `ca`: getCACertificates, setDefaultCACertificates, and the settings of
// the process that decide about them. Most run in a process of their own, because Node looks at these once.

const assert = require('assert');
const { execFileSync } = require('child_process');
const { X509Certificate } = require('crypto');
const fs = require('fs');
const os = require('os');
const path = require('path');
const nodeTls = require('tls');
const pki = require('../support/pki');
const { subject: tls, stock } = require('../support/subject');
const { runNode } = require('../support/node-program');
const { dial, dialSecure, event, serve } = require('../support/net');

const NODE = Number(process.versions.node.split('.')[0]);
const nodeHas = typeof nodeTls.getCACertificates === 'function';
const TYPES = ['default', 'system', 'bundled', 'extra'];

/** Nothing of this machine, unless `env` says so. */
const NO_SETTINGS = {
  NODE_EXTRA_CA_CERTS: undefined, NODE_USE_SYSTEM_CA: undefined, NODE_OPTIONS: undefined, SSL_CERT_FILE: undefined,
  SSL_CERT_DIR: undefined,
};

const fingerprints = (list) => list.map((pem) => new X509Certificate(pem).fingerprint256);
const testCA = () => new X509Certificate(pki.ca).fingerprint256;

/** What `source`, the body of an async function, returns in a process with these settings; its stderr too. */
async function evaluate(source, { env = {}, flags = [] } = {}) {
  const { code, stdout, stderr } = await runNode(`
    const fingerprints = (list) => list.map((pem) => new (require('crypto').X509Certificate)(pem).fingerprint256);
    (async () => { ${source} })().then((value) => console.log(JSON.stringify(value)));
  `, { flags, env: { ...NO_SETTINGS, ...env } });
  assert.strictEqual(code, 0, stderr);
  return { value: JSON.parse(stdout), stderr };
}

/** Fingerprints by type, as a process with these settings tells them. */
async function lists(settings, types = TYPES) {
  const calls = types.map((type) => `${JSON.stringify(type)}: fingerprints(tls.getCACertificates(${JSON.stringify(type)}))`);
  return (await evaluate(`return { ${calls.join(', ')} };`, settings)).value;
}

/** Whether a client without `ca` trusts the test server, in a process with these settings. */
async function trusts(port, settings, before = '') {
  const { value } = await evaluate(`
    ${before}
    const socket = tls.connect({ port: ${port}, host: '127.0.0.1', servername: 'localhost' });
    return new Promise((resolve) => {
      socket.on('secureConnect', () => resolve(true)).on('error', (error) => resolve(error.code));
    }).finally(() => socket.destroy());
  `, settings);
  return value;
}

/** A folder with the test authority under `name`. */
function folderWith(name) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-ca-'));
  after(() => fs.rmSync(folder, { recursive: true }));
  return { folder, add: () => fs.writeFileSync(path.join(folder, name), pki.ca) };
}

const hashName = () => `${execFileSync('openssl', ['x509', '-hash', '-noout', '-in', pki.path('ca.pem')]).toString().trim()}.0`;

describe('getCACertificates', () => {
  before(function() {
    if (stock && !nodeHas) this.skip();
  });

  it('gives frozen arrays of PEM, the same one each time', () => {
    for (const type of TYPES) {
      const list = tls.getCACertificates(type);
      assert.ok(Object.isFrozen(list), type);
      assert.strictEqual(tls.getCACertificates(type), list);
      for (const pem of list) assert.match(pem, /^-----BEGIN CERTIFICATE-----\n[^]+\n-----END CERTIFICATE-----\n?$/);
    }
    assert.strictEqual(tls.getCACertificates('bundled'), tls.rootCertificates);
  });

  it('is \'default\' when nothing is asked for', () => {
    assert.strictEqual(tls.getCACertificates(), tls.getCACertificates('default'));
  });

  it('refuses other types', () => {
    for (const type of ['', 'x', 'toString', '__proto__']) {
      assert.throws(() => tls.getCACertificates(type), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
    }
    for (const type of [null, 1, {}, ['default']]) {
      assert.throws(() => tls.getCACertificates(type), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
  });

  it('without settings: Node\'s bundled list alone', async () => {
    const found = await lists();
    assert.deepStrictEqual(found.default, fingerprints(nodeTls.rootCertificates));
    assert.deepStrictEqual(found.bundled, found.default);
    assert.deepStrictEqual(found.extra, []);
  });

  it('the system\'s: SSL_CERT_FILE and the files of SSL_CERT_DIR', async () => {
    const { folder, add } = folderWith('any name.pem');
    add();
    const { system } = await lists({ env: { SSL_CERT_FILE: pki.path('otherca.pem'), SSL_CERT_DIR: folder } }, ['system']);
    assert.deepStrictEqual(system.sort(), fingerprints([pki.ca, pki.read('otherca.pem')]).sort());
    assert.deepStrictEqual((await lists({ env: { SSL_CERT_FILE: '/none', SSL_CERT_DIR: '/none' } }, ['system'])).system, []);
  });

  it('the system\'s: where this system keeps them', async function() {
    if (process.platform !== 'linux' || !fs.existsSync('/etc/ssl/certs/ca-certificates.crt')) this.skip();
    const { system } = await lists({}, ['system']);
    const [first] = fs.readFileSync('/etc/ssl/certs/ca-certificates.crt', 'latin1').match(/-----BEGIN[^]+?-----END CERTIFICATE-----/);
    assert.ok(system.includes(new X509Certificate(first).fingerprint256));
  });

  it('NODE_EXTRA_CA_CERTS: every certificate of the file, behind the others', async () => {
    const file = pki.path('chain.pem');
    const found = await lists({ env: { NODE_EXTRA_CA_CERTS: file } }, ['default', 'extra']);
    assert.deepStrictEqual(found.extra, fingerprints([pki.read('deep.pem'), pki.read('intermediate.pem')]));
    assert.deepStrictEqual(found.default.slice(-2), found.extra);
    assert.strictEqual(found.default.length, nodeTls.rootCertificates.length + 2);
  });

  it('NODE_EXTRA_CA_CERTS that cannot be read is a warning', async () => {
    const { value, stderr } = await evaluate('tls.createSecureContext(); return tls.getCACertificates("extra").length;',
      { env: { NODE_EXTRA_CA_CERTS: '/none.pem' } });
    assert.strictEqual(value, 0);
    assert.match(stderr, /Ignoring extra certs from `\/none.pem`, load failed/);
  });

  for (const how of ['NODE_USE_SYSTEM_CA=1', '--use-system-ca']) {
    it(`${how} adds the system's`, async function() {
      const isFlag = how.startsWith('--');
      // The flag is Node's, and a Node that has the list but not the variable does not heed that.
      if (isFlag ? !process.allowedNodeEnvironmentFlags.has(how) : nodeHas && NODE < 24) this.skip();
      const found = await lists({
        flags: isFlag ? [how] : [],
        env: { ...isFlag ? {} : { NODE_USE_SYSTEM_CA: '1' }, SSL_CERT_FILE: pki.path('ca.pem'), SSL_CERT_DIR: '/none' },
      }, ['default']);
      assert.deepStrictEqual(found.default, [...fingerprints(nodeTls.rootCertificates), testCA()]);
    });
  }
});

describe('a client without `ca`', () => {
  let port;
  beforeEach(async () => {
    ({ port } = await serve(tls));
  });

  for (const [title, settings, expected] of [
    ['does not trust an unknown authority', () => ({}), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['trusts NODE_EXTRA_CA_CERTS', () => ({ env: { NODE_EXTRA_CA_CERTS: pki.path('ca.pem') } }), true],
    ['trusts NODE_EXTRA_CA_CERTS with --use-openssl-ca',
      () => ({ flags: ['--use-openssl-ca'], env: { NODE_EXTRA_CA_CERTS: pki.path('ca.pem') } }), true],
    ['trusts SSL_CERT_FILE with --use-openssl-ca',
      () => ({ flags: ['--use-openssl-ca'], env: { SSL_CERT_FILE: pki.path('ca.pem') } }), true],
    ['does not trust SSL_CERT_FILE without it',
      () => ({ env: { SSL_CERT_FILE: pki.path('ca.pem') } }), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['does not trust SSL_CERT_FILE with --use-bundled-ca',
      () => ({ flags: ['--use-bundled-ca'], env: { SSL_CERT_FILE: pki.path('ca.pem') } }), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ]) {
    it(title, async () => {
      assert.strictEqual(await trusts(port, settings()), expected);
    });
  }

  it('trusts SSL_CERT_DIR with --use-openssl-ca, files named by their hash', async () => {
    const flags = ['--use-openssl-ca'];
    const hashed = folderWith(hashName());
    hashed.add();
    assert.strictEqual(await trusts(port, { flags, env: { SSL_CERT_DIR: hashed.folder, SSL_CERT_FILE: '/none' } }), true);
    const plain = folderWith('ca.pem');
    plain.add();
    assert.strictEqual(await trusts(port, { flags, env: { SSL_CERT_DIR: plain.folder, SSL_CERT_FILE: '/none' } }),
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  it('trusts the system with NODE_USE_SYSTEM_CA', async function() {
    if (nodeHas ? NODE < 24 : stock) this.skip();
    const env = { NODE_USE_SYSTEM_CA: '1', SSL_CERT_FILE: pki.path('ca.pem') };
    assert.strictEqual(await trusts(port, { env }), true);
    assert.strictEqual(await trusts(port, { env: { ...env, NODE_USE_SYSTEM_CA: '0' } }), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  it('trusts what setDefaultCACertificates was given, and that alone', async function() {
    if (stock && !tls.setDefaultCACertificates) this.skip();
    assert.strictEqual(await trusts(port, {}, 'tls.setDefaultCACertificates([pki.ca]);'), true);
    const env = { NODE_EXTRA_CA_CERTS: pki.path('ca.pem') };
    for (const certs of ['[]', '[pki.read("otherca.pem")]']) {
      assert.notStrictEqual(await trusts(port, { env }, `tls.setDefaultCACertificates(${certs});`), true);
    }
  });

  it('trusts as it did when its context was made', async function() {
    if (stock && !tls.setDefaultCACertificates) this.skip();
    const env = { NODE_EXTRA_CA_CERTS: pki.path('ca.pem') };
    const before = `
      const secureContext = tls.createSecureContext();
      tls.setDefaultCACertificates([]);
      const { connect } = tls;
      tls.connect = (options) => connect({ ...options, secureContext });
    `;
    assert.strictEqual(await trusts(port, { env }, before), true);
  });
});

describe('setDefaultCACertificates', () => {
  before(function() {
    if (stock && !nodeHas) this.skip();
  });

  it('takes text and views, several certificates in one, and tells each once', async () => {
    const { value } = await evaluate(`
      const [a, b, c] = tls.rootCertificates;
      tls.setDefaultCACertificates([a + '\\n' + b, Buffer.from(b), new Uint8Array(Buffer.from(c))]);
      const list = tls.getCACertificates();
      return { found: fingerprints(list).sort(), frozen: Object.isFrozen(list), same: tls.getCACertificates() === list,
        wanted: fingerprints([a, b, c]).sort(), bundled: tls.getCACertificates('bundled').length };
    `);
    assert.deepStrictEqual(value.found, value.wanted);
    assert.strictEqual(value.frozen && value.same, true);
    assert.strictEqual(value.bundled, nodeTls.rootCertificates.length);
  });

  it('an empty array: nobody is trusted', async () => {
    const { value } = await evaluate('tls.setDefaultCACertificates([]); return tls.getCACertificates().length;');
    assert.strictEqual(value, 0);
  });

  it('refuses what is no array of PEM, and changes nothing then', () => {
    const before = tls.getCACertificates();
    for (const [certs, code] of [
      [undefined, 'ERR_INVALID_ARG_TYPE'], ['x', 'ERR_INVALID_ARG_TYPE'], [{}, 'ERR_INVALID_ARG_TYPE'],
      [[1], 'ERR_INVALID_ARG_TYPE'], [[null], 'ERR_INVALID_ARG_TYPE'], [[pki.ca, {}], 'ERR_INVALID_ARG_TYPE'],
      [['nonsense'], 'ERR_CRYPTO_OPERATION_FAILED'],
    ]) {
      assert.throws(() => tls.setDefaultCACertificates(certs), { code });
    }
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    assert.throws(() => tls.setDefaultCACertificates([pki.ca + broken]), { code: /^ERR_OSSL_/ });
    assert.strictEqual(tls.getCACertificates(), before);
  });

  it('does not touch a context with a `ca`', async () => {
    const { port } = await serve(tls);
    const { value } = await evaluate(`
      tls.setDefaultCACertificates([]);
      const socket = tls.connect({ port: ${port}, host: '127.0.0.1', servername: 'localhost', ca: pki.ca });
      await require('events').once(socket, 'secureConnect');
      socket.destroy();
      return socket.authorized;
    `);
    assert.strictEqual(value, true);
  });

  it('is a thread\'s own', async () => {
    const { value } = await evaluate(`
      const { Worker } = require('worker_threads');
      tls.setDefaultCACertificates([]);
      const subject = ${JSON.stringify(stock ? 'tls' : path.join(__dirname, '..', '..'))};
      const worker = new Worker('require("worker_threads").parentPort.postMessage(require(' + JSON.stringify(subject) +
        ').getCACertificates().length)', { eval: true });
      const [length] = await require('events').once(worker, 'message');
      return length;
    `);
    assert.strictEqual(value, nodeTls.rootCertificates.length);
  });
});

describe('allowPartialTrustChain', () => {
  it('lets an intermediate be the end of trust', async () => {
    const { port } = await serve(tls, { key: pki.read('deep.key'), cert: pki.read('chain.pem') });
    const ca = pki.read('intermediate.pem');
    const client = dial(tls, port, { ca });
    const [error] = await event(client, 'error');
    assert.strictEqual(error.code, 'UNABLE_TO_GET_ISSUER_CERT');
    if (stock && NODE < 20) return;
    assert.strictEqual((await dialSecure(tls, port, { ca, allowPartialTrustChain: true })).authorized, true);
  });
});
