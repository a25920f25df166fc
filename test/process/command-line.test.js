'use strict';

// Settings of the whole process that Node's tls heeds. Each program runs under Node's tls and under ours.

const assert = require('assert');
const fs = require('fs');
const pki = require('../support/pki');
const { stock } = require('../support/subject');
const { runBoth } = require('../support/node-program');

/** A server and a client with these options; prints how the connection came out. Needs `report`. */
const TALK = `
  const talk = (serverOptions = {}, clientOptions = {}) => new Promise((resolve) => {
    let client;
    const server = tls.createServer({ ...pki.pair('ec'), ...serverOptions }, (socket) => socket.end('hello'));
    server.on('tlsClientError', () => {});
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      client = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: pki.ca, ...clientOptions });
      let outcome;
      client.on('secureConnect', () => { outcome = [client.getProtocol(), client.getCipher().name, client.authorized]; });
      client.on('error', (error) => { outcome = error.code; });
      client.resume().on('close', () => server.close(() => resolve(outcome)));
    });
  });
  const report = {};
  process.on('exit', () => console.log(JSON.stringify(report)));
`;

const DEFAULTS = ['DEFAULT_MIN_VERSION', 'DEFAULT_MAX_VERSION', 'DEFAULT_CIPHERS'];

/** What is independent of process ids, and of how OpenSSL's versions word a refusal. */
function comparable({ code, stdout, stderr }) {
  return { code, stderr: stderr.replace(/\(node:\d+\)/g, '(node)'), report: JSON.parse(stdout) };
}

/** Runs the program under both and expects the same; resolves with what it was. */
async function same(source, options) {
  const [theirs, ours] = (await runBoth(TALK + source, options)).map(comparable);
  assert.deepStrictEqual(ours, theirs);
  assert.strictEqual(ours.code, 0, ours.stderr);
  return ours;
}

/** How a flag is given: on the command line or in NODE_OPTIONS. */
const WAYS = [
  ['on the command line', (...flags) => ({ flags })],
  ['in NODE_OPTIONS', (...flags) => ({ env: { NODE_OPTIONS: flags.join(' ') } })],
];

