'use strict';

// Runs the quick scripts of an audit folder (C4TLS_AUDIT_DIR, or ../shared/audit beside the checkout) against our
// server, for CI: more clients and scanners than this repository carries. Prints a line for each and ends with
// "audit: N passed, N failed"; where there is no such folder, it says so and succeeds.

const { once } = require('events');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { spawn, spawnSync } = require('child_process');
const tls = require('../..');

const ROOT = path.join(__dirname, '..', '..');
const DIR = process.env.C4TLS_AUDIT_DIR || path.join(ROOT, '..', 'shared', 'audit');

/** Longest run of one script, in milliseconds. */
const LIMIT = 120_000;

const CLIENTS = ['openssl', 'curl', 'python-ssl', 'gnutls'];
const OTHERS = ['slow-handshake', 'bulk', 'resume', 'sslscan'];

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-audit-'));
process.on('exit', () => fs.rmSync(dir, { recursive: true, force: true }));
const pem = (name) => path.join(dir, name);
const read = (name) => fs.readFileSync(pem(name));

async function serve(options) {
  const server = tls.createServer({
    key: read('ec.key'), cert: read('ec.pem'), ca: read('ca.pem'), handshakeTimeout: 10_000, ...options,
  }, (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** Runs one script; true when it is content. */
async function runScript(name, server, { pair, env } = {}) {
  const args = ['127.0.0.1', String(server.address().port), pem('ca.pem'), ...(pair ? [pem(`${pair}.pem`), pem(`${pair}.key`)] : [])];
  const child = spawn(path.join(DIR, 'tools', `${name}.sh`), args, {
    env: { ...process.env, ...env, DEBIAN_FRONTEND: 'noninteractive' }, stdio: ['ignore', 'pipe', 'pipe'], timeout: LIMIT,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => {
    output += text;
  });
  const [code] = await once(child, 'close');
  const setting = [pair, ...Object.entries(env ?? {}).map(([key, value]) => `${key}=${value}`)].filter(Boolean).join(' ');
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${setting ? `(${setting}) ` : ''}${output.trim()}`);
  return code === 0;
}

async function main() {
  if (!fs.existsSync(path.join(DIR, 'make-pki.sh'))) {
    console.log(`audit: no scripts in ${DIR}: skipped`);
    return;
  }
  spawnSync(path.join(DIR, 'make-pki.sh'), [dir], { stdio: 'ignore' });
  const plain = await serve();
  const rsa = await serve({ key: read('rsa.key'), cert: read('rsa.pem') });
  const mutual = await serve({ requestCert: true });
  const count = { passed: 0, failed: 0 };
  const note = (passed) => count[passed ? 'passed' : 'failed']++;
  for (const TLSVER of ['1.2', '1.3']) {
    for (const name of CLIENTS) {
      for (const server of [plain, rsa]) note(await runScript(name, server, { env: { TLSVER } }));
      note(await runScript(name, mutual, { pair: 'client', env: { TLSVER } }));
      for (const pair of [undefined, 'client-untrusted', 'client-expired', 'client-wrongeku']) {
        note(await runScript(name, mutual, { pair, env: { TLSVER, EXPECT: 'refused' } }));
      }
    }
  }
  for (const name of OTHERS) note(await runScript(name, plain, { env: { MIB: '16', SERVER_PID: String(process.pid) } }));
  for (const server of [plain, rsa, mutual]) server.close();
  console.log(`audit: ${count.passed} passed, ${count.failed} failed`);
  process.exitCode = count.failed > 0 ? 1 : 0;
}

main();
