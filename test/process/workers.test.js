'use strict';

// Several environments in one process, and the end of threads and processes while connections are open.

const assert = require('assert');
const { once } = require('events');
const { Worker } = require('worker_threads');
const { subject: tls, stock } = require('../support/subject');
const pki = require('../support/pki');
const { track } = require('../support/cleanup');
const { PRELUDE, pkiEnv, runNode, startNode } = require('../support/node-program');
const { within } = require('../support/time');
const { closed, dial, dialSecure, dialTcp, echo, event, serveEcho } = require('../support/net');

/** A worker thread that runs `source` with `tls`, `pki` and `parentPort` in scope. */
function startWorker(source) {
  const worker = new Worker(`const { parentPort } = require('worker_threads');${PRELUDE}${source}`,
    { eval: true, env: pkiEnv() });
  worker.kill = () => worker.terminate();
  return track(worker);
}

const ECHO = `
  const server = tls.createServer(pki.pair('ec'), (socket) => socket.on('error', () => {}).pipe(socket));
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
  parentPort.once('message', () => server.close());
`;

describe('worker threads', function () {
  this.timeout(30_000);

  it('several serve at once, beside the main thread', async () => {
    const workers = Array.from({ length: 4 }, () => startWorker(ECHO));
    const ports = await Promise.all(workers.map(async (worker) => (await event(worker, 'message'))[0]));
    ports.push((await serveEcho(tls)).port);
    await Promise.all(ports.map(async (port, index) => {
      for (let i = 0; i < 10; i++) {
        const client = await dialSecure(tls, port);
        assert.strictEqual(await echo(client, `port ${index}`), `port ${index}`);
        client.end();
      }
    }));
    const exits = workers.map((worker) => event(worker, 'exit'));
    for (const worker of workers) worker.postMessage('close');
    assert.deepStrictEqual((await Promise.all(exits)).flat(), [0, 0, 0, 0], 'they end by themselves');
  });

  it('terminate() with open and half-made connections disturbs nobody else', async () => {
    const main = await serveEcho(tls);
    for (let round = 0; round < 5; round++) {
      const worker = startWorker(`
        const server = tls.createServer({ ...pki.pair('ec'), SNICallback() { parentPort.postMessage('parked'); } },
          (socket) => socket.pipe(socket));
        server.addContext('unused', pki.pair('alpha'));
        server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
        // And a client in mid-handshake, to a port that says nothing.
        const silent = require('net').createServer().listen(0, '127.0.0.1', () => {
          tls.connect(silent.address().port, '127.0.0.1').on('error', () => {});
        });`);
      const [port] = await event(worker, 'message');
      await dialTcp(port);                          // says nothing at all
      const parked = dial(tls, port);               // waits for SNICallback for ever
      const gone = closed(parked);
      assert.deepStrictEqual(await event(worker, 'message'), ['parked']);
      await within(8000, worker.terminate(), 'terminate()');
      assert.ok(await gone, 'the client sees the end');
      const client = await dialSecure(tls, main.port);
      assert.strictEqual(await echo(client), 'ping');
    }
  });

  it('terminate() under traffic', async () => {
    for (let round = 0; round < 5; round++) {
      const worker = startWorker(ECHO);
      const [port] = await event(worker, 'message');
      const clients = await Promise.all(Array.from({ length: 8 }, () => dialSecure(tls, port)));
      const ends = clients.map((client) => {
        client.on('data', (data) => client.write(data));
        client.write(Buffer.alloc(20_000));
        return closed(client);
      });
      await event(clients[0], 'data');
      await worker.terminate();
      await Promise.all(ends);
    }
  });
});