describe('settings of the process', () => {
  for (const [way, given] of WAYS) {
    const VERSIONS = `
      for (const name of ${JSON.stringify(DEFAULTS.slice(0, 2))}) report[name] = tls[name];
      (async () => {
        report.plain = await talk();
        const old = { ciphers: 'DEFAULT:@SECLEVEL=0' };
        for (const version of ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']) {
          // The other side takes anything: the defaults decide.
          const any = { minVersion: 'TLSv1', maxVersion: 'TLSv1.3', ...old };
          const only = { minVersion: version, maxVersion: version, ...old };
          const worked = (outcome) => Array.isArray(outcome) && outcome[0];
          report[version] = [worked(await talk(old, only)), worked(await talk(only, old)), worked(await talk(any, only))];
        }
      })();`;
    for (const [flags, min, max] of [
      [['--tls-min-v1.0'], 'TLSv1', 'TLSv1.3'],
      [['--tls-min-v1.1'], 'TLSv1.1', 'TLSv1.3'],
      [['--tls-min-v1.2'], 'TLSv1.2', 'TLSv1.3'],
      [['--tls-min-v1.3'], 'TLSv1.3', 'TLSv1.3'],
      [['--tls-max-v1.2'], 'TLSv1.2', 'TLSv1.2'],
      [['--tls-max-v1.3'], 'TLSv1.2', 'TLSv1.3'],
      [['--tls-min-v1.0', '--tls-max-v1.2'], 'TLSv1', 'TLSv1.2'],
    ]) {
      it(`${flags.join(' ')} ${way}`, async () => {
        const { report } = await same(VERSIONS, given(...flags));
        assert.deepStrictEqual([report.DEFAULT_MIN_VERSION, report.DEFAULT_MAX_VERSION], [min, max]);
        for (const version of ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']) {
          const within = min <= version && version <= max && version;
          assert.deepStrictEqual(report[version], [within, within, version]);
        }
      });
    }

    it(`--tls-cipher-list ${way}`, async () => {
      const { report } = await same(`
        report.list = tls.DEFAULT_CIPHERS;
        (async () => {
          report.old = await talk({ maxVersion: 'TLSv1.2' });
          report.new = await talk();
          report.own = await talk({ ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384', maxVersion: 'TLSv1.2' },
                                  { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' });
        })();`, given('--tls-cipher-list=ECDHE-ECDSA-CHACHA20-POLY1305:TLS_CHACHA20_POLY1305_SHA256'));
      assert.deepStrictEqual(report, {
        list: 'ECDHE-ECDSA-CHACHA20-POLY1305:TLS_CHACHA20_POLY1305_SHA256',
        old: ['TLSv1.2', 'ECDHE-ECDSA-CHACHA20-POLY1305', true],
        new: ['TLSv1.3', 'TLS_CHACHA20_POLY1305_SHA256', true],
        own: ['TLSv1.2', 'ECDHE-ECDSA-AES256-GCM-SHA384', true],
      });
    });

    it(`--tls-keylog ${way}`, async () => {
      // Quotes keep the space together in NODE_OPTIONS.
      const file = pki.path('key log');
      const quoted = way.includes('NODE_OPTIONS') ? `"${file}"` : file;
      const { report, stderr } = await same(`
        const fs = require('fs');
        (async () => {
          await talk();
          await talk({ maxVersion: 'TLSv1.2' });
          // Lines are appended as they come, both sides' to the same file.
          for (;;) {
            const lines = fs.readFileSync(${JSON.stringify(file)}, 'utf8').split('\\n').filter(Boolean);
            const good = lines.filter((line) => /^[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]+$/.test(line));
            const labels = new Set(good.map((line) => line.split(' ')[0]));
            report.labels = [...labels].sort();
            report.good = good.length === lines.length;
            if (labels.size >= 6) break;
            await new Promise(setImmediate);
          }
          report.mode = (fs.statSync(${JSON.stringify(file)}).mode & 0o777).toString(8);
        })();`, given(`--tls-keylog=${quoted}`));
      assert.ok(report.good && report.labels.includes('CLIENT_RANDOM') && report.labels.includes('EXPORTER_SECRET'));
      assert.match(stderr, /Warning: Using --tls-keylog makes TLS connections insecure/);
      fs.rmSync(file);
    });

    it(`--trace-tls ${way}`, async () => {
      const results = await runBoth(`${TALK} talk().then((outcome) => { report.outcome = outcome; });`,
        given('--trace-tls'));
      const [theirs, ours] = results.map(comparable);
      const warning = ({ stderr }) => stderr.split('\n').filter((line) => line.includes('Warning:'));
      assert.deepStrictEqual([ours.code, ours.report, warning(ours)], [theirs.code, theirs.report, warning(theirs)]);
      assert.strictEqual(warning(ours).length, 1);
      // Our trace names what Node's prints in full. (Of that the pipe may lose a part.)
      for (const message of ['ClientHello', 'ServerHello', 'EncryptedExtensions', 'CertificateVerify', 'Finished']) {
        assert.match(ours.stderr, new RegExp(`Sent TLS 1.3 Handshake: ${message}, `));
        assert.match(ours.stderr, new RegExp(`Received TLS 1.3 Handshake: ${message}, `));
      }
    });
  }

  it('--no-trace-tls after --trace-tls', async () => {
    const { stderr } = await same('talk();', { flags: ['--trace-tls', '--no-trace-tls'] });
    assert.strictEqual(stderr, '');
  });

  const UNTRUSTED = '(async () => { for (const n of [1, 2]) report[n] = await talk({}, { ca: undefined }); })();';

  it('NODE_TLS_REJECT_UNAUTHORIZED=0 trusts anybody, with one warning', async () => {
    const { report, stderr } = await same(UNTRUSTED, { env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } });
    assert.deepStrictEqual([report[1][2], report[2][2]], [false, false]);
    assert.strictEqual(stderr.match(/NODE_TLS_REJECT_UNAUTHORIZED/g).length, 1);
  });

  for (const value of ['1', 'false', '', undefined]) {
    it(`NODE_TLS_REJECT_UNAUTHORIZED=${value} trusts no one the more`, async () => {
      const env = value === undefined ? {} : { NODE_TLS_REJECT_UNAUTHORIZED: value };
      const { report, stderr } = await same(UNTRUSTED, { env });
      assert.deepStrictEqual([report, stderr], [{
        1: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 2: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      }, '']);
    });
  }

  it('NODE_TLS_REJECT_UNAUTHORIZED counts when it is set in the program, and options win', async () => {
    const { report } = await same(`(async () => {
      process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
      report.set = await talk({}, { ca: undefined });
      report.option = await talk({}, { ca: undefined, rejectUnauthorized: true });
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      report.unset = await talk({}, { ca: undefined });
    })();`);
    assert.deepStrictEqual([Array.isArray(report.set), report.option, report.unset],
      [true, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE']);
  });

  it('a program that changes the defaults of the module is heeded', async function() {
    // Node's own module object has read-only names for import only.
    if (stock) this.skip();
    const { report } = await same(`(async () => {
      tls.DEFAULT_MAX_VERSION = 'TLSv1.2';
      tls.DEFAULT_CIPHERS = 'ECDHE-ECDSA-AES256-GCM-SHA384';
      report.outcome = await talk();
    })();`);
    assert.deepStrictEqual(report.outcome, ['TLSv1.2', 'ECDHE-ECDSA-AES256-GCM-SHA384', true]);
  });
});
