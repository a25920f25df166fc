'use strict';

// WSServer with clients that others wrote: npm's ws, Node's own, Python's websockets, curl.

const assert = require('assert');
const { once } = require('events');
const path = require('path');
const pki = require('../support/pki');
const { isInstalled, run } = require('../support/program');
const { webSockets } = require('../support/websocket');

const PYTHON = process.env.C4TLS_PYTHON || 'python3';
const HAS_WEBSOCKETS = isInstalled(PYTHON, ['-c', 'import websockets.sync.client']);

/** Echoes; closes with 4321 when it is told to; knows the sub-protocols chat and echo. */
function echoing(server) {
  server.setDefaultTimeout(30);      // an echo waits for the one before
  server.on('WebSocketOpenRequest', (e) => {
    if (e.requestURI === '/forbidden') e.statusCode = 403;
    if (e.subProtocols !== '') e.subProtocols = e.subProtocols.split(',').find((name) => name === 'chat') ?? '';
  });
  server.on('DataIn', async (e) => {
    if (e.text !== 'close me') {
      await server.send(e.connectionId, e.dataFormat === 1 ? e.text : e.textB);
      return;
    }
    await server.config('DisconnectStatusCode=4321');
    await server.config('DisconnectStatusDescription=as you wish');
    await server.disconnect(e.connectionId);
  });
}

const WHOLE = ['BufferMessage=True', 'MaxFrameSize=1000000'];

describe('WSServer and other clients', () => {
  for (const tls of [false, true]) {
    const scheme = tls ? 'wss' : 'ws';

    it(`npm's ws, ${scheme}`, async () => {
      const recorded = await webSockets(echoing, { tls, settings: WHOLE });
      const { client } = await recorded.connect({ protocols: ['other', 'chat'] });
      assert.strictEqual(client.ws.protocol, 'chat');
      assert.match(client.ws.extensions, /permessage-deflate/);
      const long = 'grüße '.repeat(20_000);
      client.send(long);
      client.send(Buffer.from([1, 2, 3]));
      assert.deepStrictEqual(await client.received(2), [[long, false], [Buffer.from([1, 2, 3]), true]]);
      client.ws.ping('are you there');
      assert.strictEqual(String((await once(client.ws, 'pong'))[0]), 'are you there');
      client.send('close me');
      assert.deepStrictEqual(await client.closed, [4321, 'as you wish']);
    });

    (typeof WebSocket === 'function' ? it : it.skip)(`Node's own WebSocket, ${scheme}${
      typeof WebSocket === 'function' ? '' : ' (skipped: Node 22 and later have one)'}`, async () => {
      const recorded = await webSockets(echoing, { tls, settings: WHOLE });
      const { stdout, code, stderr } = await run(process.execPath, ['-e', `
        const socket = new WebSocket('${recorded.url()}', ['other', 'chat']);
        socket.binaryType = 'arraybuffer';
        const log = (...words) => console.log(JSON.stringify(words));
        socket.onopen = () => { log('open', socket.protocol, socket.extensions); socket.send('grüße'); };
        socket.onmessage = ({ data }) => {
          if (typeof data === 'string') { log('text', data); socket.send(new Uint8Array([1, 2, 3])); }
          else { log('bytes', [...new Uint8Array(data)]); socket.send('close me'); }
        };
        socket.onclose = ({ code, reason, wasClean }) => log('close', code, reason, wasClean);
      `], { env: { ...process.env, NODE_EXTRA_CA_CERTS: pki.path('ca.pem') } });
      assert.strictEqual(code, 0, stderr);
      assert.deepStrictEqual(stdout.trim().split('\n').map((line) => JSON.parse(line)), [
        ['open', 'chat', stdout.match(/permessage-deflate[^"]*/)?.[0]], ['text', 'grüße'], ['bytes', [1, 2, 3]],
        ['close', 4321, 'as you wish', true],
      ]);
    });

    (HAS_WEBSOCKETS ? it : it.skip)(`Python's websockets, ${scheme}${HAS_WEBSOCKETS ? '' :
      ' (skipped: not installed; C4TLS_PYTHON names a Python that has it)'}`, async () => {
      const recorded = await webSockets(echoing, { tls, settings: WHOLE });
      const { stdout, stderr, code } = await run(PYTHON, [path.join(__dirname, 'clients', 'websockets_client.py'),
        recorded.url(), pki.path('ca.pem')]);
      assert.strictEqual(code, 0, stderr);
      assert.deepStrictEqual(JSON.parse(stdout), {
        subprotocol: 'chat', deflate: true, text: true, binary: true, fragments: true, pong: true, rejected: 403,
        close: [4321, 'as you wish'],
      });
    });
  }

  it('curl\'s WebSocket', async function () {
    const { stdout: version } = isInstalled('curl') ? await run('curl', ['--version']) : { stdout: '' };
    // curl 8.11 and later, unless it is built without.
    if (!/^Protocols:.* wss?\b/m.test(version)) this.skip();
    const recorded = await webSockets((server) => {
      server.on('Connected', async (e) => {
        await server.sendText(e.connectionId, 'hello curl');
        await server.disconnect(e.connectionId);
      });
    });
    const { stdout } = await run('curl', ['--silent', '--no-buffer', recorded.url()]);
    assert.ok(stdout.startsWith('hello curl'), stdout);
  });
});
