'use strict';

// Memory does not grow with what a peer sends or a reader leaves lying: bytes that nobody takes stay outside, in the
// writer's hands or in the kernel.
//
// The program that is measured and its peer (memory/party.js) are processes of their own. C4TLS_FULL=1 sends 10 GiB in
// each test, where otherwise 256 MiB show the same.

const assert = require('assert');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { hashOf } = require('./memory/blocks');
const { stock } = require('./support/subject');
const { startPart } = require('./support/part');
const { until } = require('./support/time');

const KIB = 1 << 10;
const MIB = 1 << 20;
const FULL = !!process.env.C4TLS_FULL;
/** Bytes that are tried to send in all, far more than the buffers of the kernel and the bound together. */
const TOTAL = (FULL ? 10_240 : 256) * MIB;
const MANY = 64;
/** More than the kernel keeps for one connection. */
const EACH = Math.max(TOTAL / MANY, 8 * MIB);
/** Connections that do not complete their handshake. */
const HALVES = 500;
const BOUND = 64 * MIB;
const LIFETIME = FULL ? 180_000 : 60_000;      // ms
/** Looks that must be alike before a flow counts as stopped. */
const LOOKS = 10;
// A small young generation: V8 would otherwise enlarge it by tens of megabytes, once and for all.
const FLAGS = ['--expose-gc', '--max-semi-space-size=1'];

const OVER_SOCKET = 'client over a net.Socket';

const READERS = [
  ['into a socket paused from the start', 'pauses', 1],
  ['into a socket that nobody listens to', 'sleeps', 1],
  ['into a socket paused later', 'pausesLater', 1],
  ['into a socket whose \'readable\' is ignored', 'ignoresReadable', 1],
  ['into a stalled async iterator', 'iterates', 1],
  [`into ${MANY} sockets paused from the start`, 'pauses', MANY],
  [`into ${MANY} sockets paused later`, 'pausesLater', MANY],
];
const WRITERS = [
  ['that waits for \'drain\'', 'waitsForDrain'],
  ['by pipe()', 'pipes'],
  ['by pipeline()', 'pipelines'],
];

const mib = (bytes) => `${(bytes / MIB).toFixed(1)} MiB`;

function startParty(name) {
  return startPart(path.join(__dirname, 'memory', 'party.js'), { flags: FLAGS, args: [name], timeout: LIFETIME });
}

/** c4tls on one side, Node's tls on the other, connected. `side`: what c4tls is. */
async function connect(side, { reader, writer, count = 1, subjectReads }) {
  const subject = startParty('subject');
  const peer = startParty('peer');
  const [from, to] = side === 'server' ? [peer, subject] : [subject, peer];
  const readerOf = (one) => (one === subject) === subjectReads ? reader : 'sleeps';
  const { port } = await to.ask({ do: 'listen', reader: readerOf(to) });
  await from.ask({ do: 'connect', port, count, reader: readerOf(from), over: side === OVER_SOCKET });
  await to.ask({ do: 'measure', count });
  await from.ask({ do: 'measure', count });
  const [source, sink] = subjectReads ? [peer, subject] : [subject, peer];
  return { subject, peer, source, sink, write: (bytes) => source.ask({ do: 'write', writer, bytes }) };
}

/** Resolves with the sides' progress once nothing moves any more. */
async function standstill(...sides) {
  let last;
  let alike = 0;
  await until(async () => {
    const now = await Promise.all(sides.map((side) => side.ask({ do: 'progress', collect: true })));
    const moved = now.map(({ sent, received, connections }) => [sent, received, connections]);
    alike = JSON.stringify(moved) === JSON.stringify(last?.moved) ? alike + 1 : 0;
    last = { now, moved };
    return alike === LOOKS;
  }, LIFETIME, 'a standstill');
  return last.now;
}

/** Resolves with the subject's progress once all is received; the hash says whether it is what was sent. */
async function completed({ subject, sink }, bytes, count) {
  let progress;
  await until(async () => {
    progress = await sink.ask({ do: 'progress' });
    return progress.received === bytes * count || progress.open === 0;
  }, LIFETIME, 'all bytes');
  assert.strictEqual(progress.received, bytes * count);
  assert.deepStrictEqual((await sink.ask({ do: 'hashes' })).hashes, [hashOf(bytes)]);
  return subject.ask({ do: 'progress' });
}

function assertBounded({ growth }, held = 0) {
  assert.ok(growth - held < BOUND, `memory grew by ${mib(growth)}, ${mib(held)} of it the program's own`);
}

/**
 * The flow stops, memory is bounded then, and nothing is lost when the reader reads on. How much garbage gathers while
 * bytes flow at full speed is V8's affair: there, what stays is looked at.
 */
async function stopsAndGoesOn(pair, bytes, count) {
  const [source, subject] = await standstill(pair.source, pair.subject);
  assert.ok(source.sent < bytes * count, 'nothing held the writer back');
  assertBounded(subject);
  await pair.sink.ask({ do: 'wake' });
  await completed(pair, bytes, count);
  const { kept } = await pair.subject.ask({ do: 'progress', collect: true });
  if (count === 1) assertBounded({ growth: kept });
  return source;
}

