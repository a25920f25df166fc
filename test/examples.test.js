'use strict';

// What a newcomer runs first: `npm start` and the examples, each as a program of its own; and the lines that
// `npm start` prints, with the real clients they name.

const assert = require('assert');
const fs = require('fs');
const net = require('net');
const path = require('path');
const { listen, dialTcp, freePorts } = require('./support/net');
const { isInstalled, start, run } = require('./support/program');

const ROOT = path.join(__dirname, '..');
const START = path.join(ROOT, 'scripts', 'start.js');
const EXAMPLES = path.join(ROOT, 'examples');

// npm start always serves c4tls itself.
const env = { ...process.env, NODE_OPTIONS: '' };

const PROOF = new RegExp('^proof {2}echo (TLSv1\\.\\d) (TLS_\\w+), handshake ([\\d.]+) ms, round trip ([\\d.]+) ms; ' +
  'page 200, its WebSocket 101$', 'm');

function startServers(...args) {
  return start(process.execPath, [START, ...args], { cwd: ROOT, env });
}

function runStart(...args) {
  return run(process.execPath, [START, ...args], { cwd: ROOT, env });
}

/** The folder that a run of start.js told of. */
function folderIn(stdout) {
  return path.dirname(/-CAfile "([^"]+)"/.exec(stdout)[1]);
}

/** The printed line that starts with `program`, as a shell would take it apart. */
function printedLine(stdout, program) {
  const line = stdout.split('\n').find((text) => text.trim().startsWith(`${program} `)).trim();
  return line.match(/"[^"]*"|\S+/g).map((word) => word.replace(/^"|"$/g, ''));
}

function echoPort(stdout) {
  return Number(/^echo .*:(\d+)$/m.exec(stdout)[1]);
}

