'use strict';

// Connections come and go by the thousand, in either direction and in every way they can fail: afterwards nothing of
// them is left. And bytes that nobody takes stay outside: in the writer's hands or in the kernel.
//
// The program that is measured (leak/subject.js) and its peers (leak/peer.js) are processes of their own.

const assert = require('assert');
const path = require('path');
const { stock } = require('./support/subject');
const { pkiEnv } = require('./support/node-program');
const { start } = require('./support/program');

const MIB = 1 << 20;
const LIFETIME = 110_000;      // ms
const WARM_UP = 2_000;
const CONNECTIONS = 10_000;
// A small young generation: V8 would otherwise enlarge it by tens of megabytes under this load, once and for all.
const FLAGS = ['--expose-gc', '--max-semi-space-size=1'];

/** A program of ./leak that answers one JSON line to each JSON line. */
function startPart(name, flags = []) {
  const program = start(process.execPath, [...flags, path.join(__dirname, 'leak', name)],
    { env: pkiEnv(), timeout: LIFETIME });
  return {
    program,
    async ask(question, ms = 60_000) {
      const before = program.stdout.length;
      program.write(`${JSON.stringify(question)}\n`);
      const answer = await program.waitFor(new RegExp(`(?<=^[^]{${before}})(.+)\\n`), ms);
      if (program.stderr) throw new Error(program.stderr);
      return JSON.parse(answer[1]);
    },
  };
}

describe('leaks', function () {
  this.timeout(LIFETIME);

  before(function () {
    if (stock || process.platform !== 'linux') this.skip();
  });

  it(`nothing is left of ${CONNECTIONS} connections`, async () => {
    const subject = startPart('subject.js', FLAGS);
    const peer = startPart('peer.js');
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

  for (const [title, question, held] of [
    ['an upload of 256 MiB into a paused socket', { do: 'pause', bytes: 256 * MIB }, 0],
    ['writes of 256 MiB to a reader that sleeps', { do: 'write', bytes: 256 * MIB, pieces: 4096 }, 256 * MIB],
    ['one write of 256 MiB to a reader that sleeps', { do: 'write', bytes: 256 * MIB, pieces: 1 }, 256 * MIB],
    ['one write of 1 GiB to a reader that sleeps', { do: 'write', bytes: 1024 * MIB, pieces: 1 }, 1024 * MIB],
  ]) {
    it(`${title} costs little beyond what JavaScript holds`, async () => {
      const subject = startPart('subject.js', FLAGS);
      const peer = startPart('peer.js');
      const sizes = question.do === 'pause' ?
        await upload(subject, peer, question) : await download(subject, peer, question);
      const beyond = sizes.peak - sizes.base - held;
      assert.ok(beyond < 64 * MIB, `${(beyond / MIB).toFixed(1)} MiB beyond`);
      assert.strictEqual(sizes.finished, false);
    });
  }
});

/** The peer writes all it can into a connection whose other end has been paused. */
async function upload(subject, peer, { bytes }) {
  const { port } = await subject.ask({ do: 'listen', paused: true });
  await peer.ask({ do: 'push', port, bytes });
  return subject.ask({ do: 'watch' });
}

/** The subject writes all at once to a peer that does not read. */
async function download(subject, peer, { bytes, pieces }) {
  const { port } = await peer.ask({ do: 'listen', paused: true });
  return subject.ask({ do: 'fill', port, bytes, pieces });
}
