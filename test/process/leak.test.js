'use strict';

// 10,000 connections come and go: memory, descriptors and handles return to where they were.

const assert = require('assert');
const { startNode } = require('../support/node-program');

/** Connections in all, and how many are open at once. */
const TOTAL = 10_000;
const AT_ONCE = 50;

/**
 * What may stay behind per connection, in bytes of resident memory: the noise of allocators. A connection that leaks
 * holds 5 KiB at the least (its SSL object).
 */
const BYTES_PER_CONNECTION = 1000;

describe('leaks', function () {
  this.timeout(110_000);

  it(`${TOTAL} connections leave nothing behind`, async function () {
    if (process.platform !== 'linux') this.skip();   // reads /proc
    const program = startNode(`
      const fs = require('fs');
      const { once } = require('events');
      let serverSockets = 0;
      const server = tls.createServer(pki.pair('ec'), (socket) => {
        serverSockets++;
        socket.on('error', () => {}).on('close', () => serverSockets--);
        socket.pipe(socket);
      });
      server.on('tlsClientError', () => {});

      // Every kind of life that a connection can have.
      async function one(i) {
        const port = server.address().port;
        if (i % 10 === 0) {
          const raw = require('net').connect(port, '127.0.0.1');
          raw.on('error', () => {}).resume();
          await once(raw, 'connect');
          if (i % 20 === 0) raw.destroy();
          else raw.end('GET / HTTP/1.0\\r\\n\\r\\n');
          if (!raw.closed) await once(raw, 'close');
          return;
        }
        const client = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca, secureContext });
        const gone = once(client, 'close');
        gone.catch(() => {});
        client.on('error', () => {});
        if (i % 10 === 1) return client.destroy();
        await once(client, 'secureConnect');
        client.write('x'.repeat(100));
        await once(client, 'data');
        if (i % 3 === 0) client.destroy();
        else client.end();
        await gone;
      }
      const ca = pki.ca;
      const secureContext = tls.createSecureContext({ ca });

      async function many(count) {
        let next = 0;
        await Promise.all(Array.from({ length: ${AT_ONCE} }, async () => {
          while (next < count) await one(next++);
        }));
        await until(async () => serverSockets === 0 && await open() === 0);
      }
      const open = () => new Promise((resolve) => server.getConnections((error, count) => resolve(count)));
      async function until(condition) {
        const end = Date.now() + 10000;
        while (!await condition()) {
          if (Date.now() > end) throw new Error('connections stay open: ' + await open() + ', ' + serverSockets);
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      }
      async function measure() {
        for (let i = 0; i < 4; i++) {
          global.gc();
          await new Promise((resolve) => setTimeout(resolve, 30));
        }
        const status = fs.readFileSync('/proc/self/status', 'utf8');
        return {
          rss: Number(/VmRSS:\\s+(\\d+)/.exec(status)[1]) * 1024,
          heap: process.memoryUsage().heapUsed,
          threads: Number(/Threads:\\s+(\\d+)/.exec(status)[1]),
          descriptors: fs.readdirSync('/proc/self/fd').length,
          resources: process.getActiveResourcesInfo().filter((name) => name !== 'Timeout').length,
        };
      }
      server.listen(0, '127.0.0.1', async () => {
        await many(4000);   // allocators, pools, ticket caches and code reach their size
        const before = await measure();
        await many(${TOTAL});
        const after = await measure();
        server.close();
        console.log(JSON.stringify({ before, after }));
      });`, { flags: ['--expose-gc'], timeout: 100_000 });
    const { code, stdout, stderr } = await program.endInput().ended;
    assert.strictEqual(code, 0, stderr);
    const { before, after } = JSON.parse(stdout);
    const figures = JSON.stringify({ before, after });
    assert.ok(after.descriptors <= before.descriptors, figures);
    assert.ok(after.resources <= before.resources, figures);
    assert.ok(after.threads <= before.threads, figures);
    assert.ok(after.heap - before.heap < TOTAL * 100, figures);
    assert.ok(after.rss - before.rss < TOTAL * BYTES_PER_CONNECTION, figures);
  });
});
