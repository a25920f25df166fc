'use strict';

// WSServer with a page in Chromium.

const assert = require('assert');
const http = require('http');
const { launchChromium } = require('../support/chromium');
const { listen } = require('../support/net');
const { webSockets } = require('../support/websocket');

/** In the page: opens a WebSocket, sends what it is told, and tells what happened. */
function talk({ url, protocols, sends, close }) {
  return new Promise((resolve) => {
    const seen = { messages: [] };
    const socket = new WebSocket(url, protocols);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      seen.protocol = socket.protocol;
      seen.extensions = socket.extensions;
      for (const one of sends) socket.send(typeof one === 'string' ? one : new Uint8Array(one));
      if (sends.length === 0 && close !== null) socket.close(...close);
    };
    socket.onmessage = ({ data }) => {
      seen.messages.push(typeof data === 'string' ? data : [...new Uint8Array(data)]);
      if (seen.messages.length === sends.length && close !== null) socket.close(...close);
    };
    socket.onclose = ({ code, reason, wasClean }) => resolve({ ...seen, code, reason, wasClean });
  });
}

describe('WSServer and Chromium', () => {
  for (const tls of [false, true]) {
    it(`${tls ? 'wss' : 'ws'}: connect, echo, bytes, sub-protocol, close codes, permessage-deflate`, async function () {
      const browser = await launchChromium();
      if (browser === null) this.skip();
      const recorded = await webSockets((server) => {
        server.setDefaultTimeout(30);      // an echo waits for the one before
        server.on('WebSocketOpenRequest', (e) => {
          recorded.note('asked', e);
          if (e.requestURI === '/forbidden') e.statusCode = 403;
          if (e.subProtocols !== '') e.subProtocols = 'chat';
        });
        server.on('DataIn', async (e) => {
          if (e.text === 'close me') {
            await server.config('DisconnectStatusCode=4321');
            await server.config('DisconnectStatusDescription=as you wish');
            await server.disconnect(e.connectionId);
          } else {
            await server.send(e.connectionId, e.dataFormat === 1 ? e.text : e.textB);
          }
        });
      }, { tls, settings: ['BufferMessage=True', 'MaxFrameSize=1000000'] });
      const site = http.createServer((request, response) => response.end('<!doctype html><title>test</title>'));
      const origin = `http://127.0.0.1:${await listen(site)}`;
      const page = await browser.newPage();
      await page.goto(origin);
      const visit = (options) => page.evaluate(talk,
        { url: recorded.url(options.path), protocols: [], sends: [], close: null, ...options });

      const long = 'grüße '.repeat(10_000);
      const first = await visit({ protocols: ['other', 'chat'], sends: [long, [0, 255, 7]], close: [3001, 'tschüß'] });
      assert.match(first.extensions, /^permessage-deflate/);
      assert.deepStrictEqual({ ...first, extensions: '' }, {
        messages: [long, [0, 255, 7]], protocol: 'chat', extensions: '', code: 3001, reason: first.reason, wasClean: true,
      });
      const { statusCode, description } = await recorded.first('Disconnected');
      assert.deepStrictEqual([statusCode, description], [3001, 'tschüß']);
      const [asked] = recorded.of('asked');
      assert.strictEqual(asked.originHeader, origin);
      assert.match(asked.extensions, /permessage-deflate/);

      const second = await visit({ sends: ['close me'] });
      assert.deepStrictEqual([second.code, second.reason, second.wasClean], [4321, 'as you wish', true]);
      const third = await visit({ path: '/forbidden' });
      assert.deepStrictEqual([third.code, third.wasClean], [1006, false]);
    });
  }
});