describe('npm start', () => {
  it('--once proves itself, ends with 0 and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await runStart('--once');
    assert.strictEqual(code, 0, stderr);
    assert.strictEqual(stderr, '');
    const [, protocol, , handshake, roundTrip] = PROOF.exec(stdout);
    assert.strictEqual(protocol, 'TLSv1.3');
    assert.ok(handshake > 0 && roundTrip > 0);
    assert.strictEqual(fs.existsSync(folderIn(stdout)), false);
  });

  it('is what package.json starts', () => {
    assert.strictEqual(require('../package.json').scripts.start, 'node scripts/start.js');
  });

  for (const signal of process.platform === 'win32' ? [] : ['SIGINT', 'SIGTERM']) {
    it(`${signal} ends it cleanly, open connections and stalled handshakes included`, async () => {
      const program = startServers();
      await program.waitFor(/^Ctrl-C/m);
      const folder = folderIn(program.stdout);
      assert.ok(fs.existsSync(path.join(folder, 'cert.pem')));
      assert.deepStrictEqual(fs.readdirSync(folder), ['cert.pem']);     // the key is in memory only
      const stalled = await dialTcp(echoPort(program.stdout));
      stalled.on('error', () => {});
      program.signal(signal);
      assert.deepStrictEqual(await program.ended.then(({ code, signal: by }) => ({ code, by })), { code: 0, by: null });
      assert.strictEqual(program.stderr, '');
      assert.strictEqual(fs.existsSync(folder), false);
    });
  }

  it('--port, --https-port and --wss-port are taken as given', async () => {
    const ports = await freePorts(3);
    const [port, httpsPort, wssPort] = ports.map(String);
    const { code, stdout, stderr } = await runStart(
      '--once', '--port', port, `--https-port=${httpsPort}`, '--wss-port', wssPort,
    );
    assert.strictEqual(code, 0, stderr);
    assert.strictEqual(echoPort(stdout), ports[0]);
    assert.match(stdout, new RegExp(`^page .*:${httpsPort}/$`, 'm'));
    assert.match(stdout, new RegExp(`^feed .*:${wssPort}/$`, 'm'));
  });

  for (const option of ['--port', '--https-port', '--wss-port']) {
    it(`${option}: a taken port is one clear line and exit code 1`, async () => {
      const port = await listen(net.createServer());
      const { code, stdout, stderr } = await runStart(option, String(port));
      assert.strictEqual(code, 1);
      assert.strictEqual(stdout, '');
      assert.strictEqual(stderr, `npm start: port ${port} is taken: choose another with ${option} N, ` +
        'or leave it out for a free one\n');
    });
  }

  for (const args of [['--nope'], ['--port'], ['--port', '65536'], ['--port', 'http'], ['--port='], ['extra']]) {
    it(`${args.join(' ')} is refused with exit code 2`, async () => {
      const { code, stdout, stderr } = await runStart(...args);
      assert.strictEqual(code, 2);
      assert.strictEqual(stdout, '');
      assert.match(stderr, /^npm start: .*(--nope|--port|extra)/);
    });
  }

  it('--help tells the options', async () => {
    const { code, stdout } = await runStart('--help');
    assert.strictEqual(code, 0);
    for (const option of ['--port', '--https-port', '--wss-port', '--once', '--help']) assert.ok(stdout.includes(option));
  });

  it('says in one line that the addon does not load', async () => {
    const { code, stderr } = await run(process.execPath, [START], {
      cwd: ROOT, env: { ...env, C4TLS_BINDING: path.join(ROOT, 'no-such.node') },
    });
    assert.strictEqual(code, 1);
    assert.match(stderr, /^npm start: c4tls: .*\n$/);
  });

  describe('its lines', () => {
    let program;

    beforeEach(async () => {
      program = startServers();
      await program.waitFor(/^Ctrl-C/m);
    });

    // Not killed: it has a folder to remove.
    afterEach(async () => {
      program.signal('SIGTERM');
      await program.ended;
    });

    it('openssl echoes', async function () {
      if (!isInstalled('openssl', ['version'])) this.skip();
      const [file, ...args] = printedLine(program.stdout, 'openssl');
      const client = start(file, args);
      client.write('from openssl\n');
      await client.waitFor(/^from openssl$/m);
      await client.waitFor(/Protocol version: TLSv1\.3/);
      await client.waitFor(/Verification: OK/);
      client.endInput();
      assert.strictEqual((await client.ended).code, 0);
    });

    it('curl gets the page', async function () {
      if (!isInstalled('curl')) this.skip();
      const [file, ...args] = printedLine(program.stdout, 'curl');
      const { code, stdout, stderr } = await run(file, ['--silent', '--show-error', ...args]);
      assert.strictEqual(code, 0, stderr);
      assert.match(stdout, /This page came over TLSv1\.[23] with \w+/);
    });

    it('Node echoes', async () => {
      const [, ...args] = printedLine(program.stdout, 'node');
      const { code, stdout, stderr } = await run(process.execPath, args);
      assert.strictEqual(code, 0, stderr);
      assert.strictEqual(stdout, 'hello from Node');
    });
  });
});

