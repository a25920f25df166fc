'use strict';

// When a process ends: by itself when nothing is open, at once when it is told to, and with its own exit code.

const assert = require('assert');
const pki = require('../support/pki');
const { itWith, start } = require('../support/program');
const { runNode, startNode } = require('../support/node-program');
const { dialTcp, listen } = require('../support/net');
const { within } = require('../support/time');
const net = require('net');

const CLEAN = { code: 0, signal: null, stderr: '' };

function outcome({ code, signal, stderr }) {
  return { code, signal, stderr };
}

/** Beginning of a program with a server on `port` that echoes, and a connected client `socket`. */
const PAIR = `
  const server = tls.createServer(pki.pair('ec'), (s) => s.on('error', () => {}).pipe(s));
  const connected = new Promise((resolve, reject) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      const socket = tls.connect({ port, servername: 'localhost', ca: pki.ca }, () => resolve(socket));
      socket.on('error', reject);
    });
  });
`;

describe('a process ends by itself', () => {
  for (const [title, source] of [
    ['after the module was loaded', ''],
    ['with contexts, servers and sockets that were never opened',
      'tls.createSecureContext(pki.pair("ec")); tls.createServer(pki.pair("ec")); new tls.TLSSocket();'],
    ['when its client and server are closed',
      `${PAIR} connected.then((socket) => { socket.end('x').resume().on('close', () => server.close()); });`],
    ['when its client and server are destroyed, without waiting for events',
      `${PAIR} connected.then((socket) => { socket.destroy(); server.close(); });`],
    ['when its server is unref\'d', 'tls.createServer(pki.pair("ec")).listen(0, "127.0.0.1").unref();'],
    ['when its server was unref\'d before it listened',
      'const s = tls.createServer(pki.pair("ec")); s.unref(); s.listen(0, "127.0.0.1");'],
    ['when its server and an open client are unref\'d',
      // The server's own side of the connection is let go too.
      `${PAIR} server.on('secureConnection', (s) => s.unref());
       connected.then((socket) => { socket.unref(); server.unref(); });`],
    ['when its connection fails',
      'tls.connect({ port: 1, host: "127.0.0.1" }).on("error", (e) => process.exitCode = e.code === "ECONNREFUSED" ? 0 : 1);'],
  ]) {
    it(title, async () => {
      assert.deepStrictEqual(outcome(await runNode(source, { timeout: 6000 })), CLEAN);
    });
  }
});

describe('a process goes on', () => {
  /** True when the program still runs after it said "ready" and a client was served by it. */
  async function staysAlive(source) {
    const program = startNode(`${source}
      process.on('exit', () => console.log('exit'));
      process.stdin.resume().unref();`);
    const [, port] = await program.waitFor(/ready (\d+)/);
    if (Number(port)) await dialTcp(Number(port));
    const ended = program.ended.then(() => true, () => true);
    const early = await Promise.race([ended, new Promise((resolve) => {
      setTimeout(resolve, 400, false);      // how long "goes on" is looked at
    })]);
    await program.kill();
    return !early;
  }

  it('while a server listens', async () => {
    assert.ok(await staysAlive(`
      const server = tls.createServer(pki.pair('ec'))
      server.listen(0, '127.0.0.1', () => console.log('ready', server.address().port));`));
  });

  it('when its server is ref\'d again', async () => {
    assert.ok(await staysAlive(`
      const server = tls.createServer(pki.pair('ec'))
      server.listen(0, '127.0.0.1', () => {
        server.unref(); server.ref();
        console.log('ready', server.address().port);
      });`));
  });

  it('while a client reads, and when it is ref\'d again', async () => {
    assert.ok(await staysAlive(`${PAIR} connected.then((socket) => {
      socket.resume(); server.unref();
      socket.unref(); socket.ref();
      console.log('ready 0');
    });`));
  });
});

