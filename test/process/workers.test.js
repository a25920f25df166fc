'use strict';

// Several Workers at once, and Workers that are terminated while their connections are busy.

const assert = require('assert');
const path = require('path');
const { once } = require('events');
const { Worker } = require('worker_threads');
const pki = require('../support/pki');
const { subject } = require('../support/subject');
const { dialSecure, dialTcp, echo, serveEcho } = require('../support/net');
const { runNode } = require('../support/node-program');
const { track } = require('../support/cleanup');
const { within } = require('../support/time');

const PROGRAM = path.join(__dirname, 'worker.js');

/** Starts a Worker with a part of worker.js; resolves with it and its first message. */
async function startWorker(role, data = {}) {
  const worker = track(new Worker(PROGRAM, { workerData: { role, ...pki.pair('ec'), ca: pki.ca, ...data } }));
  const [message] = await within(8000, once(worker, 'message'), `a message of the ${role} worker`);
  return { worker, message };
}

describe('Workers', () => {
  it('serve and connect at once, each with its own events', async () => {
    const { port: main } = await serveEcho(subject);
    const servers = await Promise.all([1, 2, 3].map(() => startWorker('echo')));
    const ports = [main, ...servers.map(({ message }) => message.port)];
    const clients = await Promise.all([1, 2, 3].map(() => startWorker('client', { ports, rounds: 20 })));
    for (const { message } of clients) assert.deepStrictEqual(message, { echoed: ports.length * 20 });
    for (const port of ports) assert.strictEqual(await echo(await dialSecure(subject, port)), 'ping');
    // A client has nothing open any more: its Worker ends by itself.
    const codes = await Promise.all(clients.map(async ({ worker }) => {
      worker.postMessage('end');
      const [code] = await within(5000, once(worker, 'exit'), 'the end of a Worker');
      return code;
    }));
    assert.deepStrictEqual(codes, [0, 0, 0]);
  });

  it('can be terminated while the rest goes on', async () => {
    const staying = await startWorker('echo');
    const leaving = await startWorker('echo');
    const client = await dialSecure(subject, staying.message.port);
    const other = await dialSecure(subject, leaving.message.port);
    const gone = once(other.on('error', () => {}).resume(), 'close');
    assert.strictEqual(await echo(client), 'ping');
    await leaving.worker.terminate();
    await within(5000, gone, 'the end of a connection to a Worker that is gone');
    const refused = await dialTcp(leaving.message.port).catch((error) => error.code);
    assert.strictEqual(refused, 'ECONNREFUSED');
    assert.strictEqual(await echo(client), 'ping');
    // Its place can be taken at once.
    assert.strictEqual(await echo(await dialSecure(subject, (await startWorker('echo')).message.port)), 'ping');
  });

  // In a process of its own: what is looked for is a crash.
  it('survive terminate() in mid-handshake and under load, 50 rounds', async () => {
    const { code, signal, stdout, stderr } = await runNode(`
      require(${JSON.stringify(path.join(__dirname, 'terminate.js'))})(50).then((opened) => console.log('opened', opened));
    `, { timeout: 55_000 });
    assert.deepStrictEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' });
    const [, opened] = /^opened (\d+)$/m.exec(stdout);
    assert.ok(Number(opened) >= 50 * 4, stdout);
  });
});
