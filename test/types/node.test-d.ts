// The types of `c4tls` in a CommonJS program, found through the package's own name. Checked by tsc, never run.

import * as fs from 'node:fs';
import * as http from 'node:http';
import * as net from 'node:net';
import * as nodeTls from 'node:tls';
import * as stream from 'node:stream';
import tls = require('c4tls');

// ---- certificates

const pair: { cert: string; key: string } = tls.generateCertificate();
tls.generateCertificate({ names: ['localhost', '::1'], days: 7, keyType: 'ed25519' });
tls.generateCertificate({ keyType: 'rsa' });
// @ts-expect-error no such key type
tls.generateCertificate({ keyType: 'dsa' });
// @ts-expect-error a list, even of one name
tls.generateCertificate({ names: 'localhost' });
// @ts-expect-error not a number
tls.generateCertificate({ days: '7' });
// @ts-expect-error no such option
tls.generateCertificate({ bits: 4096 });

// ---- contexts

const context: tls.SecureContext = tls.createSecureContext({
  key: [{ pem: fs.readFileSync('key.pem'), passphrase: 'secret' }],
  cert: [pair.cert],
  ca: Buffer.from(pair.cert),
  ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE+AESGCM',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  honorCipherOrder: true,
  ecdhCurve: 'auto',
  sessionTimeout: 300,
  ticketKeys: Buffer.alloc(48),
  allowPartialTrustChain: true,
  certificateCompression: ['zstd', 'brotli', 'zlib'],
});
// @ts-expect-error no such algorithm
tls.createSecureContext({ certificateCompression: ['gzip'] });
tls.createSecureContext();
tls.createSecureContext({ pfx: fs.readFileSync('old.pfx'), passphrase: 'secret', legacyPfx: true });
tls.createServer({ legacyPfx: true });
// @ts-expect-error not a boolean
tls.connect({ legacyPfx: 1 });
// @ts-expect-error no such version
tls.createSecureContext({ minVersion: 'SSLv3' });
// @ts-expect-error not a list of names
tls.createSecureContext({ ciphers: ['AES128-SHA'] });
// Node's own functions take it as what it is for them.
const forNode: nodeTls.SecureContext = context;

// ---- servers

const server: tls.Server = tls.createServer({
  ...pair,
  requestCert: true,
  rejectUnauthorized: false,
  handshakeTimeout: 10_000,
  ALPNProtocols: ['h2', 'http/1.1'],
  SNICallback(servername, callback) {
    const name: string = servername;
    callback(null, name === 'localhost' ? context : undefined);
  },
  allowHalfOpen: true,
  pauseOnConnect: false,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 1_000,
  highWaterMark: 65_536,
}, (socket) => {
  const protocol: string | null = socket.getProtocol();
  const cipher: tls.CipherNameAndProtocol = socket.getCipher();
  const peer: tls.PeerCertificate = socket.getPeerCertificate();
  const chain: tls.DetailedPeerCertificate = socket.getPeerCertificate(true);
  const alpn: string | false | null = socket.alpnProtocol;
  const material: Buffer = socket.exportKeyingMaterial(32, 'EXPERIMENTAL', Buffer.alloc(0));
  console.log(protocol, cipher.name, peer.fingerprint256, chain.issuerCertificate.subject, alpn, material);
  const ok: boolean = socket.write('hello');
  if (!ok) socket.once('drain', () => socket.end());
  // @ts-expect-error this is no text that the stream could send
  socket.write(42);
  // @ts-expect-error the length is missing
  socket.exportKeyingMaterial('EXPERIMENTAL');
});

const netServer: net.Server = server;
const nodeServer: nodeTls.Server = server;
server.listen(0, '127.0.0.1', 511, () => console.log(server.address()));
server.listen({ path: '/tmp/some.sock', signal: AbortSignal.timeout(1_000) });
server.addContext('*.example', pair);
server.addContext('other.example', context);
server.setSecureContext(pair);
server.setTicketKeys(server.getTicketKeys());
server.getConnections((error: Error | null, count: number) => console.log(error, count));
server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => console.log(error.code, socket.remotePort));
server.on('newSession', (id: Buffer, data: Buffer, callback: () => void) => callback());
server.on('resumeSession', (id, callback) => callback(null, Buffer.from(id)));
server.on('keylog', (line: Buffer, socket: nodeTls.TLSSocket) => console.log(line, socket));
server.on('secureConnection', (socket) => http.createServer().emit('connection', socket));
server.close((error?: Error) => console.log(error));
new tls.Server();
new tls.Server((socket) => socket.end());
new tls.Server({ ...pair, ALPNCallback: ({ protocols }) => protocols[0] });
tls.createServer();
// @ts-expect-error milliseconds are a number
tls.createServer({ handshakeTimeout: '10s' });
// @ts-expect-error no such option
tls.createServer({ requestCertificate: true });
// @ts-expect-error the listener gets a socket, not an error first
tls.createServer((error: Error, socket: tls.TLSSocket) => console.log(error, socket));
tls.createServer({ pskIdentityHint: 'who?', pskCallback: (socket, identity) => socket.destroyed ? null : Buffer.from(identity) });
// @ts-expect-error a key is bytes
tls.createServer({ pskCallback: () => 'secret' });

