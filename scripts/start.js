'use strict';

// npm start: a TLS echo server, and an HTTPS page that shows live, over a WebSocket, what they do; with a certificate
// made on the spot, lines to try them with, and one proof that they work.

const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const os = require('os');
const path = require('path');
const { once } = require('events');
const { performance } = require('perf_hooks');
const { parseArgs } = require('util');
const { Meter } = require('./dashboard/meter');
const { createSite } = require('./dashboard/site');

const USAGE = `npm start [-- options]
  --port N        port of the echo server, 0 to 65535 (default 0: a free one)
  --https-port N  port of the HTTPS page (the same)
  --wss-port N    port of the WebSocket that the page listens to (the same)
  --once          end after the proof
  --help          this text`;

// The certificate is nobody's but this program's: it serves this machine alone.
const HOST = '127.0.0.1';

/** Messages of the proof; the round-trip time shown is their median. */
const ROUND_TRIPS = 20;

/** Longest time that the proof, and then the end of the servers, may take, in milliseconds. */
const PROOF_LIMIT = 10_000;
const STOP_LIMIT = 1_000;

/** What this program tells in one line, with the exit code it ends with. */
class Failure extends Error {
  constructor(message, exitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}

function portOf(text, option) {
  if (text === undefined) return 0;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(port <= 65535)) throw new Failure(`--${option} ${text}: not a port from 0 to 65535`, 2);
  return port;
}

function readOptions(args) {
  const string = { type: 'string' };
  const boolean = { type: 'boolean', default: false };
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: { 'port': string, 'https-port': string, 'wss-port': string, 'once': boolean, 'help': boolean },
    }));
  } catch (error) {
    throw new Failure(`${error.message}\n${USAGE}`, 2);
  }
  return {
    port: portOf(values.port, 'port'),
    httpsPort: portOf(values['https-port'], 'https-port'),
    wssPort: portOf(values['wss-port'], 'wss-port'),
    once: values.once,
    help: values.help,
  };
}

// ---- the two servers

function echoServer(tls, pair) {
  return tls.createServer(pair, (socket) => {
    socket.on('error', () => {});    // a client that goes away in the middle concerns only itself
    socket.pipe(socket);
  });
}

function pageServer(tls, pair, feedPort) {
  const site = createSite(feedPort);
  // Node's own HTTP server speaks over sockets that c4tls has secured.
  return tls.createServer({ ...pair, ALPNProtocols: ['http/1.1'] }, (socket) => site.emit('connection', socket));
}

/** What `listening` resolves with; its failure in words. */
async function told(listening, port, option) {
  try {
    return await listening;
  } catch (error) {
    const { code } = error.cause ?? error;
    if (code === 'EADDRINUSE') {
      throw new Failure(`port ${port} is taken: choose another with --${option} N, or leave it out for a free one`, 1);
    }
    throw new Failure(`cannot listen on port ${port}: ${error.message}`, 1);
  }
}

async function listen(server, port, option) {
  server.listen(port, HOST);
  await told(once(server, 'listening'), port, option);
  return server.address().port;
}

/** The page's, as a browser names them. */
const originsOf = (pagePort) => [`https://${HOST}:${pagePort}`];

// ---- what a reader can paste

function showLines({ echoPort, pagePort, feedPort, certificate }) {
  // As a JavaScript string within the shell's double quotes.
  const quoted = certificate.replace(/\\/g, '/');
  console.log(`echo   ${HOST}:${echoPort}
page   https://${HOST}:${pagePort}/
feed   wss://${HOST}:${feedPort}/

Open the page in a browser: it shows what goes on here. Or try (the echo server sends back every line you type):

  openssl s_client -brief -verify_return_error -CAfile "${certificate}" -connect ${HOST}:${echoPort}

  curl --cacert "${certificate}" https://${HOST}:${pagePort}/

  node -e "require('tls').connect({ port: ${echoPort}, host: '${HOST}', ca: require('fs').readFileSync('${quoted}') }, function () { this.end('hello from Node') }).pipe(process.stdout)"
`);
}

// ---- the proof

async function roundTrip(socket, message) {
  const started = performance.now();
  socket.write(message);
  let received = '';
  while (received.length < message.length) {
    const [chunk] = await once(socket, 'data');
    received += chunk;
  }
  if (received !== message) throw new Failure(`the echo of ${message} came back as ${received}`, 1);
  return performance.now() - started;
}

async function proveEcho(tls, ca, port) {
  const started = performance.now();
  const socket = tls.connect({ host: HOST, port, ca, timeout: PROOF_LIMIT });
  socket.on('timeout', () => socket.destroy(new Error('no answer')));
  await once(socket, 'secureConnect');
  const handshake = performance.now() - started;
  socket.setEncoding('utf8');
  const times = [];
  for (let i = 0; i < ROUND_TRIPS; i++) times.push(await roundTrip(socket, `message ${i}`));
  times.sort((a, b) => a - b);
  const proof = {
    protocol: socket.getProtocol(), cipher: socket.getCipher().name, handshake, median: times[ROUND_TRIPS / 2],
  };
  socket.end();
  await once(socket, 'close');
  return proof;
}