describe('the process', function () {
  this.timeout(30_000);

  it('ends by itself when nothing is open any more', async () => {
    const { code, stdout, stderr } = await runNode(`
      const server = tls.createServer(pki.pair('ec'), (socket) => socket.end('bye'));
      server.listen(0, '127.0.0.1', () => {
        const client = tls.connect({ port: server.address().port, host: '127.0.0.1', servername: 'localhost', ca: pki.ca });
        client.on('data', (data) => console.log(String(data)));
        client.on('close', () => server.close());
      });`);
    assert.deepStrictEqual([code, stdout, stderr], [0, 'bye\n', '']);
  });

  it('ends at once when the module is only loaded', async () => {
    const { code, stdout } = await runNode('console.log(typeof tls.connect);');
    assert.deepStrictEqual([code, stdout], [0, 'function\n']);
  });

  it('ends when a handshake fails and nothing listens for it', async () => {
    const { code, stderr } = await runNode(`
      const server = tls.createServer(pki.pair('ec'));
      server.listen(0, '127.0.0.1', () => {
        const raw = require('net').connect(server.address().port, '127.0.0.1', () => raw.write('GET / HTTP/1.0\\r\\n\\r\\n'));
        raw.resume().on('error', () => {}).on('close', () => server.close());
        ${stock ? 'raw.setTimeout(200, () => raw.destroy());' : ''}
      });`);
    assert.deepStrictEqual([code, stderr], [0, '']);
  });

  it('process.exit() in mid-handshake ends cleanly with its own code, every time', async function () {
    this.timeout(60_000);
    for (let round = 0; round < 15; round++) {
      const { code, signal, stderr } = await runNode(`
        const server = tls.createServer(pki.pair('rsa'), (socket) => socket.on('error', () => {}).pipe(socket));
        server.listen(0, '127.0.0.1', () => {
          const { port } = server.address();
          for (let i = 0; i < 30; i++) {
            tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }).on('error', () => {}).write('x');
          }
          setTimeout(() => process.exit(42), ${round * 4});
        });`);
      assert.deepStrictEqual([code, signal, stderr], [42, null, '']);
    }
  });

  it('an uncaught exception in a listener ends it with code 1 and the stack', async () => {
    const { code, stderr } = await runNode(`
      const server = tls.createServer(pki.pair('ec'), () => { throw new Error('on purpose'); });
      server.listen(0, '127.0.0.1', () => {
        tls.connect({ port: server.address().port, host: '127.0.0.1', rejectUnauthorized: false });
      });`);
    assert.strictEqual(code, 1);
    assert.match(stderr, /Error: on purpose\n\s+at /);
  });

  it('a closed server leaves no thread that keeps it alive, with SIGTERM unhandled it dies of it', async function () {
    if (process.platform === 'win32') this.skip();
    const program = startNode(`
      const server = tls.createServer(pki.pair('ec'));
      server.listen(0, '127.0.0.1', () => console.log('listening'));`);
    await program.waitFor(/listening/);
    program.signal('SIGTERM');
    assert.strictEqual((await program.ended).signal, 'SIGTERM');
  });

  it('a worker process of a cluster serves TLS on the shared port', async () => {
    const { code, stdout, stderr } = await runNode(`
      const cluster = require('cluster');
      if (cluster.isPrimary) {
        cluster.setupPrimary({ exec: process.env.CHILD_SCRIPT, execArgv: [] });
        const worker = cluster.fork();
        worker.on('listening', ({ port }) => {
          const client = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: pki.ca });
          client.on('data', (data) => console.log(String(data)));
          client.on('close', () => worker.disconnect());
        });
      }`, { env: { CHILD_SCRIPT: writeScript(`
        const server = tls.createServer(pki.pair('ec'), (socket) => socket.end('from the child'));
        server.listen(0, '127.0.0.1');`) } });
    assert.deepStrictEqual([code, stdout], [0, 'from the child\n'], stderr);
  });
});

/** A file beside the certificates with the same prelude as runNode's programs. */
function writeScript(source) {
  const file = pki.path('script.js');
  require('fs').writeFileSync(file, PRELUDE + source);
  return file;
}

describe('events of a worker', () => {
  it('come to that worker only', async () => {
    const worker = startWorker(`
      const seen = [];
      const server = tls.createServer(pki.pair('ec'), (socket) => {
        socket.on('data', (data) => seen.push(String(data)));
        socket.on('close', () => { server.close(); parentPort.postMessage(seen.join('')); });
      });
      server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`);
    const [port] = await once(worker, 'message');
    const client = await dialSecure(tls, port);
    client.end('only yours');
    assert.deepStrictEqual(await event(worker, 'message'), ['only yours']);
  });
});