describe('process.exit()', () => {
  const ROUNDS = 30;

  /** Runs `source` with the exit code 7 as EXIT, `rounds` times, two at a time. */
  async function exitsWith7(source, options) {
    for (let round = 0; round < ROUNDS; round += 2) {
      const results = await Promise.all([round, round + 1].map((number) => {
        return runNode(`const ROUND = ${number};\n${source}`, { timeout: 8000, ...options });
      }));
      for (const result of results) assert.deepStrictEqual(outcome(result), { code: 7, signal: null, stderr: '' });
    }
  }

  it(`in mid-handshake ends cleanly with the given code, ${ROUNDS} rounds`, async () => {
    const silent = net.createServer((socket) => socket.on('error', () => {}).resume());
    const port = await listen(silent);
    await exitsWith7(`
      // Handshakes of every stage: nobody answers, parked for ever, and in full swing.
      for (let i = 0; i < 5; i++) tls.connect({ port: ${port}, host: '127.0.0.1' }).on('error', () => {});
      const server = tls.createServer({ ...pki.pair('rsa'), SNICallback(name, done) {
        if (name === 'parked') setTimeout(() => process.exit(7), ROUND % 5);
        else done(null);
      } });
      server.on('tlsClientError', () => {});
      server.listen(0, '127.0.0.1', () => {
        const { port } = server.address();
        for (let i = 0; i < 20; i++) tls.connect({ port, servername: 'x' + i, ca: pki.ca }).on('error', () => {});
        tls.connect({ port, servername: 'parked', ca: pki.ca }).on('error', () => {});
      });`);
  });

  it(`during heavy echo ends cleanly with the given code, ${ROUNDS} rounds`, async () => {
    await exitsWith7(`${PAIR}
      const block = Buffer.alloc(100_000, 1);
      connected.then((first) => {
        let seen = 0;
        const { port } = server.address();
        const sockets = [first];
        for (let i = 0; i < 3; i++) sockets.push(tls.connect({ port, servername: 'localhost', ca: pki.ca }));
        for (const socket of sockets) {
          const fill = () => { while (socket.write(block)); };
          socket.on('error', () => {}).on('drain', fill).on('data', (chunk) => {
            seen += chunk.length;
            if (seen > 1e6 + ROUND * 1e5) process.exit(7);
          });
          fill();
        }
      });`);
  });

  it('keeps the code of an exit by uncaught exception', async () => {
    const { code, signal, stderr } = await runNode(`${PAIR} connected.then((socket) => {
      socket.on('data', () => { throw new Error('thrown by a listener'); });
      socket.write('x');
    });`, { timeout: 8000 });
    assert.deepStrictEqual({ code, signal }, { code: 1, signal: null });
    assert.match(stderr, /thrown by a listener/);
  });

  // 4 MiB do not fit into the kernel's buffers at once, so this waits for a reader.
  const LOSSLESS = `
    const data = Buffer.alloc(SIZE, 'x');
    const server = tls.createServer(pki.pair('ec'), (socket) => {
      socket.on('error', () => {});
      socket.write(data, () => process.exit(7));
    });
    server.listen(0, '127.0.0.1', () => console.log('port', server.address().port));`;

  const READER = `
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10) as tcp:
    with context.wrap_socket(tcp, server_hostname="localhost", suppress_ragged_eofs=True) as tls:
        total = 0
        while True:
            try:
                data = tls.recv(65536)
            except ConnectionResetError:
                break
            if not data:
                break
            total += len(data)
print("read", total)
`;

  for (const size of [10, 100_000, 4 << 20]) {
    itWith('python3', `in the callback of a write of ${size} bytes loses nothing`, async () => {
      const program = startNode(`const SIZE = ${size};${LOSSLESS}`);
      const [, port] = await program.waitFor(/port (\d+)/);
      const reader = start('python3', ['-c', READER, port, pki.path('ca.pem')]);
      assert.strictEqual((await reader.ended).stdout.trim(), `read ${size}`);
      const { code, signal } = await within(5000, program.ended, 'the exit');
      assert.deepStrictEqual({ code, signal }, { code: 7, signal: null });
    });
  }
});
