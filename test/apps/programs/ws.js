'use strict';

// A WebSocket server of `ws` on an https server, and its client.

const assert = require('assert');
const { randomBytes } = require('crypto');
const { once } = require('events');
const https = require('https');
const { WebSocket, WebSocketServer } = require('ws');
const pki = require('../../support/pki');

const server = https.createServer(pki.pair('ec'));
const sockets = new WebSocketServer({ server, perMessageDeflate: true });
sockets.on('connection', (socket, request) => {
  socket.send(JSON.stringify({ encrypted: request.socket.encrypted, path: request.url }));
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});

async function talk(url, options) {
  const socket = new WebSocket(url, { ca: pki.ca, ...options });
  const [hello] = await once(socket, 'message');
  const result = { hello: JSON.parse(hello) };
  for (const data of ['', 'text', randomBytes(1), randomBytes(100_000), randomBytes(3_000_000)]) {
    socket.send(data);
    const [answer, isBinary] = await once(socket, 'message');
    assert.strictEqual(isBinary, typeof data !== 'string');
    assert.ok(answer.equals(Buffer.from(data)));
  }
  const pong = once(socket, 'pong');
  socket.ping('are you there?');
  result.pong = `${(await pong)[0]}`;
  const numbers = Array.from({ length: 500 }, (_, i) => `${i}`);
  const answers = [];
  const all = new Promise((resolve) => {
    socket.on('message', (answer) => {
      if (answers.push(`${answer}`) === numbers.length) resolve();
    });
  });
  for (const number of numbers) socket.send(number);
  await all;
  assert.deepStrictEqual(answers, numbers);
  socket.close(4000, 'enough');
  const [code, reason] = await once(socket, 'close');
  return { ...result, code, reason: `${reason}` };
}

server.listen(0, async () => {
  const url = `wss://localhost:${server.address().port}/room`;
  const result = {
    one: await talk(url),
    several: await Promise.all(Array.from({ length: 8 }, () => talk(url, { perMessageDeflate: false }))),
    untrusted: (await once(new WebSocket(url, { ca: pki.read('otherca.pem') }), 'error'))[0].code,
  };
  console.log(JSON.stringify(result));
  sockets.close();
  server.close();
});
