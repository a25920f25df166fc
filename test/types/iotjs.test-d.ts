// The types of `c4tls/iotjs` in a CommonJS program. Checked by tsc, never run.

import * as net from 'node:net';
import c4tls = require('c4tls');
import tls = require('c4tls/iotjs');

const pair = c4tls.generateCertificate();
const context: c4tls.SecureContext = tls.createSecureContext({
  ca: pair.cert, cert: Buffer.from(pair.cert), key: pair.key,
});
tls.createSecureContext();
// @ts-expect-error one text, not a list
tls.createSecureContext({ ca: [pair.cert] });
// @ts-expect-error IoT.js knows no pfx
tls.createSecureContext({ pfx: Buffer.alloc(1) });

const server: tls.Server = tls.createServer({ ...pair, rejectUnauthorized: false }, (socket) => {
  const protocol: string | null = socket.getProtocol();
  socket.end(protocol ?? 'no protocol');
});
tls.createServer((socket: tls.TLSSocket) => socket.end());
tls.createServer({ secureContext: context });
server.listen(443);
const base: c4tls.Server = server;

const client: tls.TLSSocket = tls.connect({ host: 'localhost', rejectUnauthorized: true, ca: pair.cert }, () => {});
tls.connect({});
tls.connect(443, 'localhost', { servername: 'localhost' }, () => {});
tls.connect(443, 'localhost', () => {});
tls.connect(443, { minDHSize: 2048 });
tls.connect(443, () => {});
// @ts-expect-error a port is a number
tls.connect('443');
// @ts-expect-error a boolean
tls.connect({ rejectUnauthorized: 'yes' });

new tls.TLSSocket(new net.Socket(), { isServer: true, secureContext: context });
// @ts-expect-error the socket is not optional here
new tls.TLSSocket();
// @ts-expect-error not in this face
tls.getCiphers();

export { base, client };
