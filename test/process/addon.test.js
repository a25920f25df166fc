'use strict';

// The compiled addon: what it exports, where it can be loaded, and what is said when it cannot.

const assert = require('assert');
const fs = require('fs');
const path = require('path');
const { once } = require('events');
const { Worker } = require('worker_threads');
const pki = require('../support/pki');
const { stock } = require('../support/subject');
const { itWith, run } = require('../support/program');
const { runNode } = require('../support/node-program');
const { track } = require('../support/cleanup');
const { within } = require('../support/time');

const ROOT = path.join(__dirname, '..', '..');

/** Path of the addon that this process has loaded. */
function addonPath() {
  require('../../binding');
  return Object.keys(require.cache).find((name) => name.endsWith('.node'));
}

describe('the addon', () => {
  before(function () {
    if (stock) this.skip();
  });

  if (process.platform === 'linux') {
    itWith('nm', 'exports nothing of OpenSSL, only what Node-API asks for', async () => {
      const { code, stdout } = await run('nm', ['-D', '--defined-only', addonPath()]);
      assert.strictEqual(code, 0);
      const names = stdout.trim().split('\n').map((line) => line.split(' ').at(-1).replace(/@.*/, ''));
      assert.ok(names.includes('napi_register_module_v1'), names.slice(0, 20).join(' '));
      assert.deepStrictEqual(names.filter((name) => !/^_?napi_/.test(name)), []);
    });

    itWith('nm', 'takes nothing of OpenSSL from the node that loads it', async () => {
      const { stdout } = await run('nm', ['-D', '--undefined-only', addonPath()]);
      const foreign = stdout.trim().split('\n').map((line) => line.trim().split(' ').at(-1))
        .filter((name) => /^(?:SSL|TLS|BIO|EVP|X509|ERR|OPENSSL|CRYPTO|RSA|EC|PEM|ASN1)_/.test(name));
      assert.deepStrictEqual(foreign, []);
    });
  }

  it('loads in the main thread and in two Workers, each with a state of its own', async () => {
    require('../..');
    const source = `
      const tls = require(${JSON.stringify(ROOT)});
      const pair = tls.generateCertificate();
      const server = tls.createServer(pair, (s) => s.end('hello'));
      server.listen(0, '127.0.0.1', () => {
        tls.connect({ port: server.address().port, servername: 'localhost', ca: pair.cert }, function() {
          this.on('data', (text) => require('worker_threads').parentPort.postMessage(String(text)));
        }).on('close', () => server.close());
      });`;
    const ends = [1, 2].map(async () => {
      const worker = track(new Worker(source, { eval: true }));
      const [[message], [code]] = await within(8000, Promise.all([once(worker, 'message'), once(worker, 'exit')]),
                                               'a message and the end of a Worker');
      return { message, code };
    });
    assert.deepStrictEqual(await Promise.all(ends), [{ message: 'hello', code: 0 }, { message: 'hello', code: 0 }]);
  });

  it('loads once for both module systems and all ways to its name', async () => {
    const { stdout, stderr } = await runNode(`
      import(${JSON.stringify(path.join(ROOT, 'index.mjs'))}).then((module) => {
        console.log(module.default === tls, require('c4tls') === tls);
      });`, { timeout: 8000 });
    assert.deepStrictEqual({ stdout, stderr }, { stdout: 'true true\n', stderr: '' });
  });

  it('that is missing or broken is one clear error', async () => {
    const broken = path.join(path.dirname(pki.path('ca.pem')), 'broken.node');
    fs.writeFileSync(broken, 'no addon at all');
    for (const file of [path.join(__dirname, 'no-such.node'), broken]) {
      const { code, stdout, stderr } = await run(process.execPath, ['-e', `
        try {
          require(${JSON.stringify(ROOT)});
        } catch (error) {
          console.log(JSON.stringify({ code: error.code, message: error.message, cause: error.cause?.message }));
        }`], { env: { ...process.env, C4TLS_BINDING: file } });
      assert.strictEqual(code, 0, stderr);
      const error = JSON.parse(stdout);
      assert.strictEqual(error.code, 'ERR_C4TLS_BINDING');
      assert.ok(error.message.startsWith(`c4tls: C4TLS_BINDING names ${file}, which does not load: `), error.message);
      assert.ok(error.cause);
      assert.strictEqual(error.message.includes('\n'), false);
    }
  });
});
