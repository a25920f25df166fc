'use strict';

// Drivers as they are used, with the clients that use them: curl, openssl, Python, a thousand at once.

const assert = require('assert');
const { randomBytes } = require('crypto');
const tls = require('tls');
const pki = require('../support/pki');
const { makeDriver } = require('../support/control4');
const { dialSecure, echo } = require('../support/net');
const { scanMemory } = require('../support/memory-scan');
const { startNode } = require('../support/node-program');
const { itWith, run, start } = require('../support/program');

/** An HTTP/1.1 endpoint as drivers write them: lines until the empty one, then the answer. */
function serveHttp({ driver }) {
  const requests = new Map();
  driver.OnServerConnectionStatusChanged = (handle, port, status) => {
    if (status === 'ONLINE') requests.set(handle, []);
    else requests.delete(handle);
  };
  driver.OnServerDataIn = (handle, data) => {
    const lines = requests.get(handle);
    if (data !== '\r\n') {
      lines.push(data.slice(0, -2));
      return;
    }
    const [request, ...headers] = lines.splice(0);
    const [method, path] = request.split(' ');
    const body = `${method} ${path} on ${handle}\n${path === '/big' ? 'x'.repeat(2 << 20) : ''}`;
    const close = headers.some((line) => /^connection: *close$/i.test(line));
    const head = ['HTTP/1.1 200 OK', 'Content-Type: text/plain', ...close ? ['Connection: close'] : [`Content-Length: ${body.length}`]];
    driver.ServerSend(handle, `${head.join('\r\n')}\r\n\r\n`);
    driver.ServerSend(handle, body, body.length);
    if (close) driver.ServerCloseClient(handle);
  };
}

/** A line protocol: `name` asks who speaks, anything else is echoed in capitals. */
function serveLines(d) {
  d.driver.OnServerDataIn = (handle, data) => {
    const line = String(data).trim();
    d.note('data', [handle, line]);
    d.driver.ServerSend(handle, `${line.toUpperCase()}\r\n`);
    if (line === 'quit') d.driver.ServerCloseClient(handle);
  };
}

/** CreateTLSServer with the certificate of the tests, which clients must answer with theirs. */
const lineServer = (driver) => driver.CreateTLSServer(
  0, '\r\n', 0, 0x02 | 0x04, '', pki.read('rsa.pem'), pki.read('rsa.key'), '', pki.ca, 'lines');

