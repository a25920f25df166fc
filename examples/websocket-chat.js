'use strict';
// A chat over WebSockets without TLS, as behind a proxy: what one says, all hear.
// Look at: broadcast(), which encodes a message once; UserData; who may open a WebSocket, decided from the request.

const { once } = require('events');
const WebSocket = require('ws');                                                // any client will do
const { WSServer } = require('../ipworks');                                     // in your program: require('c4tls/ipworks')

const ORIGIN = 'http://chat.example';

async function main() {
  const server = new WSServer();
  server.useSSL = false;
  server.localHost = '127.0.0.1';
  await server.config('BufferMessage=True');
  await server.config('TcpNoDelay=True');              // answers do not wait for acknowledgements
  server
    .on('WebSocketOpenRequest', (e) => {
      // Browsers tell whose page it is: other sites have no business here.
      if (e.originHeader !== ORIGIN) e.statusCode = 403;
    })
    .on('Connected', async (e) => {
      const connection = server.connections.get(e.connectionId);
      connection.userData = new URL(connection.requestURI, ORIGIN).searchParams.get('name') ?? 'somebody';
      await server.broadcast(`${connection.userData} is here`);
    })
    .on('DataIn', (e) => server.broadcast(`${server.connections.get(e.connectionId).userData}: ${e.text}`))
    .on('Disconnected', (e) => server.broadcast(`${server.connections.get(e.connectionId).userData} has left`));
  await server.startListening();

  const ann = await join(server, 'Ann');
  const bob = await join(server, 'Bob');
  bob.send('hello, Ann');
  await heard(ann, 'Bob: hello, Ann');
  bob.close();
  await heard(ann, 'Bob has left');
  const stranger = new WebSocket(`ws://127.0.0.1:${server.localPort}/`, { origin: 'http://elsewhere.example' });
  const [, response] = await once(stranger, 'unexpected-response');
  console.log(`another site: ${response.statusCode}`);
  response.resume();
  await server.shutdown();
}

async function join(server, name) {
  const socket = new WebSocket(`ws://127.0.0.1:${server.localPort}/?name=${name}`, { origin: ORIGIN });
  socket.on('message', (text) => console.log(`${name} hears | ${text}`));
  await heard(socket, `${name} is here`);
  return socket;
}

async function heard(socket, wanted) {
  for (;;) {
    const [text] = await once(socket, 'message');
    if (String(text) === wanted) return;
  }
}

main();
