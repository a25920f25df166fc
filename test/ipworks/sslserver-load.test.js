'use strict';

// SSLServer with many clients: they are held, hear what is sent to all, are heard, and go.
//
// The server and its clients are processes of their own. C4TLS_FULL=1 holds 15,000 clients, where otherwise some
// hundreds show the same.

const assert = require('assert');
const path = require('path');
const { startPart } = require('../support/part');
const { until } = require('../support/time');

const FULL = !!process.env.C4TLS_FULL;
const CLIENTS = FULL ? 15_000 : 300;
const PARTIES = 2;
const ROUNDS = 5;
const LINE = 'to whom it may concern';
const LIFETIME = FULL ? 300_000 : 60_000;      // ms
/** Of the server's memory for each client, in bytes: its buffers in the process, TLS state and objects. */
const BOUND = 64 * 1024;

describe('SSLServer, many clients', function () {
  this.timeout(LIFETIME);

  it(`SSL-C-08, SSL-P-02: ${CLIENTS} clients`, async () => {
    const part = (name) => startPart(path.join(__dirname, 'load', name), { flags: ['--expose-gc'], timeout: LIFETIME });
    const server = part('server.js');
    const parties = Array.from({ length: PARTIES }, () => part('clients.js'));
    const { port, rss: before } = await server.ask({ do: 'listen', connections: CLIENTS });
    const connected = await Promise.all(parties.map((party) =>
      party.ask({ do: 'connect', port, count: CLIENTS / PARTIES, expected: LINE }, LIFETIME)));
    assert.deepStrictEqual(connected.map((answer) => answer.connected), parties.map(() => CLIENTS / PARTIES));
    let held;
    await until(async () => {
      held = await server.ask({ do: 'look' });
      return held.size === CLIENTS;
    }, LIFETIME, 'all clients on the list');
    assert.deepStrictEqual([held.Connected, held.Disconnected, held.Error, held.failed], [CLIENTS, 0, 0, 0]);
    const each = (held.rss - before) / CLIENTS;
    if (FULL) assert.ok(each < BOUND, `${Math.round(each)} bytes for a client`);

    let cpu = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      const sent = await server.ask({ do: 'broadcast', text: LINE }, LIFETIME);
      assert.strictEqual(sent.sends, CLIENTS);
      cpu += sent.cpu;
      await until(async () => {
        const got = await Promise.all(parties.map((party) => party.ask({ do: 'look' })));
        assert.ok(got.every(({ strange, open }) => strange === 0 && open === CLIENTS / PARTIES));
        return got.every(({ least }) => least === round);
      }, LIFETIME, 'every line at every client');
    }

    for (const party of parties) await party.ask({ do: 'say' });
    await until(async () => (await server.ask({ do: 'look' })).DataIn === CLIENTS, LIFETIME, 'a line of every client');
    const told = await server.ask({ do: 'shutdown' }, LIFETIME);
    assert.deepStrictEqual([told.Disconnected, told.failed, told.Error], [CLIENTS, 0, 0]);
    const { size, rss } = await server.ask({ do: 'look' });
    assert.strictEqual(size, 0);
    const mean = (cpu / ROUNDS).toFixed(0);
    if (FULL) console.log(`      ${each.toFixed(0)} bytes a client, ${mean} ms of CPU to send to all, ${rss >> 20} MiB afterwards`);
  });
});
