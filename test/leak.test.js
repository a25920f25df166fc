'use strict';

// Connections come and go by the thousand, in either direction and in every way they can fail: afterwards nothing of
// them is left.
//
// The program that is measured (leak/subject.js) and its peers (leak/peer.js) are processes of their own.

const assert = require('assert');
const path = require('path');
const { stock } = require('./support/subject');
const { startPart } = require('./support/part');

const MIB = 1 << 20;
const LIFETIME = 110_000;      // ms
const WARM_UP = 2_000;
const CONNECTIONS = 10_000;
// A small young generation: V8 would otherwise enlarge it by tens of megabytes under this load, once and for all.
const FLAGS = ['--expose-gc', '--max-semi-space-size=1'];

describe('leaks', function () {
  this.timeout(LIFETIME);

  before(function () {
    if (stock || process.platform !== 'linux') this.skip();
  });

  it(`nothing is left of ${CONNECTIONS} connections`, async () => {
    const part = (name, flags) => startPart(path.join(__dirname, 'leak', name), { flags, timeout: LIFETIME });
    const subject = part('subject.js', FLAGS);
    const peer = part('peer.js');
    const { port: peerPort } = await peer.ask({ do: 'listen' });
    const { port } = await subject.ask({ do: 'listen' });
    // In batches, half of them to the measured server, half from it to the peer's.
    const round = async (count) => {
      const [received, sent] = await Promise.all([
        peer.ask({ do: 'visit', port, count: count / 2 }), subject.ask({ do: 'visit', port: peerPort, count: count / 2 }),
      ]);
      assert.deepStrictEqual(received, { done: count / 2 });
      assert.deepStrictEqual(sent, { done: count / 2 });
    };
    await round(WARM_UP);
    const base = await subject.ask({ do: 'measure' });
    await round(CONNECTIONS);
    const after = await subject.ask({ do: 'measure' });
    assert.deepStrictEqual(after.counts, base.counts);
    assert.ok(after.served - base.served > CONNECTIONS / 10, `${after.served - base.served} were served`);
    // 8 MiB for 10,000 connections: a leak of 1 KiB each would show.
    assert.ok(after.rss - base.rss < 8 * MIB, `RSS grew by ${((after.rss - base.rss) / MIB).toFixed(1)} MiB`);
    assert.ok(after.heap - base.heap < 4 * MIB, `the heap grew by ${((after.heap - base.heap) / MIB).toFixed(1)} MiB`);
  });
});
