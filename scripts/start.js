'use strict';

// npm start: a TLS echo server and an HTTPS page on this machine, with a certificate made in memory.
//   npm start -- [--port N] [--https-port N] [--once]
// It prints lines to try it with, proves itself with a client of its own, and runs until Ctrl-C (--once: until then).

const { once } = require('events');
const fs = require('fs');
const http = require('http');
const os = require('os');
const path = require('path');
const { parseArgs } = require('util');

const HOST = '127.0.0.1';
const NAMES = ['localhost', '127.0.0.1', '::1'];

/** The proof is local and takes milliseconds: more than this means that something is wrong. */
const PROOF_LIMIT = 10_000;

const USAGE = 'npm start -- [--port N] [--https-port N] [--once]      ports 0 to 65535, 0 (the default) for any free one';

function readOptions() {
  const { values } = parseArgs({
    options: {
      'port': { type: 'string', default: '0' },
      'https-port': { type: 'string', default: '0' },
      'once': { type: 'boolean', default: false },
      'help': { type: 'boolean', default: false },
    },
  });
  const port = (name) => {
    const number = Number(values[name]);
    if (values[name].trim() !== '' && Number.isInteger(number) && number >= 0 && number <= 65535) return number;
    throw new RangeError(`--${name} ${values[name]} is no port: 0 to 65535`);
  };
  return { port: port('port'), httpsPort: port('https-port'), stopAfterProof: values.once, help: values.help };
}

async function listen(server, port) {
  server.listen(port, HOST);
  await once(server, 'listening');
  return server.address().port;
}

/** Sends every byte back. */
function makeEcho(tls, identity) {
  return tls.createServer(identity, (socket) => {
    socket.on('error', () => {});   // a client that goes away is no news
    socket.pipe(socket);
  });
}

/** A page that tells what its connection is: Node's http over sockets of ours. */
function makePage(tls, identity) {
  const web = http.createServer((request, response) => {
    const { socket } = request;
    response.setHeader('Content-Type', 'text/plain; charset=utf-8');
    response.end(`Hello from c4tls.\n${socket.getProtocol()} ${socket.getCipher().standardName}\n`);
  });
  return tls.createServer({ ...identity, ALPNProtocols: ['http/1.1'] }, (socket) => {
    socket.on('error', () => {});
    web.emit('connection', socket);
  });
}

/** Connects once, sends a message and waits for it to come back. */
async function prove(tls, port, ca) {
  const started = process.hrtime.bigint();
  const signal = AbortSignal.timeout(PROOF_LIMIT);
  const socket = tls.connect({ port, host: HOST, servername: 'localhost', ca });
  await once(socket, 'secureConnect', { signal });
  const secured = process.hrtime.bigint();
  const message = 'hello, myself';
  socket.setEncoding('utf8').write(message);
  let answer = '';
  while (answer.length < message.length) answer += (await once(socket, 'data', { signal }))[0];
  const answered = process.hrtime.bigint();
  if (answer !== message) throw new Error(`the echo server answered ${JSON.stringify(answer)}`);
  const ms = (from, to) => (Number(to - from) / 1e6).toFixed(2);
  const result = `${socket.getProtocol()}, ${socket.getCipher().standardName}, ` +
    `handshake ${ms(started, secured)} ms, round trip ${ms(secured, answered)} ms`;
  socket.end();
  await once(socket, 'close', { signal });
  return result;
}

function printWays(port, httpsPort, caFile) {
  const client = `require('tls').connect({port:${port},ca:require('fs').readFileSync('${caFile}')})`;
  console.log(`
TLS echo server on ${HOST}:${port}, HTTPS page on https://localhost:${httpsPort}/
certificate: ${caFile} (made for this run)

Try it:
  openssl s_client -connect localhost:${port} -CAfile ${caFile} -verify_return_error -quiet
  curl --cacert ${caFile} https://localhost:${httpsPort}/
  node -e "const c=${client};c.pipe(process.stdout);process.stdin.pipe(c)"
`);
}

async function main() {
  const { port, httpsPort, stopAfterProof, help } = readOptions();
  if (help) {
    console.log(USAGE);
    return;
  }
  const tls = require('..');
  const identity = tls.generateCertificate({ names: NAMES, days: 30, keyType: 'ec' });
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-start-'));
  process.on('exit', () => fs.rmSync(dir, { recursive: true, force: true }));
  const caFile = path.join(dir, 'ca.pem');
  fs.writeFileSync(caFile, identity.cert);

  const servers = [makeEcho(tls, identity), makePage(tls, identity)];
  const open = new Set();
  let stopping = false;
  for (const server of servers) {
    server.on('tlsClientError', (error) => console.log(`a handshake failed: ${error.code ?? error.message}`));
    server.on('secureConnection', (socket) => {
      open.add(socket);
      if (stopping) socket.destroy();   // its handshake was under way when the server closed
      socket.on('close', () => open.delete(socket));
    });
  }
  const stop = () => {
    stopping = true;
    for (const server of servers) server.close();
    for (const socket of open) socket.destroy();
  };
  const ports = [await listen(servers[0], port), await listen(servers[1], httpsPort)];
  // Nothing is left open after this, so the process ends by itself, with code 0.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);

  printWays(...ports, caFile);
  console.log(`Proof: ${await prove(tls, ports[0], identity.cert)}`);
  if (stopAfterProof) stop();
  else console.log('\nCtrl-C ends it.');
}

main().catch((error) => {
  console.error(`c4tls: ${error.message}`);
  process.exit(1);
});
