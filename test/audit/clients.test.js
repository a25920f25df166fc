'use strict';

// Independent TLS clients against our echo server: TLS 1.2 and 1.3; plain, mutual, and refused.

const assert = require('assert');
const path = require('path');
const pki = require('../support/pki');
const { subject, betterThanNode } = require('../support/subject');
const { isInstalled, run, start } = require('../support/program');
const { serve } = require('../support/net');

const LINE = 'a line there and back';

/** Talks through an interactive client: true when the line comes back, false when the client ends without. */
async function talk(file, args) {
  const client = start(file, args);
  client.write(`${LINE}\n`);
  try {
    await client.waitFor(new RegExp(`^${LINE}$`, 'm'));
    return true;
  } catch (error) {
    if (client.child.exitCode === null) throw error;
    return false;
  } finally {
    await client.kill();
  }
}

/** Runs a client that says by its exit code, 0 or 1, whether it was served. */
async function ask(file, args, options) {
  const { code, stderr } = await run(file, args, options);
  assert.ok(code === 0 || code === 1, `${file} ended with ${code}\n${stderr}`);
  return code === 0;
}

/** Where the compiled Java client is, for as long as the certificates. */
const classes = () => path.dirname(pki.path('ca.pem'));

/** Each resolves with true when it was served, false when it was refused. `pair` is [cert file, key file] or []. */
const CLIENTS = {
  openssl: {
    probe: ['version'],
    connect: (port, version, [cert, key]) => talk('openssl', [
      's_client', '-connect', `localhost:${port}`, '-CAfile', pki.path('ca.pem'), '-verify_return_error', '-quiet',
      '-verify_hostname', 'localhost', `-tls${version.replace('.', '_')}`, ...(cert ? ['-cert', cert, '-key', key] : []),
    ]),
  },
  curl: {
    // An echo server is HTTP 0.9 to curl: it prints its own request.
    async connect(port, version, [cert, key]) {
      const { stdout } = await run('curl', [
        '--silent', '--http0.9', '--max-time', '1', '--cacert', pki.path('ca.pem'), `--tlsv${version}`, '--tls-max', version,
        ...(cert ? ['--cert', cert, '--key', key] : []), `https://localhost:${port}/${LINE.replaceAll(' ', '-')}`,
      ]);
      return stdout.includes(LINE.replaceAll(' ', '-'));
    },
  },
  python3: {
    connect: (port, version, pair) => ask('python3', [
      path.join(__dirname, 'client.py'), port, pki.path('ca.pem'), version, ...pair]),
  },
  'gnutls-cli': {
    connect: (port, version, [cert, key]) => talk('gnutls-cli', [
      '--x509cafile', pki.path('ca.pem'), '--priority', `NORMAL:-VERS-ALL:+VERS-TLS${version}`, '-p', String(port),
      ...(cert ? ['--x509certfile', cert, '--x509keyfile', key] : []), 'localhost',
    ]),
  },
  javac: {
    // Compiled once: java would compile the source for each run.
    prepare: () => run('javac', ['-d', classes(), path.join(__dirname, 'Client.java')], { timeout: 60_000 }),
    connect: (port, version, pair) => ask('java', [
      '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-cp', classes(), 'Client', port, pki.path('ca.pem'), version, ...pair]),
  },
};

const MUTUAL = () => ({ requestCert: true, ca: pki.ca, crl: pki.read('crl.pem') });

/** A server that notes why it refused. */
async function serveNoting(options) {
  const refusals = [];
  const { server, port } = await serve(subject, options, (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  server.on('tlsClientError', (error) => refusals.push((error.cause ?? error).code));
  return { port, refusals };
}

const files = (name) => [pki.path(`${name}.pem`), pki.path(`${name}.key`)];

for (const [name, { probe, prepare, connect }] of Object.entries(CLIENTS)) {
  const installed = isInstalled(name, probe);
  describe(`audit: ${name}${installed ? '' : ' (skipped: it is not installed)'}`, () => {
    before(async function () {
      if (!installed) this.skip();
      await prepare?.();
    });

    for (const version of ['1.2', '1.3']) {
      for (const kind of ['ec', 'rsa']) {
        it(`TLS ${version}, ${kind} certificate: served`, async () => {
          const { port, refusals } = await serveNoting(pki.pair(kind));
          assert.strictEqual(await connect(port, version, []), true);
          assert.deepStrictEqual(refusals, []);
        });
      }

      it(`TLS ${version}, mutual: served`, async () => {
        const { port, refusals } = await serveNoting(MUTUAL());
        assert.strictEqual(await connect(port, version, files('client')), true);
        assert.deepStrictEqual(refusals, []);
      });

      for (const [who, code] of [
        [undefined, 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE'],
        ['client-untrusted', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
        ['client-expired', 'CERT_HAS_EXPIRED'],
        ['client-revoked', 'CERT_REVOKED'],
      ]) {
        // A client may keep back what the server's list of authorities does not name.
        const accepted = [code, ...(who ? ['ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE'] : [])];
        it(`TLS ${version}, ${who ?? 'no client certificate'}: refused`, async function () {
          betterThanNode(this);
          const { port, refusals } = await serveNoting(MUTUAL());
          assert.strictEqual(await connect(port, version, who ? files(who) : []), false);
          assert.strictEqual(refusals.length, 1);
          assert.ok(accepted.includes(refusals[0]), refusals[0]);
        });
      }

      it(`TLS ${version}, where the server speaks another version: refused`, async () => {
        const other = version === '1.2' ? 'TLSv1.3' : 'TLSv1.2';
        const { port, refusals } = await serveNoting({ minVersion: other, maxVersion: other });
        assert.strictEqual(await connect(port, version, []), false);
        assert.deepStrictEqual(refusals, ['ERR_SSL_UNSUPPORTED_PROTOCOL']);
      });
    }
  });
}
