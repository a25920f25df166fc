'use strict';

// How the addon is found and built: the loader's places and errors, and what npm's install script does.

const assert = require('assert');
const { execFileSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { localFileName, platformTriple } = require('../../locate-binding');
const { isInstalled, run } = require('../support/program');
const { stock } = require('../support/subject');

const ROOT = path.join(__dirname, '..', '..');

describe('the loaded addon', () => {
  before(function () {
    if (stock) this.skip();
  });

  it('knows its OpenSSL and its own version, and needs no OpenSSL of the system', function () {
    const { versions } = require('../../binding');
    assert.match(versions().openssl, /^3\.6\.\d+$/);
    assert.strictEqual(versions().c4tls, require('../../package.json').version);
    if (process.platform !== 'linux' || !isInstalled('ldd')) return;
    const [file] = Object.keys(require.cache).filter((name) => name.endsWith('.node'));
    assert.doesNotMatch(execFileSync('ldd', [file], { encoding: 'utf8' }), /libssl|libcrypto/);
  });
});

/** A new folder with copies of these files of the package. */
function copyOut(...names) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-addon-'));
  for (const name of names) {
    fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    fs.copyFileSync(path.join(ROOT, name), path.join(dir, name));
  }
  return dir;
}

describe('the loader', () => {
  /** Copies the loader into a package of its own, so that nothing else is found beside it. */
  function makePackage(files = {}) {
    const dir = copyOut('binding.js', 'locate-binding.js', 'package.json');
    for (const [name, content] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
      fs.writeFileSync(path.join(dir, name), content);
    }
    return dir;
  }

  /** What loading gives in a node of its own: {code, message} of the error, or {value}. */
  async function load(files, env) {
    const dir = makePackage(files);
    try {
      const { stdout } = await run(process.execPath, ['-e', `
        try { console.log(JSON.stringify({ value: require('./binding') })); }
        catch ({ code, message }) { console.log(JSON.stringify({ code, message })); }`], {
        cwd: dir, env: { ...process.env, C4TLS_BINDING: '', ...env },
      });
      return JSON.parse(stdout);
    } finally {
      fs.rmSync(dir, { recursive: true });
    }
  }

  const prebuilt = `node_modules/c4tls-${platformTriple()}`;
  const { version } = require('../../package.json');

  it('says in one line with ERR_C4TLS_BINDING that there is no addon, and what to do', async () => {
    const { code, message } = await load();
    assert.strictEqual(code, 'ERR_C4TLS_BINDING');
    assert.match(message, /^c4tls: the native addon does not load: there is no .*npm rebuild c4tls.*$/);
    assert.strictEqual(message.includes('\n'), false);
  });

  it('says why a file does not load', async () => {
    const { code, message } = await load({ [localFileName()]: 'no library' });
    assert.strictEqual(code, 'ERR_C4TLS_BINDING');
    assert.match(message, /file too short|invalid ELF|not a mach-o|not a valid Win32/i);
  });

  it('takes the platform package of the same version', async () => {
    const files = { [`${prebuilt}/index.js`]: 'module.exports = 1;' };
    const found = await load({ ...files, [`${prebuilt}/package.json`]: JSON.stringify({ version }) });
    assert.deepStrictEqual(found, { value: 1 });
    const other = await load({ ...files, [`${prebuilt}/package.json`]: JSON.stringify({ version: '0.0.1' }) });
    assert.strictEqual(other.code, 'ERR_C4TLS_BINDING');
    assert.match(other.message, /is version 0\.0\.1, not /);
  });

  it('takes what C4TLS_BINDING names, and nothing else', async () => {
    const found = await load({ 'mine.js': 'module.exports = 2;' }, { C4TLS_BINDING: 'mine.js' });
    assert.deepStrictEqual(found, { value: 2 });
    const missing = await load({ [`${prebuilt}/index.js`]: 'module.exports = 1;',
      [`${prebuilt}/package.json`]: JSON.stringify({ version }) }, { C4TLS_BINDING: 'missing.node' });
    assert.strictEqual(missing.code, 'ERR_C4TLS_BINDING');
    assert.match(missing.message, /C4TLS_BINDING names missing\.node/);
  });
});

describe('the install script', () => {
  const script = path.join(ROOT, 'scripts', 'install.js');

  it('has nothing to do where the local build is fresh, in less than two seconds', async function () {
    const built = path.join(ROOT, localFileName());
    if (!fs.existsSync(built)) this.skip();   // the addon comes from elsewhere (C4TLS_BINDING)
    const started = Date.now();
    const { code, stdout, stderr } = await run(process.execPath, [script], { env: { ...process.env, PATH: '/nowhere' } });
    assert.deepStrictEqual([code, stdout, stderr], [0, '', '']);
    assert.ok(Date.now() - started < 2000);
  });

  it('says in one line what is missing', async function () {
    const dir = copyOut('locate-binding.js', 'package.json', 'scripts/install.js', 'scripts/build.js');
    try {
      const { code, stderr } = await run(process.execPath, [path.join(dir, 'scripts', 'install.js')], {
        cwd: dir, env: { PATH: '/nowhere', HOME: dir, CARGO_HOME: dir },
      });
      assert.strictEqual(code, 1);
      assert.match(stderr, /^c4tls: there is no prebuilt addon for .*\n$/);
      assert.match(stderr, /building it needs Rust \(https:\/\/rustup\.rs\), perl/);
    } finally {
      fs.rmSync(dir, { recursive: true });
    }
  });
});
