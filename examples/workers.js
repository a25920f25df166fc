'use strict';
// A server in each of several worker threads, all with the same certificate.
// Look at: c4tls loads in any number of workers; a worker that is terminated takes its connections with it.

const { once } = require('events');
const { Worker, isMainThread, parentPort, threadId, workerData } = require('worker_threads');
const tls = require('..');    // in your program: require('c4tls')

function work() {
  const server = tls.createServer(workerData, (socket) => socket.end(`hello from worker ${threadId}`));
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
  parentPort.once('message', () => server.close());     // 'stop': then nothing is open, and the worker ends
}

async function ask(port, ca) {
  const socket = tls.connect({ port, host: '127.0.0.1', ca });
  socket.setEncoding('utf8');
  let text = '';
  for await (const part of socket) text += part;
  return text;
}

async function main() {
  const pair = tls.generateCertificate();
  const workers = [1, 2, 3].map(() => new Worker(__filename, { workerData: pair }));
  await Promise.all(workers.map(async (worker) => {
    const [port] = await once(worker, 'message');
    console.log(await ask(port, pair.cert));
    worker.postMessage('stop');
    await once(worker, 'exit');
  }));
  console.log('all workers have ended');
}

if (isMainThread) main();
else work();