async function provePage(tls, ca, port) {
  const request = http.get({
    host: HOST, port, timeout: PROOF_LIMIT,
    createConnection: () => tls.connect({ host: HOST, port, ca, ALPNProtocols: ['http/1.1'] }),
  });
  request.on('timeout', () => request.destroy(new Error('no answer')));
  const [response] = await once(request, 'response');
  response.resume();
  await once(response, 'end');
  return response.statusCode;
}

/** Opens the page's WebSocket; gives the status of the answer, 101, when a text message has come. */
async function proveFeed(tls, ca, port, origin) {
  const request = http.get({
    host: HOST, port, timeout: PROOF_LIMIT,
    headers: {
      'connection': 'upgrade', 'upgrade': 'websocket', origin,
      'sec-websocket-version': 13, 'sec-websocket-key': crypto.randomBytes(16).toString('base64'),
    },
    createConnection: () => tls.connect({ host: HOST, port, ca }),
  });
  request.on('timeout', () => request.destroy(new Error('no answer')));
  const [response, socket, head] = await once(request, 'upgrade');
  const [first] = head.length > 0 ? head : (await once(socket, 'data'))[0];
  socket.destroy();
  if (first !== 0x81) throw new Error('no text message');
  return response.statusCode;
}

async function prove(tls, ca, { echoPort, pagePort, feedPort }) {
  let echo;
  let status;
  let feedStatus;
  try {
    echo = await proveEcho(tls, ca, echoPort);
    status = await provePage(tls, ca, pagePort);
    feedStatus = await proveFeed(tls, ca, feedPort, originsOf(pagePort)[0]);
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(`the proof failed: ${error.message}`, 1);
  }
  console.log(`proof  echo ${echo.protocol} ${echo.cipher}, handshake ${echo.handshake.toFixed(1)} ms, ` +
    `round trip ${echo.median.toFixed(2)} ms; page ${status}, its WebSocket ${feedStatus}`);
}

// ---- the program

/** What is to be ended, in any state the program may be in when it is told to stop. */
class Cleanup {
  constructor() {
    this.servers = [];
    this.feed = undefined;
    this.sockets = new Set();
    this.folder = undefined;
  }

  add(server) {
    this.servers.push(server);
    server.on('secureConnection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    return server;
  }

  makeFolder() {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-start-'));
    process.on('exit', () => this.removeFolder());
    return this.folder;
  }

  removeFolder() {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  async run() {
    if (this.folder) this.removeFolder();
    const ended = Promise.all([this.feed?.close(), ...this.servers.map((server) => new Promise((resolve) => {
      server.close(resolve);    // of a server that does not listen too
    }))]);
    for (const socket of this.sockets) socket.destroy();
    // A client in mid-handshake may take its time: it does not get more than this.
    await Promise.race([ended, new Promise((resolve) => {
      setTimeout(resolve, STOP_LIMIT).unref();
    })]);
  }
}

async function serve({ port, httpsPort, wssPort, once: onlyOnce }, cleanup) {
  const tls = require('..');
  const { Feed } = require('./dashboard/feed');
  const pair = tls.generateCertificate();
  const meter = new Meter();
  const feed = cleanup.feed = new Feed(meter);
  const ports = {};
  const echo = cleanup.add(meter.watch(echoServer(tls, pair)));
  const page = cleanup.add(meter.watch(pageServer(tls, pair, () => ports.feedPort)));
  ports.feedPort = await told(feed.listen(HOST, wssPort, pair), wssPort, 'wss-port');
  ports.echoPort = await listen(echo, port, 'port');
  ports.pagePort = await listen(page, httpsPort, 'https-port');
  feed.serve(originsOf(ports.pagePort));
  const certificate = path.join(cleanup.makeFolder(), 'cert.pem');
  fs.writeFileSync(certificate, pair.cert);
  showLines({ ...ports, certificate });
  await prove(tls, pair.cert, ports);
  if (!onlyOnce) console.log('\nCtrl-C ends it.');
}

async function main() {
  const cleanup = new Cleanup();
  let stopping = false;
  const stop = async (exitCode) => {
    stopping = true;
    await cleanup.run();
    process.exit(exitCode);
  };
  // A second Ctrl-C finds no listener and ends the program at once.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop(0));
  try {
    const options = readOptions(process.argv.slice(2));
    if (options.help) {
      console.log(USAGE);
      return;
    }
    await serve(options, cleanup);
    if (options.once) await stop(0);
  } catch (error) {
    if (stopping) return;    // what was under way fails because its servers are gone
    console.error(`npm start: ${error.message}`);
    await stop(error.exitCode ?? 1);
  }
}

main();