describe('Control4 servers and real clients', () => {
  itWith('curl', 'C4-14 C4-73 HTTP/1.1 over CreateServer(0, "\\r\\n"): curl keeps its connection, and sees it end', async () => {
    const d = makeDriver({ encoding: 'latin1' });
    const port = await d.online((driver) => driver.CreateServer(0, '\r\n'));
    serveHttp(d);
    const url = (path) => `http://127.0.0.1:${port}${path}`;
    const kept = await run('curl', ['-sS', '-v', url('/one'), url('/two'), url('/big'), url('/three')]);
    assert.strictEqual(kept.code, 0, kept.stderr);
    const answers = [...kept.stdout.matchAll(/GET (\/\w+) on (\d+)/g)];
    assert.deepStrictEqual(answers.map(([, path]) => path), ['/one', '/two', '/big', '/three']);
    assert.strictEqual(new Set(answers.map(([, , handle]) => handle)).size, 1);
    assert.match(kept.stderr, /Re-using existing connection/);
    const closing = await run('curl', ['-sS', '-H', 'Connection: close', url('/big'), url('/last')]);
    assert.strictEqual(closing.code, 0, closing.stderr);
    assert.strictEqual(closing.stdout.length, [...closing.stdout.matchAll(/GET .*\n/g)].join('').length + (2 << 20));
  });

  itWith('curl', 'HTTPS over CreateTLSServer', async () => {
    const d = makeDriver({ encoding: 'latin1' });
    const port = await d.online((driver) =>
      driver.CreateTLSServer(0, '\r\n', 0, 0x01, '', pki.read('ec.pem'), pki.read('ec.key')));
    serveHttp(d);
    const { code, stdout, stderr } = await run('curl', ['-sS', '--cacert', pki.path('ca.pem'),
      `https://localhost:${port}/a`, `https://localhost:${port}/b`, '--resolve', `localhost:${port}:127.0.0.1`]);
    assert.strictEqual(code, 0, stderr);
    assert.match(stdout, /GET \/a on \d+\nGET \/b on \d+\n/);
  });

  itWith('openssl', 'a TLS line protocol with client certificates: openssl s_client', async () => {
    const d = makeDriver();
    const port = await d.online(lineServer);
    serveLines(d);
    const connect = ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', pki.path('ca.pem'), '-verify_return_error', '-crlf'];
    const client = start('openssl', [...connect, '-cert', pki.path('client.pem'), '-key', pki.path('client.key')]);
    client.write('hello\n');
    await client.waitFor(/HELLO\r?$/m);
    client.write('quit\n');
    const { stdout } = await client.ended;
    assert.match(stdout, /Verify return code: 0 \(ok\)/);
    assert.match(stdout, /QUIT\r?$/m);
    for (const version of ['-tls1_2', '-tls1_3']) {
      // Its input stays open: it ends because it is refused.
      const { stdout: none, stderr } = await start('openssl', [...connect, version]).write('hello\n').ended;
      assert.ok(!none.includes('HELLO') && /alert/i.test(none + stderr), none + stderr);
    }
    assert.strictEqual((await d.count('handshakeError', 2))[0][0].code, 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE');
    assert.deepStrictEqual(d.of('data').map(([, line]) => line), ['hello', 'quit']);
  }, ['version']);

  itWith('openssl', 'C4-23 TLS 1.0 and renegotiation, with openssl s_client', async () => {
    const d = makeDriver();
    const port = await d.online((driver) => driver.CreateTLSServer(0, '\n', 0x01, 0x01, '', pki.read('rsa.pem'), pki.read('rsa.key')));
    serveLines(d);
    const connect = ['s_client', '-connect', `127.0.0.1:${port}`, '-cipher', 'DEFAULT@SECLEVEL=0'];
    for (const [flag, name] of [['-tls1', 'TLSv1'], ['-tls1_1', 'TLSv1.1'], ['-tls1_2', 'TLSv1.2'], ['-tls1_3', 'TLSv1.3']]) {
      const client = start('openssl', [...connect, flag]);
      client.write(`hello ${name}\n`);
      await client.waitFor(new RegExp(`HELLO ${name.toUpperCase()}\r?$`, 'm'));
      await client.waitFor(new RegExp(`(Protocol *: |New, )${name}\\b`));
      if (flag === '-tls1_2') {
        // R asks for another handshake, which is refused.
        client.write('R\n');
        await client.waitFor(/no renegotiation/i);
      }
      client.endInput();
      await client.ended;
    }
  }, ['version']);

  itWith('python3', 'a TLS line protocol with client certificates: Python', async () => {
    const d = makeDriver();
    const port = await d.online(lineServer);
    serveLines(d);
    const { code, stdout, stderr } = await run('python3', ['-c', `
import socket, ssl
def context(pair):
    c = ssl.create_default_context(cafile=${JSON.stringify(pki.path('ca.pem'))})
    if pair: c.load_cert_chain(pair + ".pem", pair + ".key")
    return c
def talk(c):
    with socket.create_connection(("127.0.0.1", ${port}), 8) as raw, c.wrap_socket(raw, server_hostname="localhost") as s:
        f = s.makefile("rwb", buffering=0)
        for i in range(100):
            f.write(b"line %d\\r\\n" % i)
            assert f.readline() == b"LINE %d\\r\\n" % i
        f.write(b"a\\r\\nb\\r\\nquit\\r\\n")
        return f.read()
assert talk(context(${JSON.stringify(pki.path('client').replace(/\.pem$/, ''))})) == b"A\\r\\nB\\r\\nQUIT\\r\\n"
for bad in (None, ${JSON.stringify(pki.path('client-untrusted'))}):
    try:
        talk(context(bad))
    except (ssl.SSLError, ConnectionError, AssertionError) as e:
        print("refused")
`]);
    assert.deepStrictEqual({ code, stdout, stderr }, { code: 0, stdout: 'refused\nrefused\n', stderr: '' });
    assert.strictEqual(d.of('handshakeError').length, 2);
  });

  it('C4-11 a thousand clients at once', async () => {
    const d = makeDriver();
    const port = await d.online((driver) => driver.CreateTLSServer(0, '\n', 0, 0x01, '', pki.read('ec.pem'), pki.read('ec.key')));
    d.driver.OnServerDataIn = (handle, data) => d.driver.ServerSend(handle, data);
    const clients = startNode(`
      const count = 1000;
      const sockets = [];
      let answered = 0;
      const open = () => {
        if (sockets.length === count) return;
        const i = sockets.length;
        const socket = require('tls').connect({ port: ${port}, host: '127.0.0.1', servername: 'localhost', ca: pki.ca }, () => {
          open();
          if (++open.done === count) for (const [i, s] of sockets.entries()) s.write('number ' + i + '\\n');
        });
        socket.setEncoding('utf8');
        let text = '';
        socket.on('data', (part) => {
          text += part;
          if (text !== 'number ' + i + '\\n') return;
          if (++answered < count) return;
          console.log('all answered');
          process.exit();
        });
        socket.on('error', (error) => { console.log(error); process.exit(1); });
        sockets.push(socket);
      };
      open.done = 0;
      for (let i = 0; i < 50; i++) open();
    `, { timeout: 50_000 });
    const { code, stdout } = await clients.ended;
    assert.deepStrictEqual({ code, stdout }, { code: 0, stdout: 'all answered\n' });
    const connections = await d.count('connection', 2000);
    const online = connections.filter(([, , status]) => status === 'ONLINE').map(([handle]) => handle);
    const offline = connections.filter(([, , status]) => status === 'OFFLINE').map(([handle]) => handle);
    assert.strictEqual(new Set(online).size, 1000);
    assert.deepStrictEqual(offline.sort(), online.sort());
  });

  it('two drivers in one process serve side by side', async () => {
    const drivers = [makeDriver(), makeDriver()];
    const ports = [];
    for (const [i, d] of drivers.entries()) {
      ports.push(await d.online((driver) => driver.CreateTLSServer(0, '\n', 0, 0, '', pki.read('ec.pem'), pki.read('ec.key'))));
      d.driver.OnServerDataIn = (handle, data) => d.driver.ServerSend(handle, `${i}: ${data}`);
    }
    for (const [i, port] of ports.entries()) {
      assert.strictEqual((await echo(await dialSecure(tls, port), 'x\n')).slice(0, 2), `${i}:`);
    }
    drivers[0].driver.DestroyServer();
    assert.strictEqual((await echo(await dialSecure(tls, ports[1]), 'x\n')).slice(0, 2), '1:');
  });

  const onLinux = process.platform === 'linux' ? itWith : (file, title, body) => it.skip(`${title} (skipped: no Linux)`, body);
  onLinux('openssl', 'C4-45 after CreateTLSServer neither password nor key are left in text', async () => {
    const program = startNode(`
      const fs = require('fs');
      const { Driver } = require(${JSON.stringify(require.resolve('../../control4'))});
      // Secrets come through a buffer that is wiped: no string of JavaScript ever has them.
      const input = Buffer.allocUnsafeSlow(16384);
      let length = 0;
      for (let got; (got = fs.readSync(0, input, length, input.length - length)) > 0;) length += got;
      const at = input.indexOf(0);
      const driver = new Driver();
      const answer = driver.CreateTLSServer(
        0, '', 0, 1, '', pki.read('rsa.pem'), input.subarray(at + 1, length), input.subarray(0, at));
      input.fill(0);
      driver.OnServerStatusChanged = (port) => console.log(JSON.stringify(answer), port);
    `);
    const password = randomBytes(24).toString('base64url');
    const { stdout: key } = await run('openssl', ['pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-in', pki.path('rsa.key'),
      '-passout', `pass:${password}`]);
    program.endInput(`${password}\0${key}`);
    const [, port] = await program.waitFor(/^\[true\] (\d+)$/m);
    await dialSecure(tls, Number(port));
    // The lines at the end of a key are its secret part.
    const line = (pem, at) => Buffer.from(pem.split('\n').filter((text) => text.length === 64).at(at));
    const secrets = { password: Buffer.from(password), key: line(pki.read('rsa.key'), -4), encrypted: line(key, -4) };
    const { found } = scanMemory(program.pid, { ...secrets, certificate: line(pki.read('rsa.pem'), -4) });
    assert.deepStrictEqual([...new Set(found.map((text) => text.split(' ')[0]))], ['certificate']);
  }, ['version']);
});
