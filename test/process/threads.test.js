'use strict';

// How many threads work for the process, and what they are called.

const assert = require('assert');
const os = require('os');
const { runNode } = require('../support/node-program');

/** A server makes the threads begin; each names itself. Tells the names when there are `count`, or when it is late. */
const program = (count) => `
  const fs = require('fs');
  const names = () => fs.readdirSync('/proc/self/task')
    .map((id) => fs.readFileSync('/proc/self/task/' + id + '/comm', 'utf8').trim())
    .filter((name) => name.startsWith('c4tls-')).sort();
  const server = tls.createServer(pki.pair('ec')).listen(0, '127.0.0.1');
  const end = Date.now() + 10_000;
  (function look() {
    if (names().length < ${count} && Date.now() < end) return setImmediate(look);
    console.log(JSON.stringify(names()));
    server.close();
  })();
`;

async function threads(C4TLS_THREADS, count) {
  const { code, stdout, stderr } = await runNode(program(count), { env: { C4TLS_THREADS } });
  assert.strictEqual(code, 0, stderr);
  return JSON.parse(stdout);
}

(process.platform === 'linux' ? describe : describe.skip)('C4TLS_THREADS', () => {
  const cores = os.availableParallelism?.() ?? os.cpus().length;

  it('says how many threads there are', async () => {
    assert.deepStrictEqual(await threads('3', 3), ['c4tls-0', 'c4tls-1', 'c4tls-2']);
  });

  it('is taken into the range from 1 to 256', async () => {
    assert.deepStrictEqual(await threads('0', 1), ['c4tls-0']);
    assert.strictEqual((await threads('1000', 256)).length, 256);
  });

  it('without a number leaves it at one per core', async () => {
    for (const value of ['', 'many']) assert.strictEqual((await threads(value, cores)).length, cores);
  });
});
