'use strict';

// A program in the shape of those for the commercial JavaScript edition: only its require() is another.

const assert = require('assert');
const { dial } = require('../support/ipworks');
const { closed, event, readBytes } = require('../support/net');
const { startNode } = require('../support/node-program');
const pki = require('../support/pki');

const PROGRAM = `
const ipworksssl = tls;

async function main() {
  const [pfx, password] = JSON.parse(process.env.STORE);
  const server = new ipworksssl.sslserver();
  let stopped = false;

  server.on("ConnectionRequest", function (e) {
    console.log("request from " + e.address);
    e.accept = true;
  })
  .on("SSLClientAuthentication", function (e) {
    e.accept = true;
  })
  .on("SSLStatus", function (e) {})
  .on("Connected", async function (e) {
    const connection = server.getConnections().get(e.connectionId);
    console.log(connection.getRemoteHost() + " has connected: " + e.statusCode + " " + e.description);
    connection.setEOL("\\n");
    connection.setUserData("lines: ");
    connection.setTimeout(10);
    await server.sendLine(e.connectionId, "welcome");
  })
  .on("ReadyToSend", function (e) {})
  .on("DataIn", async function (e) {
    const connection = server.getConnections().item(e.connectionId);
    console.log(connection.getUserData() + e.text + " " + e.EOL + " " + e.textB.length);
    try {
      if (e.text === "file") await server.sendFile(e.connectionId, process.env.FILE);
      else if (e.text === "all") {
        for (const id of server.getConnections().keys()) await server.sendLine(id, "to all");
      } else if (e.text === "bye") await server.disconnect(e.connectionId);
      else if (e.text === "error") await server.send("no such id", new Uint8Array([1]));
      else await server.sendText(e.connectionId, "echo: " + e.text + "\\r\\n");
    } catch (ex) {
      console.log("error " + ex.code + " " + ex.message);
    }
  })
  .on("Error", function (e) {
    console.log("error " + e.errorCode + " " + e.description);
  })
  .on("Disconnected", function (e) {
    console.log("gone: " + e.statusCode + " " + e.description);
    stopped = true;
  });

  await server.config("SSLEnabledProtocols=15360");
  await server.config("TcpNoDelay=True");
  server.setSSLCert(new ipworksssl.Certificate(ipworksssl.CertStoreTypes.cstPFXFile, pfx, password, "*"));
  server.setSSLAuthenticateClients(true);
  server.setSSLProvider(ipworksssl.SSLServerSSLProviders.sslpAutomatic);
  server.setLocalHost("127.0.0.1");
  server.setLocalPort(0);
  server.setKeepAlive(true);
  server.setDefaultMaxLineLength(4096);
  await server.startListening();
  console.log("listening " + server.isListening() + " on port " + server.getLocalPort());
  while (!stopped) await server.doEvents();
  await server.shutdown();
  console.log("done " + server.isListening());
}

main().catch((err) => {
  console.error("Error: " + err.message);
  process.exit(1);
});
`;

describe('SSLServer, a program', () => {
  it('SSL-G-01, 02, 04, 05, SSL-CN-18, SSL-M-04, SSL-M-14: runs as it is, and ends by itself', async () => {
    const program = startNode(PROGRAM, {
      module: `require(${JSON.stringify(require.resolve('../../ipworks'))})`,
      env: { STORE: JSON.stringify([pki.path('ec.pfx'), pki.PASSPHRASE]), FILE: pki.path('ca.pem') },
    });
    const [, port] = await program.waitFor(/listening true on port (\d+)/);
    const client = dial(Number(port), pki.pair('client'));
    await event(client, 'secureConnect');
    assert.strictEqual(String(await readBytes(client, 9)), 'welcome\r\n');
    client.write('one\nall\nfile\nerror\n');
    const expected = `echo: one\r\nto all\r\n${pki.ca}`;
    assert.strictEqual(String(await readBytes(client, expected.length)), expected);
    client.write('bye\n');
    client.resume();
    await closed(client);
    const { code, stdout, stderr } = await program.ended;
    assert.strictEqual(stderr, '');
    assert.deepStrictEqual(stdout.trim().split('\n').slice(1).sort(), [
      '127.0.0.1 has connected: 0 OK', 'done false', 'error 126 Invalid ConnectionId.', 'gone: 0 OK', 'lines: all true 3',
      'lines: bye true 3', 'lines: error true 5', 'lines: file true 4', 'lines: one true 3', 'request from 127.0.0.1',
    ]);
    assert.strictEqual(code, 0);
  });
});