describe('memory', function () {
  this.timeout(LIFETIME);

  before(function () {
    if (stock || process.platform !== 'linux') this.skip();
  });

  for (const [side, reads, writes] of [
    ['server', 'an upload', 'a download'], ['client', 'a download', 'an upload'], [OVER_SOCKET, 'a download', 'an upload'],
  ]) {
    describe(`of a ${side}`, () => {
      // What differs over a net.Socket is the way of the ciphertext, not what a program may do with the clear text.
      const readers = side === OVER_SOCKET ? READERS.filter(([, reader]) => reader === 'pausesLater') : READERS;
      const writers = side === OVER_SOCKET ? WRITERS.slice(0, 1) : WRITERS;

      for (const [title, reader, count] of readers) {
        const bytes = count === 1 ? TOTAL : EACH;
        it(`${reads} of ${mib(bytes * count)} ${title} is bounded`, async () => {
          const pair = await connect(side, { reader, writer: 'waitsForDrain', count, subjectReads: true });
          await pair.write(bytes);
          await stopsAndGoesOn(pair, bytes, count);
        });
      }

      it(`${reads} of ${mib(TOTAL)} that is paused again and again is bounded, and whole`, async () => {
        const pair = await connect(side, { reader: 'naps', writer: 'waitsForDrain', subjectReads: true });
        await pair.write(TOTAL);
        assertBounded(await completed(pair, TOTAL, 1));
      });

      it(`${reads} of ${mib(EACH * MANY)} by ${MANY} connections while the event loop is blocked is bounded`, async () => {
        const pair = await connect(side, { reader: 'flows', writer: 'waitsForDrain', count: MANY, subjectReads: true });
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-memory-'));
        try {
          const blocked = pair.subject.ask({ do: 'block', file: folder, ms: 20_000 });
          await pair.write(EACH);
          const [{ sent }] = await standstill(pair.source);
          fs.rmdirSync(folder);
          const { freed, growth } = await blocked;
          assert.ok(freed);
          assert.ok(sent < EACH * MANY, 'nothing held the writer back');
          assertBounded({ growth });
        } finally {
          fs.rmSync(folder, { recursive: true, force: true });
        }
        await completed(pair, EACH, MANY);
      });

      for (const [title, writer] of writers) {
        it(`${writes} of ${mib(TOTAL)} ${title}, to a reader that sleeps, is bounded`, async () => {
          const pair = await connect(side, { reader: 'sleeps', writer });
          await pair.write(TOTAL);
          const { refusals } = await stopsAndGoesOn(pair, TOTAL, 1);
          if (writer === 'waitsForDrain') assert.ok(refusals > 0);
        });
      }

      for (const [title, writer] of [['in pieces', 'ignoresFalse'], ['at once', 'writesAtOnce']]) {
        // As with Node, the program's own bytes wait in the program's own memory.
        const bytes = 256 * MIB;
        it(`${writes} of ${mib(bytes)} ${title}, whatever write() says, costs little beyond these`, async () => {
          const pair = await connect(side, { reader: 'sleeps', writer });
          await pair.write(bytes);
          const [{ sent, refusals }, subject] = await standstill(pair.source, pair.subject);
          assert.ok(sent < bytes);
          assert.ok(refusals > 0);
          assertBounded(subject, bytes);
        });
      }
    });
  }

  describe('of a server with connections whose handshake does not go on', () => {
    /** `count` connections that begin with `hello`: {subject, peer}. */
    async function begin(hello, count, options) {
      const subject = startParty('subject');
      const peer = startParty('peer');
      const { port } = await subject.ask({ do: 'listen', ...options });
      await subject.ask({ do: 'measure', count: 0 });
      await peer.ask({ do: 'begin', port, count, hello });
      return { subject, peer };
    }

    for (const [title, hello, each] of [
      ['11 bytes of a ClientHello', 'part', 80 * KIB],
      ['the largest ClientHello but its last byte', 'most', 256 * KIB],
    ]) {
      it(`is bounded by ${each / KIB} KiB each after ${title}`, async () => {
        const { subject } = await begin(hello, HALVES);
        const [{ connections, growth }] = await standstill(subject);
        assert.strictEqual(connections, HALVES);
        assert.ok(growth < HALVES * each, `${(growth / KIB / HALVES).toFixed(1)} KiB each`);
      });
    }

    it(`is bounded when ${MANY} send ${mib(EACH)} each behind a ClientHello that waits for its SNICallback`, async () => {
      const { subject, peer } = await begin('whole', MANY, { parks: true });
      await peer.ask({ do: 'write', writer: 'waitsForDrain', bytes: EACH });
      const [source, server] = await standstill(peer, subject);
      assert.ok(source.sent < EACH * MANY, 'nothing held the writers back');
      assert.strictEqual(server.connections, MANY);
      assertBounded(server);
    });
  });
});
