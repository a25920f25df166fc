import ipworks = require('../../ipworks');
import tls = require('../..');

const { Certificate, CertStoreTypes, Connection, IPWorksSSLError, SSLServer, SSLServerSSLProviders } = ipworks;

const certificate = new Certificate(CertStoreTypes.cstPFXFile, 'server.pfx', 'password', '*');
const subject: string = certificate.getSubject();
const bits: number = certificate.publicKeyLength;
const available: boolean = certificate.isPrivateKeyAvailable();
const type: ipworks.CertStoreTypes = certificate.storeType;

certificate.setStoreType(CertStoreTypes.cstAuto);
certificate.setStoreB(new Uint8Array(3));
certificate.storePassword = Buffer.from('password');
certificate.store = new Uint8Array(3);
certificate.subject = 'CN=localhost';
new Certificate();
new Certificate('file.pem');
new Certificate(Buffer.alloc(3));
new Certificate(99, Buffer.alloc(3), Buffer.alloc(3), Buffer.alloc(3), 'Thumbprint=00');

const error = new IPWorksSSLError(271);
const code: number = error.code;

// @ts-expect-error there is no 20
new Certificate(20, 'file', '', '*');
// @ts-expect-error too few
new Certificate(CertStoreTypes.cstPFXFile, 'file');
// @ts-expect-error only the certificate decides
certificate.issuer = 'CN=me';
// @ts-expect-error bytes go to setEncodedB()
certificate.setEncoded(Buffer.alloc(3));

const server = new SSLServer();
const same: ipworks.SSLServer = new tls.ipworksssl.sslserver();
server.setSSLCert(certificate);
server.setLocalPort(8443);
server.localHost = 'localhost';
server.setDefaultEOL('\r\n');
server.defaultEOL = new Uint8Array([10]);
server.setSSLProvider(SSLServerSSLProviders.sslpInternal);
server.keepAlive = true;
server
  .on('DataIn', (e) => server.sendLine(e.connectionId, e.EOL ? e.text : String(e.textB)))
  .on('ConnectionRequest', async (e) => { e.accept = e.address !== '' && e.port > 0; })
  .on('SSLConnectionRequest', (e) => {
    e.certStoreType = CertStoreTypes.cstPFXFile;
    e.certStore = e.supportedSignatureAlgs.includes('ecdsa') ? 'ec.pfx' : 'rsa.pfx';
  })
  .on('SSLClientAuthentication', (e) => { e.accept = e.status === 'OK' || e.certSubject === 'CN=me'; })
  .on('Disconnected', ({ statusCode, description }) => console.log(statusCode.toFixed(), description.trim()))
  .once('Error', (e) => console.log(e.errorCode + 1));

async function run() {
  await server.startListening();
  const version: string = await server.config('SSLNegotiatedVersion[1]');
  const setting: keyof ipworks.SSLServerSettings = 'CodePage';
  await server.sendFile('1', 'a.txt', (sent, total) => console.log(sent / total));
  await server.send('1', Buffer.from(version + setting));
  for (const [id, connection] of server.connections) connection.setUserData(id + connection.getRemoteHost());
  for await (const { text, EOL } of server.connections.get('1')) console.log(text.trim(), EOL);
  for await (const { EOM } of sockets.connections.get('1')) console.log(EOM);
  const bytes: number = server.getConnections().item('1').bytesSent;
  await server.shutdown();
  return bytes;
}
new Connection().isConnected();

// @ts-expect-error it can only be read
server.listening = true;
// @ts-expect-error a number
server.setLocalPort('8443');
// @ts-expect-error the text cannot be changed
server.on('DataIn', (e) => { e.text = ''; });
// @ts-expect-error no such event has that field
server.on('Connected', (e) => e.text);
// @ts-expect-error there is no 3
server.setSSLProvider(3);
// @ts-expect-error a Certificate
server.sslCert = 'server.pfx';

export { available, bits, code, run, same, subject, type };

const sockets = new ipworks.WSServer();
const sameSockets: ipworks.WSServer = new tls.ipworksssl.wsserver();
sockets.useSSL = false;
sockets.setSSLCertStoreType(CertStoreTypes.cstPFXFile);
sockets.sslCertStore = Buffer.alloc(3);
sockets
  .on('WebSocketOpenRequest', async (e) => {
    e.statusCode = e.originHeader === '' ? 403 : 101;
    e.subProtocols = e.subProtocols.split(',')[0] ?? '';
  })
  .on('DataIn', (e) => sockets.broadcast(e.dataFormat === 1 ? e.text : e.textB))
  .on('Ping', ({ payload, response }) => console.log(payload.trim(), response))
  .on('Log', (e) => console.log(e.logLevel + 1, e.logType));
for (const [id, connection] of sockets.getConnections()) {
  connection.dataFormat = ipworks.WebSocketDataFormats.dfText;
  connection.dataToSend = sockets.getWSConnectionRequestURI(id);
  connection.acceptData = false;
}
const count: Promise<number> = sockets.broadcast('x', ['1']);
const socketSetting: keyof ipworks.WSServerSettings = 'MaxFrameSize';
new ipworks.WSConnection().isLineMode();
const disposed: Promise<void>[] = [server[Symbol.asyncDispose](), sockets[Symbol.asyncDispose]()];

// @ts-expect-error by changeLineMode() alone
new ipworks.WSConnection().lineMode = true;
// @ts-expect-error there is no 3
new ipworks.WSConnection().dataFormat = 3;
// @ts-expect-error lines are SSLServer's
sockets.sendLine('1', 'x');

export { count, disposed, sameSockets, socketSetting };
