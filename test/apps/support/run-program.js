'use strict';

// Runs a program of ../programs unmodified, once with Node's TLS and once with c4tls/register before it.

const assert = require('assert');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { pkiEnv } = require('../../support/node-program');
const { run } = require('../../support/program');

const PROGRAMS = path.join(__dirname, '..', 'programs');
const REGISTER = path.join(__dirname, '..', '..', '..', 'register.js');
const WITNESS = path.join(__dirname, 'witness.js');
const LIFETIME = 40_000;      // ms

/** Runs the program: {result, seen}, what it printed as JSON and what the witness saw. */
async function runProgram(name, env) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-app-'));
  const file = path.join(dir, 'seen.json');
  try {
    const { code, stdout, stderr } = await run(
      process.execPath, ['-r', REGISTER, '-r', WITNESS, path.join(PROGRAMS, name)],
      { timeout: LIFETIME, env: { ...pkiEnv(), ...env, C4TLS_WITNESS: file } });
    assert.strictEqual(code, 0, `${name}: ${stdout}${stderr}`);
    return { result: JSON.parse(stdout), seen: JSON.parse(fs.readFileSync(file, 'utf8')) };
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

/**
 * Runs the program with Node's TLS and with c4tls, which must have done all of it, and holds what both print against
 * each other. Resolves with the result.
 * @param {{client?: boolean, server?: boolean}} roles of TLS that the program has
 */
async function compare(name, roles, env = {}) {
  const stock = await runProgram(name, { ...env, C4TLS_DISABLE: '1' });
  assert.ok(stock.seen.node > 0, `${name} uses TLS`);
  assert.deepStrictEqual([stock.seen.client, stock.seen.server], [0, 0], 'C4TLS_DISABLE=1 leaves Node\'s TLS');
  const { result, seen } = await runProgram(name, env);
  assert.strictEqual(seen.node, 0, `${seen.node} connections of ${name} were Node's`);
  assert.deepStrictEqual([seen.client > 0, seen.server > 0], [!!roles.client, !!roles.server]);
  assert.deepStrictEqual(result, stock.result);
  return result;
}

module.exports = { compare };
