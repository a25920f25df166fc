'use strict';

// socket.io, server and client, over https: by polling, by WebSocket, and upgraded from one to the other.

const assert = require('assert');
const { randomBytes } = require('crypto');
const { once } = require('events');
const https = require('https');
const { Server } = require('socket.io');
const { io } = require('socket.io-client');
const pki = require('../../support/pki');

const server = https.createServer(pki.pair('ec'));
const hub = new Server(server, { maxHttpBufferSize: 4e6 });
hub.on('connection', (socket) => {
  socket.emit('hello', { secure: socket.handshake.secure });
  socket.on('echo', (data, answer) => answer(data));
  socket.on('join', (room, answer) => {
    socket.join(room);
    answer();
  });
  socket.on('tell', (room, text) => hub.to(room).emit('told', text));
});

async function talk(url, transports) {
  const socket = io(url, { transports, ca: pki.ca, reconnection: false, forceNew: true });
  const [hello] = await once(socket, 'hello');
  if (transports.length > 1 && socket.io.engine.transport.name !== 'websocket') await once(socket.io.engine, 'upgrade');
  const transport = socket.io.engine.transport.name;
  const data = randomBytes(1_000_000);
  assert.ok((await socket.emitWithAck('echo', data)).equals(data));
  await socket.emitWithAck('join', transports.join());
  const told = once(socket, 'told');
  socket.emit('tell', transports.join(), 'news');
  const result = { hello, transport, told: await told };
  socket.disconnect();
  return result;
}

server.listen(0, async () => {
  const url = `https://localhost:${server.address().port}`;
  const result = [];
  for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) result.push(await talk(url, transports));
  const stranger = io(url, { ca: pki.read('otherca.pem'), reconnection: false, transports: ['websocket'] });
  const [{ message }] = await once(stranger, 'connect_error');
  console.log(JSON.stringify({ result, message }));
  await hub.close();
});