/** Example by example: what its output must show, in any order. */
const OUTPUT = {
  'alpn.js': [/\[ 'chat\/1', 'chat\/2' \] -> chat\/2/, /\[ 'mail\/1' \] -> ERR_SSL_\w*NO_APPLICATION_PROTOCOL/,
    /asked for \[ 'chat\/1', 'chat\/2' \] without a name/],
  'client.js': [/refused: DEPTH_ZERO_SELF_SIGNED_CERT/, /refused: ERR_TLS_CERT_ALTNAME_INVALID/,
    /refused: ERR_SSL_\S*HANDSHAKE_FAILURE/, /resumed: false/, /resumed: true/],
  'control4-echo.js': [/server echo ONLINE/, /line "hello\\r\\n"/, /answer you said hello/, /you said quit/,
    /connection from 127\.0\.0\.1 OFFLINE/, /server echo OFFLINE/],
  'control4-tls.js': [/a friend got HELLO FROM A FRIEND/, /refused: ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE/,
    /server OFFLINE/],
  'control4-udp.js': [/driver got SEARCH from 127\.0\.0\.1/, /device got HERE/, /device got WHO\?/,
    /driver got a thermostat/, /server OFFLINE/],
  'duplex.js': [/on the pipe: \d+ bytes/, /secured with TLSv1\.3/, /answer: QUIET WORDS/],
  'echo-server.js': [/connected with TLSv1\.3/, /echo: hello/],
  'http2.js': [/HTTP\/2\.0 \/new, encrypted: true/, /HTTP\/1\.1 \/old, encrypted: true/],
  'https-page.js': [/200 GET \/hello over TLSv1\.3/],
  'iotjs.js': [/before the handshake: unknown/, /authorized false: hello/, /refused: DEPTH_ZERO_SELF_SIGNED_CERT/,
    /authorized true: hello/],
  'ipworks-echo.js': [/^connected: OK$/m, /^echo: hello$/m, /^disconnected: OK$/m],
  'ipworks-files.js': [/^sent 25 %$/m, /^sent 100 %$/m, /^large\.bin: 8388621 bytes, the last are "that is all\\r\\n"$/m,
    /^small\.bin: error \d+$/m, /^small\.bin: 23 bytes/m],
  'ipworks-lines.js': [/^to Ann \| welcome, Ann$/m, /^to Bob \| Ann: is anybody here\?$/m, /^to Ann \| good bye$/m],
  'ipworks-mutual-tls.js': [/^CN=friend\.example: OK$/m, /^CN=guest\.example: self-signed certificate$/m,
    /(^client: come in$[^]*){2}/m, /^refused, 280$/m, /^client: ERR_SSL_\S*ALERT_BAD_CERTIFICATE$/m],
  'mutual-tls.js': [/client got: welcome, alice\.example/, /server refused a client: DEPTH_ZERO_SELF_SIGNED_CERT/,
    /client was refused: ERR_SSL_TLSV1_ALERT_UNKNOWN_CA/],
  'reload-certificate.js': [/before: old\.example/, /after: renewed\.example/, /the first connection: still here/],
  'sni.js': [/^shop\.example -> shop\.example$/m, /ann\.blog\.example -> \*\.blog\.example/,
    /other\.example -> default\.example/],
  'starttls.js': [/server read in clear: STARTTLS/, /client: TLSv1\.3/, /server read over TLS: the password/,
    /client read over TLS: 250 understood/],
  'websocket-chat.js': [/^Ann hears \| Bob: hello, Ann$/m, /^Bob hears \| Bob: hello, Ann$/m, /^Ann hears \| Bob has left$/m,
    /^another site: 403$/m],
  'websocket-echo.js': [/^the client is alive$/m, /^echo: hello$/m, /^echo of 100000 bytes$/m,
    /^disconnected: 1000 that is all$/m],
  'websocket-protocols.js': [/^without a password: 401 Basic realm="example"$/m, /^sub-protocol: json\.example$/m,
    /^\{"got":\{"a":1\}\}$/m, /^sub-protocol: lines\.example$/m, /^line: one$/m, /^line: two$/m],
  'workers.js': [/hello from worker 1/, /hello from worker 2/, /hello from worker 3/, /all workers have ended/],
};

describe('examples', () => {
  it('each has its expectation here', () => {
    assert.deepStrictEqual(fs.readdirSync(EXAMPLES).filter((name) => name.endsWith('.js')).sort(), Object.keys(OUTPUT));
  });

  for (const [name, patterns] of Object.entries(OUTPUT)) {
    it(`${name} runs, shows what it promises and ends by itself`, async () => {
      const { code, stdout, stderr } = await run(process.execPath, [path.join(EXAMPLES, name)], { cwd: ROOT, env });
      assert.strictEqual(code, 0, stderr);
      assert.strictEqual(stderr, '');
      for (const pattern of patterns) assert.match(stdout, pattern);
    });
  }
});
