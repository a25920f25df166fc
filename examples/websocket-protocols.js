'use strict';
// One WebSocket server for two sub-protocols: JSON messages, and plain lines.
// Look at: the choice in WebSocketOpenRequest, an answer that takes time, a rejection with headers, LineMode.

const { once } = require('events');
const WebSocket = require('ws');                                                // any client will do
const { WSServer } = require('../ipworks');                                     // in your program: require('c4tls/ipworks')

const KNOWN = ['json.example', 'lines.example'];
const chosen = new Map();

async function isAllowed(headers) {
  await new Promise(setImmediate);                     // asks a database, say
  return headers.includes('Authorization: Basic');
}

async function main() {
  const server = new WSServer();
  server.useSSL = false;
  server.localHost = '127.0.0.1';
  await server.config('BufferMessage=True');
  server
    .on('WebSocketOpenRequest', async (e) => {
      if (!await isAllowed(e.requestHeaders)) {
        e.statusCode = 401;
        e.responseHeaders = 'WWW-Authenticate: Basic realm="example"';
        return;
      }
      e.subProtocols = e.subProtocols.split(',').find((name) => KNOWN.includes(name)) ?? '';
      chosen.set(e.connectionId, e.subProtocols);
    })
    .on('Connected', async (e) => {
      const isLines = chosen.get(e.connectionId) === 'lines.example';
      await server.changeLineMode(e.connectionId, isLines);
    })
    .on('DataIn', async (e) => {
      if (chosen.get(e.connectionId) === 'lines.example') await server.sendText(e.connectionId, `line: ${e.text}`);
      else await server.sendText(e.connectionId, JSON.stringify({ got: JSON.parse(e.text) }));
    })
    .on('Disconnected', (e) => chosen.delete(e.connectionId));
  await server.startListening();

  const url = `ws://127.0.0.1:${server.localPort}/`;
  const [, response] = await once(new WebSocket(url), 'unexpected-response');
  console.log(`without a password: ${response.statusCode} ${response.headers['www-authenticate']}`);
  response.resume();
  await talk(url, ['unknown.example', 'json.example'], '{"a":1}', 1);
  await talk(url, ['lines.example'], 'one\ntwo\n', 2);
  await server.shutdown();
}

async function talk(url, protocols, text, answers) {
  const socket = new WebSocket(url, protocols, { auth: 'ann:secret' });
  socket.on('open', () => {
    console.log(`sub-protocol: ${socket.protocol}`);
    socket.send(text);
  });
  for (let i = 0; i < answers; i++) console.log(String((await once(socket, 'message'))[0]));
  socket.close();
  await once(socket, 'close');
}

main();
