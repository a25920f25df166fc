'use strict';

const assert = require('assert');
const fs = require('fs');
const pki = require('../support/pki');
const { PRELUDE, runNode } = require('../support/node-program');

/** A file beside the certificates with the same prelude as runNode's programs. */
function writeScript(source) {
  const file = pki.path('script.js');
  fs.writeFileSync(file, PRELUDE + source);
  return file;
}

describe('cluster', () => {
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