// ---- clients

const client: tls.TLSSocket = tls.connect({
  host: 'localhost', port: 443, servername: 'localhost', ca: pair.cert, ALPNProtocols: ['h2'], timeout: 1_000,
  minDHSize: 2048, noDelay: true, keepAlive: true, family: 6, localAddress: '::1', autoSelectFamily: true,
  autoSelectFamilyAttemptTimeout: 250, highWaterMark: 1_024, signal: new AbortController().signal,
  checkServerIdentity: (host, cert) => tls.checkServerIdentity(host, cert),
}, () => console.log('secure'));
const asNetSocket: net.Socket = client;
const asNodeSocket: nodeTls.TLSSocket = client;
const asDuplex: stream.Duplex = client;
tls.connect(443);
tls.connect(443, () => {});
tls.connect(443, 'localhost');
tls.connect(443, { rejectUnauthorized: false }, () => {});
tls.connect(443, 'localhost', { servername: 'localhost' }, () => {});
tls.connect(443, 'localhost', () => {});
tls.connect('/tmp/some.sock', { ca: pair.cert });
tls.connect('/tmp/some.sock', () => {});
tls.connect({ socket: new stream.PassThrough(), secureContext: context });
client.on('session', (session: Buffer) => tls.connect({ port: 443, session }));
client.on('secureConnect', () => client.authorized);
client.renegotiate({ rejectUnauthorized: true }, (error) => console.log(error));
// @ts-expect-error needs a place to go to
tls.connect();
// @ts-expect-error a port is a number
tls.connect({ port: '443' });
const negotiation: tls.PSKCallbackNegotation = { psk: new Uint8Array(16), identity: 'me' };
tls.connect({ port: 443, pskCallback: (hint: string | null) => hint === null ? null : negotiation });
// @ts-expect-error a key comes with its identity
tls.connect({ port: 443, pskCallback: () => ({ psk: Buffer.alloc(16) }) });
// @ts-expect-error carries no bytes
tls.connect({ socket: {} });
// @ts-expect-error not a callback
tls.connect(443, 'localhost', {}, 'done');

new tls.TLSSocket(new net.Socket(), { isServer: true, secureContext: context });
new tls.TLSSocket(new stream.PassThrough());
new tls.TLSSocket();
// @ts-expect-error isServer is a boolean
new tls.TLSSocket(new net.Socket(), { isServer: 'yes' });
// @ts-expect-error a readable stream alone cannot carry TLS
new tls.TLSSocket(stream.Readable.from([]));

// ---- the rest

const ciphers: string[] = tls.getCiphers();
const compressions: tls.CertificateCompressionAlgorithm[] = tls.getCertificateCompressionAlgorithms();
const trusted: readonly string[] = tls.getCACertificates();
tls.setDefaultCACertificates([...tls.getCACertificates('system'), Buffer.from(pair.cert)]);
// @ts-expect-error no such list
tls.getCACertificates('mine');
// @ts-expect-error a list, even of one
tls.setDefaultCACertificates(pair.cert);
const roots: readonly string[] = tls.rootCertificates;
const failure: Error | undefined = tls.checkServerIdentity('localhost', client.getPeerCertificate());
const wire: { ALPNProtocols?: Buffer } = {};
tls.convertALPNProtocols(['h2'], wire);
tls.convertALPNProtocols(Buffer.from('\x02h2'), wire);
tls.DEFAULT_MIN_VERSION = 'TLSv1.3';
const version: tls.SecureVersion = tls.DEFAULT_MIN_VERSION;
const limit: number = tls.CLIENT_RENEG_LIMIT * tls.CLIENT_RENEG_WINDOW;
const cleartext: tls.TLSSocket = tls.createSecurePair(context, true).cleartext;
// @ts-expect-error not to be changed
tls.rootCertificates.push('another');
// @ts-expect-error there is no such function
tls.createClient();

export {
  asDuplex, asNetSocket, asNodeSocket, ciphers, cleartext, compressions, failure, forNode, limit, netServer, nodeServer,
  roots, trusted, version,
};
