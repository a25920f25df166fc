'use strict';

// What is left of a password and of a decrypted key in the process that was given them: its memory is read from
// outside.

const assert = require('assert');
const { randomBytes } = require('crypto');
const { execFileSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const pki = require('../support/pki');
const { scanMemory } = require('../support/memory-scan');
const { start } = require('../support/program');
const { stock } = require('../support/subject');

const ROOT = path.join(__dirname, '..', '..');
const KEEPER = path.join(__dirname, 'secret-keeper.js');
const MIB = 1 << 20;

/** Long enough that no piece of it can be anywhere by chance. */
const PASSWORD = randomBytes(36).toString('base64url');
const PIECE = 16;

let folder;

function openssl(...args) {
  return execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], timeout: 30_000 });
}

/** `plain.key` and `ec-plain.key`, and under PASSWORD what is made of them and their certificates. */
function makeFiles() {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-secrets-'));
  const copies = { 'rsa.pem': 'rsa.pem', 'ec.pem': 'ec.pem', 'rsa.key': 'plain.key', 'ec.key': 'ec-plain.key' };
  for (const [from, to] of Object.entries(copies)) fs.copyFileSync(pki.path(from), path.join(folder, to));
  const pass = `pass:${PASSWORD}`;
  openssl('pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-in', 'plain.key', '-passout', pass, '-out', 'pkcs8.key');
  openssl('pkcs8', '-topk8', '-v1', 'PBE-SHA1-3DES', '-in', 'plain.key', '-passout', pass, '-out', 'pkcs8-old.key');
  openssl('rsa', '-aes128', '-traditional', '-in', 'plain.key', '-passout', pass, '-out', 'pkcs1.key');
  openssl('ec', '-aes128', '-in', 'ec-plain.key', '-passout', pass, '-out', 'sec1.key');
  const bundle = ['pkcs12', '-export', '-in', 'rsa.pem', '-inkey', 'plain.key', '-passout', pass];
  openssl(...bundle, '-out', 'new.pfx');
  openssl(...bundle, '-legacy', '-out', 'old.pfx');
}

/** Pieces of the password as bytes, as V8's two-byte strings and as PKCS#12 has them (UTF-16, big endian). */
function passwordPatterns() {
  const patterns = {};
  for (let at = 0; at + PIECE <= PASSWORD.length; at += PIECE) {
    const piece = PASSWORD.slice(at, at + PIECE);
    patterns[`password, ${at}`] = Buffer.from(piece);
    patterns[`password in UTF-16 LE, ${at}`] = Buffer.from(piece, 'utf16le');
    patterns[`password in UTF-16 BE, ${at}`] = Buffer.from(piece, 'utf16le').swap16();
  }
  return patterns;
}

/**
 * Pieces of the key's PEM, and of the DER in it, in PKCS#8 and in the traditional form, which begins elsewhere and so
 * has other characters. What comes first in a large key is its public part.
 */
function keyPatterns(file) {
  const forms = {
    'PKCS#8': openssl('pkcs8', '-topk8', '-nocrypt', '-in', file),
    'traditional': openssl('pkey', '-in', file, '-traditional'),
  };
  const patterns = {};
  for (const [form, pem] of Object.entries(forms)) {
    const lines = String(pem).split('\n').filter((line) => line.length === 64);
    const secret = lines.length > 10 ? lines.slice(9) : lines.slice(0, 1);
    secret.forEach((line, index) => {
      if (index % 5 !== 0) return;
      const piece = line.slice(32);
      patterns[`${form} in PEM, line ${index}`] = Buffer.from(piece);
      patterns[`${form} in DER, line ${index}`] = Buffer.from(piece, 'base64');
    });
  }
  return patterns;
}

/** Starts the keeper, and resolves with it once it has made its context, and what it says of that. */
async function keep(options, password = PASSWORD) {
  const settings = { base: folder, passwordLength: password.length, certificate: 'rsa.pem', ...options };
  const argument = JSON.stringify(settings);
  const keeper = start(process.execPath, [KEEPER, argument], { cwd: ROOT, stdio: ['pipe', 'pipe', 'pipe', 'ipc'] });
  keeper.write(password);
  const [, result] = await keeper.waitFor(/^(.+)\n/);
  return { keeper, result };
}

describe('secrets', function () {
  before(function () {
    if (stock || process.platform !== 'linux') this.skip();
    makeFiles();
  });

  after(() => {
    if (folder) fs.rmSync(folder, { recursive: true, force: true });
  });

  it('C4-45: the search finds a password, and a key\'s PEM, that a program keeps', async () => {
    const patterns = { ...passwordPatterns(), ...keyPatterns('plain.key') };
    const found = async (what) => {
      const { keeper } = await keep({ privateKey: 'pkcs8.key', keep: what });
      const { found: list, scanned } = scanMemory(keeper.pid, patterns);
      assert.ok(scanned > 32 * MIB, `${scanned} bytes`);
      return new Set(list.map((line) => line.split(',')[0]));
    };
    assert.deepStrictEqual(await found('password'), new Set(['password']));
    assert.deepStrictEqual(await found('key'), new Set(['PKCS#8 in PEM']));
  });

  for (const [title, options, key = 'plain.key'] of [
    ['a PKCS#8 key (AES), as text', { privateKey: 'pkcs8.key', keyAsText: true }],
    ['a PKCS#8 key (AES), as a file', { privateKey: 'pkcs8.key' }],
    ['a PKCS#8 key (3DES of PKCS#12), as a file', { privateKey: 'pkcs8-old.key' }],
    ['a PKCS#1 key, as text', { privateKey: 'pkcs1.key', keyAsText: true }],
    ['a SEC1 key, as a file', { certificate: 'ec.pem', privateKey: 'sec1.key' }, 'ec-plain.key'],
    ['a PKCS#12 file', { certificate: 'new.pfx' }],
    ['a PKCS#12 file of an old tool', { certificate: 'old.pfx' }],
    ['a key that is not encrypted, as a file', { privateKey: 'plain.key' }],
  ]) {
    it(`C4-45: nothing is left of the password of ${title}, nor of the key's PEM or DER`, async () => {
      const { keeper, result } = await keep(options);
      assert.strictEqual(result, 'loaded');
      const { found } = scanMemory(keeper.pid, { ...passwordPatterns(), ...keyPatterns(key) });
      assert.deepStrictEqual(found, []);
    });
  }

  for (const [title, options] of [
    ['a PKCS#8 key', { privateKey: 'pkcs8.key' }],
    ['a PKCS#1 key', { privateKey: 'pkcs1.key' }],
    ['a PKCS#12 file', { certificate: 'new.pfx' }],
    ['a PKCS#12 file of an old tool', { certificate: 'old.pfx' }],
  ]) {
    it(`C4-45: a wrong password of ${title} is in no message, and not left in memory`, async () => {
      const wrong = [...PASSWORD].reverse().join('');
      const { keeper, result } = await keep(options, wrong);
      const { code, text } = JSON.parse(result);
      assert.strictEqual(code, 'ERR_C4TLS_WRONG_PASSWORD');
      for (const secret of [wrong, folder]) assert.ok(!text.includes(secret), text);
      const pieces = { password: Buffer.from(wrong.slice(0, PIECE)), end: Buffer.from(wrong.slice(-PIECE)) };
      assert.deepStrictEqual(scanMemory(keeper.pid, pieces).found, []);
    });
  }
});
