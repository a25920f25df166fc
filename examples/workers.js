'use strict';

const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const tls = require('..');

/** Each worker thread has an event loop, and so a c4tls, of its own. */
function work() {
  const server = tls.createServer(workerData, (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  server.listen(0, 'localhost', () => parentPort.postMessage(server.address().port));
  parentPort.once('message', () => server.close());
}

async function main() {
  const identity = tls.generateCertificate({ names: ['localhost'] });
  const workers = Array.from({ length: 3 }, () => new Worker(__filename, { workerData: identity }));
  await Promise.all(workers.map(async (worker, index) => {
    const port = await new Promise((resolve) => {
      worker.once('message', resolve);
    });
    const client = tls.connect({ port, host: 'localhost', ca: identity.cert });
    client.setEncoding('utf8').end(`worker ${index} answers`);
    for await (const text of client) console.log(text);
    worker.postMessage('close');
  }));
}

if (isMainThread) main();
else work();
