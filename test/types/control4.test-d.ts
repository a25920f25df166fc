// The types of `c4tls/control4` in a CommonJS program. Checked by tsc, never run.

import c4tls = require('c4tls');
import control4 = require('c4tls/control4');
import { Driver, type DriverOptions, type LimitReached, type Result } from 'c4tls/control4';

const C4: Driver = c4tls.C4;
const same: Driver<Buffer> = control4.C4;

C4.OnServerStatusChanged = (port, status, identifier) => {
  const online: boolean = status === 'ONLINE';
  const number: number = port;
  return [online, number, identifier];
};
C4.OnServerConnectionStatusChanged = (handle, port, status, address) => `${handle} ${port} ${status} ${address.length}`;
C4.OnServerDataIn = (handle, data) => C4.ServerSend(handle, data.subarray(1));
C4.OnServerDataIn = async () => {};
C4.OnServerDataIn = null;
// @ts-expect-error the status is one of two words
C4.OnServerStatusChanged = (port, status) => status === 'BUSY';

const [ok, error]: Result = C4.CreateServer(0, '\r\n', false, 'api');
const answer = C4.CreateServer('5080', Buffer.of(0));
if (!answer[0]) {
  const message: string = answer[1];
  console.log(message);
}
C4.CreateServer(600, '', true);
C4.CreateServer(600, null, null, 5);
C4.CreateTLSServer(8443, '\r\n', 0, 0, '', 'cert.pem', 'key.pem', 'password', '', 'api');
C4.CreateTLSServer('8443', '', '0', '0', null, Buffer.alloc(1), Buffer.alloc(1), Buffer.alloc(1));
// @ts-expect-error a port is needed
C4.CreateServer();
// @ts-expect-error no object
C4.CreateServer({ port: 0 });

const sent: boolean = C4.ServerSend(1, 'text', 4);
C4.ServerSend('1900', Buffer.alloc(1), '239.255.255.250');
C4.ServerSend(1, 5);
// @ts-expect-error a payload is needed
C4.ServerSend(1);
C4.ServerCloseClient(1);
C4.DestroyServer();
C4.DestroyServer('5080');
const closed: Promise<void> = C4.unref().ref().close();
const disposed: Promise<void> = C4[Symbol.asyncDispose]();

const options: DriverOptions = {
  c4zDir: '.', sandboxDir: '.', encoding: 'latin1', delimiterTimeoutMs: 5, directorQuirks: true,
  limits: {
    maxConnections: 1, maxPendingSend: 1, maxDelimiterBuffer: 1, maxUdpPeers: 1, udpPeerIdleMs: 1, closeTimeoutMs: 1,
    handshakeTimeoutMs: 1,
  },
};
const driver = new Driver<string>(options);
driver.OnServerDataIn = (handle, data) => data.toUpperCase();
driver.on('OnServerDataIn', (handle, data) => data.toUpperCase());
driver.on('limit', (reached: LimitReached) => reached.name === 'maxUdpPeers');
driver.once('handshakeError', (reason, place) => `${reason.message} ${place.address} ${place.port}`);
driver.on('connectionError', (reason, { handle }) => driver.ServerCloseClient(handle));
driver.on('callbackError', (reason, callback) => callback.length);
// @ts-expect-error no such encoding
new Driver({ encoding: 'hex' });
// @ts-expect-error no such limit
new Driver({ limits: { maxConection: 1 } });

export { closed, disposed, error, ok, same, sent };
