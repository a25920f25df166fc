'use strict';

// Several processes that serve one port, as Node's cluster module has it.

const assert = require('assert');
const fs = require('fs');
const pki = require('../support/pki');
const { stock } = require('../support/subject');
const { PRELUDE, runNode } = require('../support/node-program');

/** A file beside the certificates with the same prelude as runNode's programs. */
function writeScript(source) {
  const file = pki.path('script.js');
  fs.writeFileSync(file, PRELUDE + source);
  return file;
}

/** A worker that tells its pid to each client; `listen` are the arguments of listen(). */
const worker = (listen, options = '{}') => `
  const server = tls.createServer({ ...pki.pair('ec'), ...${options} }, (socket) => {
    socket.on('error', () => {});
    socket.end(String(process.pid));
  });
  server.listen(${listen});`;

/** Beginning of the primary's program: `count` workers of CHILD_SCRIPT, and visit(), which talks to one of them. */
const PRIMARY = `
  const cluster = require('cluster');
  cluster.setupPrimary({ exec: process.env.CHILD_SCRIPT, execArgv: [] });
  const fork = (count) => Promise.all(Array.from({ length: count }, () => {
    const worker = cluster.fork();
    return new Promise((resolve) => worker.on('listening', (address) => resolve({ worker, address })));
  }));
  const visit = (options) => new Promise((resolve, reject) => {
    const client = tls.connect({ host: '127.0.0.1', servername: 'localhost', ca: pki.ca, ...options });
    const seen = { pid: '', session: null, group: null };
    client.on('secureConnect', () => { seen.reused = client.isSessionReused(); });
    client.on('session', (session) => { seen.session = session; });
    client.on('data', (data) => { seen.pid += data; });
    client.on('error', reject).on('close', () => resolve(seen));
  });
  const finish = () => cluster.disconnect();
  process.on('exit', () => console.log(JSON.stringify(report)));
`;

/** Runs a primary with workers of this source; resolves with its report. */
async function runCluster(child, primary, { flags, env } = {}) {
  const { code, stdout, stderr } = await runNode(`${PRIMARY}${primary}`, {
    flags, timeout: 12_000, env: { CHILD_SCRIPT: writeScript(child), ...env },
  });
  assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: '' });
  return JSON.parse(stdout);
}

const VISITS = 8;

/** Workers share port 0 or a path, and take turns. */
const TAKE_TURNS = `
  const report = { pids: new Set(), addresses: [] };
  cluster.on('listening', (worker, address) => report.addresses.push(address));
  fork(2).then(async (workers) => {
    const { port, address } = workers[0].address;
    const target = port > 0 ? { port } : { path: address };
    for (let i = 0; i < ${VISITS}; i++) report.pids.add((await visit(target)).pid);
    report.pids = [...report.pids].sort();
    report.workers = workers.map(({ worker }) => String(worker.process.pid)).sort();
    finish();
  });`;

