'use strict';

// The server that is measured, written as its users write one, for any module with the interface of Node's `tls`.
//
//   node --expose-gc node-tls.js DIRECTORY     DIRECTORY holds p256.pem, p256.key, rsa.pem, rsa.key
//
// It prints one JSON line when it listens, `{"event":"ready","ports":{"echo":40001,...}}`, and one for every command
// that comes as a line on standard input. It ends when standard input ends, and after LIFETIME at the latest.

const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { BULK, BLOCK, SERVICES } = require('../lib/protocol');

/** Milliseconds. */
const LIFETIME = 15 * 60 * 1000;

/** Resolution of the event-loop delay in milliseconds: the finest that there is. */
const RESOLUTION = 1;

const handlers = {
  echo(socket) {
    socket.on('data', (data) => socket.write(data));
  },

  // Every byte that comes asks for BULK bytes.
  download(socket) {
    const block = Buffer.alloc(BLOCK, 'x');
    let owed = 0;
    let waiting = false;
    const pump = () => {
      waiting = false;
      while (owed > 0) {
        owed -= BLOCK;
        if (!socket.write(block)) {
          waiting = true;
          socket.once('drain', pump);
          return;
        }
      }
    };
    socket.on('data', (data) => {
      owed += data.length * BULK;
      if (!waiting) pump();
    });
  },

  // Every BULK bytes that have come are answered with one byte.
  upload(socket) {
    let received = 0;
    socket.on('data', (data) => {
      received += data.length;
      while (received >= BULK) {
        received -= BULK;
        socket.write('k');
      }
    });
  },

  // The client closes at once; a server socket then ends by itself, when somebody reads it.
  handshake(socket) {
    socket.resume();
  },
};

module.exports = async function serve(tls) {
  const directory = process.argv[2];
  const ports = {};
  for (const [service, key] of Object.entries(SERVICES)) {
    const options = {
      key: fs.readFileSync(path.join(directory, `${key}.key`)),
      cert: fs.readFileSync(path.join(directory, `${key}.pem`)),
      minVersion: 'TLSv1.3',
    };
    const handler = handlers[service.split('-')[0]];
    const server = tls.createServer(options, (socket) => {
      socket.on('error', () => socket.destroy());
      handler(socket);
    });
    await new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    ports[service] = server.address().port;
  }

  let delay;
  const commands = {
    'usage': () => ({ at: process.hrtime.bigint().toString(), cpu: process.cpuUsage() }),
    'memory': () => {
      globalThis.gc?.();
      return { rss: process.memoryUsage.rss() };
    },
    'delay-begin': () => {
      delay = monitorEventLoopDelay({ resolution: RESOLUTION });
      delay.enable();
      return {};
    },
    'delay-end': () => {
      delay.disable();
      // Nanoseconds.
      return { p50: delay.percentile(50), p99: delay.percentile(99), max: delay.max };
    },
  };
  const say = (object) => process.stdout.write(`${JSON.stringify(object)}\n`);
  readline
    .createInterface({ input: process.stdin })
    .on('line', (command) => say({ event: command, ...commands[command]() }))
    .on('close', () => process.exit());
  setTimeout(() => process.exit(3), LIFETIME).unref();
  say({ event: 'ready', ports });
};
