'use strict';

// Terminates Workers at bad moments: see workers.test.js.

const net = require('net');
const path = require('path');
const tls = require('tls');
const { once } = require('events');
const { Worker } = require('worker_threads');
const pki = require('../support/pki');

const start = (role, data) => new Worker(path.join(__dirname, 'worker.js'), {
  workerData: { role, ...pki.pair('ec'), ca: pki.ca, ...data },
});

function dialParked(port) {
  const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false });
  socket.on('error', () => {});
  return socket;
}

/** Resolves with the number of connections that were open when their Worker went. */
async function terminate(rounds) {
  let opened = 0;
  // A server that never says a word.
  const silent = net.createServer((socket) => {
    opened++;
    socket.on('error', () => {}).resume();
  });
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');

  const parts = {
    async silent() {
      const worker = start('silent', { port: silent.address().port });
      await once(silent, 'connection');
      return worker;
    },
    async handshakes() {
      const worker = start('echo');
      const [{ port }] = await once(worker, 'message');
      // Half of a ClientHello, then nothing.
      const halves = [0, 1, 2].map(() => {
        const socket = net.connect(port, '127.0.0.1').on('error', () => {});
        socket.write(Buffer.from('1603010200010001fc0303', 'hex'));
        return socket;
      });
      await Promise.all(halves.map((socket) => once(socket, 'connect')));
      opened += halves.length;
      for (let i = 0; i < 5; i++) dialParked(port).on('connect', () => opened++);
      return worker;
    },
    async parked() {
      const worker = start('parked');
      const [{ port }] = await once(worker, 'message');
      dialParked(port);
      dialParked(port);
      await once(worker, 'message');
      opened += 2;
      return worker;
    },
    async busy() {
      const worker = start('busy');
      await once(worker, 'message');
      await new Promise((resolve) => {
        setTimeout(resolve, Math.random() * 40);    // somewhere between the first handshake and full load
      });
      opened += 4;
      return worker;
    },
  };
  const names = Object.keys(parts);
  for (let round = 0; round < rounds; round++) {
    // Two different parts at a time, so that one environment goes while another works.
    const pair = [names[round % 4], names[(round + 1) % 4]];
    const workers = await Promise.all(pair.map((name) => parts[name]()));
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  silent.close();
  return opened;
}

module.exports = terminate;
