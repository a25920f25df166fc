'use strict';

// npm start: the main job of the package as a stranger sees it.

const assert = require('assert');
const fs = require('fs');
const path = require('path');
const { itWith, run, start } = require('./support/program');

const SCRIPT = path.join(__dirname, '..', 'scripts', 'start.js');

/** Starts the servers; resolves with the program and what it printed about itself. */
async function startServers(...args) {
  const program = start(process.execPath, [SCRIPT, ...args]);
  const [, port] = await program.waitFor(/echo server on 127\.0\.0\.1:(\d+)/);
  const [, httpsPort] = await program.waitFor(/https:\/\/localhost:(\d+)\//);
  const [, caFile] = await program.waitFor(/certificate: (\S+)/);
  await program.waitFor(/Ctrl-C ends it/);
  return { program, port, httpsPort, caFile };
}

describe('npm start', () => {
  it('proves itself and tells protocol, cipher and times; --once ends it then', async () => {
    const { code, stdout, stderr } = await run(process.execPath, [SCRIPT, '--once']);
    assert.deepStrictEqual([code, stderr], [0, '']);
    assert.match(stdout, /^Proof: TLSv1\.3, TLS_\w+, handshake [\d.]+ ms, round trip [\d.]+ ms$/m);
    assert.strictEqual(fs.existsSync(/certificate: (\S+)/.exec(stdout)[1]), false, 'the certificate file is removed');
  });

  for (const signal of ['SIGINT', 'SIGTERM']) {
    it(`${signal} ends it cleanly, also with a client connected`, async function () {
      if (process.platform === 'win32') this.skip();
      const { program, port, caFile } = await startServers();
      const client = require('tls').connect({ port, host: 'localhost', ca: fs.readFileSync(caFile) });
      await require('events').once(client, 'secureConnect');
      client.on('error', () => {}).resume();
      program.signal(signal);
      assert.strictEqual((await program.ended).code, 0);
      assert.strictEqual(fs.existsSync(caFile), false);
      client.destroy();
    });
  }

  it('listens where it is told to', async () => {
    const first = await startServers();
    first.program.signal('SIGINT');
    await first.program.ended;
    const again = await startServers('--port', first.port, '--https-port', first.httpsPort);
    assert.deepStrictEqual([again.port, again.httpsPort], [first.port, first.httpsPort]);
    const third = await run(process.execPath, [SCRIPT, '--port', first.port]);
    assert.strictEqual(third.code, 1);
    assert.match(third.stderr, /^c4tls: .*EADDRINUSE/);
  });

  it('refuses what is no port', async () => {
    for (const value of ['x', '-1', '65536', '1.5', '']) {
      const { code, stderr } = await run(process.execPath, [SCRIPT, `--port=${value}`]);
      assert.strictEqual(code, 1);
      assert.match(stderr, /^c4tls: --port .*is no port/);
    }
  });

  // The lines that it prints are copied and run as they are.
  const lineOf = (program, name) => new RegExp(`^ {2}(${name} .*)$`, 'm').exec(program.stdout)[1];

  itWith('openssl', 'the openssl line works', async () => {
    const { program } = await startServers();
    const client = start('sh', ['-c', lineOf(program, 'openssl')]);
    client.write('through openssl\n');
    await client.waitFor(/through openssl/);
  }, ['version']);

  itWith('curl', 'the curl line works', async () => {
    const { program } = await startServers();
    const { code, stdout } = await run('sh', ['-c', lineOf(program, 'curl')]);
    assert.strictEqual(code, 0);
    assert.match(stdout, /Hello from c4tls\.\nTLSv1\.3 TLS_/);
  });

  it('the node line works', async () => {
    const { program } = await startServers();
    const client = start('sh', ['-c', lineOf(program, 'node')]);
    client.write('through node\n');
    await client.waitFor(/through node/);
  });
});
