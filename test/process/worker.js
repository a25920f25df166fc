'use strict';

// What the Workers of these tests do: `workerData.role` says which part.

const { once } = require('events');
const { parentPort, workerData } = require('worker_threads');
const { subject: tls } = require('../support/subject');

const { role, key, cert, ca } = workerData;

async function listen(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  parentPort.postMessage({ port: server.address().port });
}

function echoServer(options) {
  return tls.createServer({ key, cert, ...options }, (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
}

function dial(port) {
  const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca });
  socket.on('error', () => {});
  return socket;
}

const roles = {
  /** Echoes until it is terminated. */
  echo: () => listen(echoServer()),

  /** Echoes, but never answers its SNICallback. */
  parked: () => listen(echoServer({
    SNICallback() {
      parentPort.postMessage('parked');
    },
  })),

  /** Echoes through `rounds` connections to each of `ports`, some at a time. */
  async client() {
    let echoed = 0;
    const visit = async (port, round) => {
      const socket = dial(port);
      const text = `hello ${round} from ${port}`;
      socket.end(text);
      let answer = '';
      for await (const chunk of socket.setEncoding('utf8')) answer += chunk;
      if (answer !== text) throw new Error(`${answer} instead of ${text}`);
      echoed++;
    };
    for (let round = 0; round < workerData.rounds; round++) {
      await Promise.all(workerData.ports.map((port) => visit(port, round)));
    }
    parentPort.postMessage({ echoed });
    parentPort.once('message', () => {});
  },

  /** Serves a client of its own as fast as both can. */
  async busy() {
    const server = echoServer();
    await listen(server);
    const block = Buffer.alloc(64 * 1024, 1);
    for (let i = 0; i < 4; i++) {
      const socket = dial(server.address().port);
      const fill = () => {
        while (socket.write(block));
      };
      socket.on('drain', fill).on('data', () => {}).once('secureConnect', fill);
    }
  },

  /** Connects to `port`, where nobody answers, many times. */
  silent() {
    for (let i = 0; i < 20; i++) dial(workerData.port);
    parentPort.postMessage('connecting');
  },
};

roles[role]();