describe('cluster', () => {
  it('workers share port 0 and take turns', async () => {
    const { pids, workers, addresses } = await runCluster(worker('0, "127.0.0.1"'), TAKE_TURNS);
    assert.deepStrictEqual(pids, workers);
    assert.ok(addresses[0].port > 0);
    for (const { address, port, addressType } of addresses) {
      assert.deepStrictEqual([address, port, addressType], ['127.0.0.1', addresses[0].port, 4]);
    }
  });

  it('workers share a port without an address', async () => {
    const { pids, workers } = await runCluster(worker('0'), TAKE_TURNS);
    assert.deepStrictEqual(pids, workers);
  });

  it('workers share a Unix socket', async function() {
    if (process.platform === 'win32') this.skip();
    const path = pki.path('cluster.sock');
    const { pids, workers } = await runCluster(worker(JSON.stringify(path)), TAKE_TURNS);
    assert.deepStrictEqual(pids, workers);
  });

  it('workers that accept themselves (SCHED_NONE) serve the shared port', async () => {
    const { addresses, pids, workers } =
      await runCluster(worker('0, "127.0.0.1"'), TAKE_TURNS, { env: { NODE_CLUSTER_SCHED_POLICY: 'none' } });
    assert.strictEqual(new Set(addresses.map(({ port }) => port)).size, 1);
    assert.ok(pids.length > 0 && pids.every((pid) => workers.includes(pid)));
  });

  it('a connection from the primary is native in the worker, and asks the worker\'s questions', async function() {
    if (stock || process.platform === 'win32') this.skip();
    const report = await runCluster(`
      const server = tls.createServer({ ...pki.pair('ec'), SNICallback(name, done) { done(null); } }, (socket) => {
        const { family, port } = socket.address();
        socket.end([socket._handle.pump === null, socket.servername, family, port === server.address().port,
          socket.remoteAddress].join());
      });
      server.listen(0, '127.0.0.1');`, `
      const report = {};
      fork(1).then(async ([{ address }]) => {
        report.said = (await visit({ port: address.port })).pid;
        finish();
      });`);
    assert.strictEqual(report.said, 'true,localhost,IPv4,true,127.0.0.1');
  });

  it('listeners of \'connection\' and maxConnections work in a worker', async () => {
    const report = await runCluster(`
      let raw = 0;
      const server = tls.createServer(pki.pair('ec'), (socket) => {
        server.getConnections((error, count) => socket.end([raw, count].join()));
      });
      server.maxConnections = 1;
      server.on('connection', () => raw++);
      server.listen(0, '127.0.0.1');`, `
      const report = {};
      fork(1).then(async ([{ address }]) => {
        report.first = (await visit({ port: address.port })).pid;
        finish();
      });`);
    assert.strictEqual(report.first, '1,1');
  });

  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    it(`${version}: a session is resumed by another worker`, async () => {
      const report = await runCluster(worker('0, "127.0.0.1"'), `
        const report = { reused: [] };
        fork(2).then(async ([{ address }]) => {
          const options = { port: address.port, maxVersion: ${JSON.stringify(version)} };
          const first = await visit(options);
          for (let i = 0; i < ${VISITS}; i++) {
            const next = await visit({ ...options, session: first.session });
            if (next.pid !== first.pid) report.reused.push(next.reused);
          }
          report.first = first.reused;
          finish();
        });`);
      assert.strictEqual(report.first, false);
      assert.ok(report.reused.length > 0 && report.reused.every((reused) => reused === true));
    });
  }

  it('a worker that disconnects finishes its connections, and the others serve on', async () => {
    const report = await runCluster(`
      const server = tls.createServer(pki.pair('ec'), (socket) => {
        socket.write(String(process.pid));
        socket.on('data', (data) => socket.end(data));
      });
      server.listen(0, '127.0.0.1');`, `
      const report = {};
      fork(2).then(async (workers) => {
        const { port } = workers[0].address;
        const client = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: pki.ca });
        const pid = String(await new Promise((resolve) => client.once('data', resolve)));
        const { worker } = workers.find((one) => String(one.worker.process.pid) === pid);
        worker.disconnect();
        const other = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: pki.ca });
        const second = String(await new Promise((resolve) => other.once('data', resolve)));
        report.otherServes = second !== pid;
        other.end('bye');
        other.on('close', () => client.end('last words'));
        client.on('data', (data) => { report.said = String(data); });
        worker.on('exit', (code) => {
          report.exit = [code, worker.exitedAfterDisconnect];
          finish();
        });
      });`);
    assert.deepStrictEqual(report, { otherServes: true, said: 'last words', exit: [0, true] });
  });

  it('an exclusive server has a port of its own', async () => {
    const report = await runCluster(worker('{ port: 0, host: "127.0.0.1", exclusive: true }')
      .concat('server.on("listening", () => process.send(server.address().port));'), `
      const report = { ports: [], pids: [] };
      const children = [cluster.fork(), cluster.fork()];
      Promise.all(children.map((child) => new Promise((resolve) => child.once('message', resolve)))).then(async (ports) => {
        report.ports = new Set(ports).size;
        for (let i = 0; i < 2; i++) {
          report.pids.push((await visit({ port: ports[i] })).pid === String(children[i].process.pid));
        }
        for (const child of children) child.process.kill();
      });`);
    assert.deepStrictEqual(report, { ports: 2, pids: [true, true] });
  });

  it('a port in use is the worker\'s error', async () => {
    const report = await runCluster(`
      const server = tls.createServer(pki.pair('ec'));
      server.on('error', ({ code, syscall, address, port }) => {
        process.send([code, syscall, address, port === Number(process.env.TAKEN)]);
      });
      server.listen(Number(process.env.TAKEN), '127.0.0.1');`, `
      const report = {};
      const taken = require('net').createServer().listen(0, '127.0.0.1', () => {
        const child = cluster.fork({ TAKEN: taken.address().port });
        child.on('message', (message) => {
          report.error = message;
          taken.close();
          finish();
        });
      });`);
    assert.deepStrictEqual(report.error, ['EADDRINUSE', 'bind', '127.0.0.1', true]);
  });
});
