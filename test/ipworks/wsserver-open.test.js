'use strict';

// How a WebSocket of WSServer opens: ConnectionRequest, the TLS events, the HTTP request, and what is answered.

const assert = require('assert');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { failsWith } = require('../support/ipworks');
const { event } = require('../support/net');
const pki = require('../support/pki');
const { itWithSocketOptions, keepAliveAt } = require('../support/socket-options');
const { RecordedWebSockets, dial, dialRaw, request, webSockets } = require('../support/websocket');

/** [status, body] that a client of `ws` is rejected with. */
async function rejection(recorded, options) {
  const client = dial(recorded, options);
  client.opened.catch(() => {});
  const [, response] = await event(client.ws, 'unexpected-response');
  response.resume();
  return { status: response.statusCode, headers: response.headers };
}

const OPENING = [
  ['wrong method', { line: 'POST / HTTP/1.1' }, 405, /^GET$/, 'allow'],
  ['HEAD', { line: 'HEAD / HTTP/1.1' }, 405],
  ['HTTP/1.0', { line: 'GET / HTTP/1.0' }, 505],
  ['no HTTP at all', { line: 'HELLO' }, 400],
  ['missing Upgrade', { headers: { Upgrade: null } }, 426, /^websocket$/i, 'upgrade'],
  ['another Upgrade', { headers: { Upgrade: 'h2c' } }, 426],
  ['missing Connection', { headers: { Connection: null } }, 426],
  ['missing Host', { headers: { Host: null } }, 400],
  ['missing version', { headers: { 'Sec-WebSocket-Version': null } }, 400],
  ['version 8', { headers: { 'Sec-WebSocket-Version': '8' } }, 426, /^13$/, 'sec-websocket-version'],
  ['missing key', { headers: { 'Sec-WebSocket-Key': null } }, 400],
  ['short key', { headers: { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZQ==' } }, 400],
  ['a body', { headers: { 'Content-Length': '5' } }, 400],
  ['chunks', { headers: { 'Transfer-Encoding': 'chunked' } }, 400],
  ['the same sub-protocol twice', { headers: { 'Sec-WebSocket-Protocol': 'a, a' } }, 400],
  ['a fragment in the target', { line: 'GET /#x HTTP/1.1' }, 400],
  ['a header of 16 KiB', { headers: { 'X-Long': 'x'.repeat(16 * 1024) } }, 431],
  ['100 headers more', { extra: Array.from({ length: 100 }, (_, i) => `X-${i}: 1\r\n`).join('') }, 431],
  ['a target of 16 KiB', { line: `GET /${'x'.repeat(16 * 1024)} HTTP/1.1` }, 414],
  ['a folded header', { extra: 'X-A: 1\r\n 2\r\n' }, 400],
  ['a header without a colon', { extra: 'nothing\r\n' }, 400],
  ['a control character', { extra: 'X-A: \u0001\r\n' }, 400],
];

describe('WSServer, opening', () => {
  for (const [name, change, status, pattern, header] of OPENING) {
    it(`WS-E-33: ${name} is answered ${status}`, async () => {
      const recorded = await webSockets((server) => server.on('WebSocketOpenRequest', (e) => recorded.note('request', e)));
      const client = await dialRaw(recorded);
      client.write(request(change));
      const head = await client.head();
      assert.strictEqual(head.status, status, head.text);
      assert.match(head.headers.connection, /close/);
      if (header !== undefined) assert.match(head.headers[header], pattern);
      await client.close();
      const { errorCode, connectionId, description } = await recorded.first('Error');
      assert.strictEqual(errorCode, 276);
      assert.ok(connectionId !== '' && description.startsWith('Error during handshake.'), description);
      assert.deepStrictEqual(recorded.of('request'), []);
      assert.deepStrictEqual([...recorded.of('Connected'), ...recorded.of('Disconnected')], []);
    });
  }

  it('WS-E-34 to 40: the request as the listener sees it', async () => {
    let seen;
    const recorded = await webSockets((server) => server.on('WebSocketOpenRequest', (e) => { seen = e; }), { tls: true });
    const { id } = await recorded.connect({
      path: '/a/b?c=d&e=%20', protocols: ['chat', 'superchat'], headers: { Origin: 'https://localhost' },
    });
    assert.deepStrictEqual([seen.connectionId, seen.requestURI, seen.hostHeader, seen.originHeader, seen.subProtocols],
      [id, '/a/b?c=d&e=%20', `localhost:${recorded.port}`, 'https://localhost', 'chat,superchat']);
    assert.strictEqual(seen.statusCode, 101);
    assert.strictEqual(seen.responseHeaders, '');
    assert.match(seen.extensions, /^permessage-deflate/);
    assert.match(seen.requestHeaders, /^Sec-WebSocket-Version: 13\r$/m);
    for (const field of ['connectionId', 'requestURI', 'hostHeader', 'originHeader', 'extensions', 'requestHeaders']) {
      assert.throws(() => { seen[field] = ''; }, TypeError, field);
    }
  });

  it('WS-E-37, WS-E-38, WS-E-39: what a client leaves out is empty', async () => {
    let seen;
    const recorded = await webSockets((server) => server.on('WebSocketOpenRequest', (e) => { seen = e; }));
    await recorded.connectRaw();
    assert.deepStrictEqual([seen.originHeader, seen.subProtocols, seen.extensions], ['', '', '']);
  });

  for (const [name, choose, chosen] of [
    ['an untouched list: the first', () => {}, 'a'],
    ['one that was offered', (e) => { e.subProtocols = 'b'; }, 'b'],
    ['none', (e) => { e.subProtocols = ''; }, undefined],
  ]) {
    it(`WS-E-38, D-67: sub-protocol, ${name}`, async () => {
      const recorded = await webSockets((server) => server.on('WebSocketOpenRequest', choose));
      const client = await dialRaw(recorded);
      client.write(request({ headers: { 'Sec-WebSocket-Protocol': 'a, b' } }));
      const { status, headers } = await client.head();
      assert.strictEqual(status, 101);
      assert.strictEqual(headers['sec-websocket-protocol'], chosen);
      assert.strictEqual(headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    });
  }

  it('WS-E-38: one that was not offered is an Error, and none is sent', async () => {
    const recorded = await webSockets((server) => server.on('WebSocketOpenRequest', (e) => { e.subProtocols = 'c'; }));
    const client = await dialRaw(recorded);
    client.write(request({ headers: { 'Sec-WebSocket-Protocol': 'a, b' } }));
    const { status, headers } = await client.head();
    assert.strictEqual(status, 101);
    assert.strictEqual(headers['sec-websocket-protocol'], undefined);
    const { errorCode, description } = await recorded.first('Error');
    assert.strictEqual(errorCode, 10022);
    assert.match(description, /"c"/);
  });

  for (const status of [200, 301, 400, 401, 403, 404, 500, 503]) {
    it(`WS-E-41, WS-E-42: rejected with ${status} and headers`, async () => {
      const recorded = await webSockets((server) => server.on('WebSocketOpenRequest', (e) => {
        e.statusCode = status;
        e.responseHeaders = 'WWW-Authenticate: Basic realm="Secure Realm"\r\nX-Own: 1\r\n';
      }));
      const found = await rejection(recorded);
      assert.strictEqual(found.status, status);
      assert.strictEqual(found.headers['www-authenticate'], 'Basic realm="Secure Realm"');
      assert.strictEqual(found.headers['x-own'], '1');
      assert.deepStrictEqual(recorded.of('Connected'), []);
      assert.strictEqual(recorded.server.getWSConnectionCount(), 0);
      assert.deepStrictEqual(recorded.of('Error'), []);
    });
  }

  it('WS-E-42: headers of an acceptance', async () => {
    const recorded = await webSockets((server) => server.on('WebSocketOpenRequest', (e) => {
      e.responseHeaders = 'Set-Cookie: a=b';
    }));
    const client = dial(recorded);
    const [response] = await event(client.ws, 'upgrade');
    assert.deepStrictEqual(response.headers['set-cookie'], ['a=b']);
  });

  for (const [name, headers] of [
    ['a bare line feed', 'X-A: 1\nX-B: 2'], ['a bare carriage return', 'X-A: 1\rX-B: 2'], ['no colon', 'nothing'],
    ['a NUL', 'X-A: \0'], ['an end of the head', 'X-A: 1\n\nbody'], ['a field of the handshake', 'Upgrade: h2c'],
    ['a length', 'Content-Length: 5'],
  ]) {
    for (const status of name === 'a field of the handshake' ? [101] : [101, 401]) {
      it(`WS-E-42: header injection with ${status}: ${name}`, async () => {
        const recorded = await webSockets((server) => server.on('WebSocketOpenRequest', (e) => {
          e.responseHeaders = headers;
          e.statusCode = status;
        }));
        const found = await rejection(recorded);
        assert.strictEqual(found.status, 500);
        assert.strictEqual(found.headers['x-b'], undefined);
        const { errorCode } = await recorded.first('Error');
        assert.strictEqual(errorCode, 10022);
      });
    }
  }

  for (const status of [0, 99, 100, 102, 600, 'teapot', null]) {
    it(`WS-E-41: no response has the status ${status}`, async () => {
      const recorded = await webSockets((server) => server.on('WebSocketOpenRequest', (e) => { e.statusCode = status; }));
      assert.strictEqual((await rejection(recorded)).status, 500);
      assert.strictEqual((await recorded.first('Error')).errorCode, 10022);
    });
  }

  it('WS-E-33: a listener that returns a promise is waited for', async () => {
    let decide;
    const recorded = await webSockets((server) => server.on('WebSocketOpenRequest', async (e) => {
      recorded.note('asked', e);
      await new Promise((resolve) => { decide = resolve; });
      e.subProtocols = 'b';
    }));
    const client = dial(recorded, { protocols: ['a', 'b'] });
    await recorded.first('asked');
    await recorded.server.doEvents();
    assert.deepStrictEqual(recorded.of('Connected'), []);
    decide();
    await client.opened;
    assert.strictEqual(client.ws.protocol, 'b');
  });

  it('WS-E-33: a promise that takes longer than DefaultConnectionTimeout rejects', async () => {
    const recorded = await webSockets((server) => server.on('WebSocketOpenRequest', () => new Promise(() => {})),
      { settings: ['DefaultConnectionTimeout=1'] });
    assert.strictEqual((await rejection(recorded)).status, 500);
  });

  it('WS-E-33: a client that goes while it is decided about is no error', async () => {
    let decide;
    const recorded = await webSockets((server) => server.on('WebSocketOpenRequest', (e) => {
      recorded.note('asked', e);
      return new Promise((resolve) => { decide = resolve; });
    }));
    const client = await dialRaw(recorded);
    client.write(request());
    await recorded.first('asked');
    client.socket.resetAndDestroy();
    await recorded.server.doEvents();
    decide();
    const next = dial(recorded);
    await recorded.until(() => recorded.of('asked').length === 2, 'the next request');
    decide();
    await next.opened;
    await recorded.first('Connected');
    assert.strictEqual(recorded.of('Connected').length, 1);
  });

  it('WS-M-11: shutdown() ends clients that are being decided about', async () => {
    const recorded = await webSockets((server) => server.on('WebSocketOpenRequest', (e) => {
      recorded.note('asked', e);
      return new Promise(() => {});
    }));
    const client = await dialRaw(recorded);
    client.write(request());
    await recorded.first('asked');
    await recorded.server.shutdown();
    await client.close();
  });

  it('the request may come a byte at a time, and frames right behind it', async () => {
    const recorded = await webSockets(() => {}, { settings: ['BufferMessage=True'] });
    const client = await dialRaw(recorded);
    client.socket.setNoDelay(true);
    const bytes = Buffer.concat([Buffer.from(request()), Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])]);
    for (const byte of bytes) client.write(Buffer.from([byte]));
    assert.strictEqual((await client.head()).status, 101);
    assert.deepStrictEqual(await recorded.data(1), [['hi', 1, true, false]]);
  });

  it('WS-E-02, WS-C-09, WS-C-11: ConnectionRequest can refuse, and the lists too', async () => {
    const recorded = await webSockets((server) => server.on('ConnectionRequest', (e) => {
      recorded.note('asked', e);
      assert.deepStrictEqual([e.address, e.accept], ['127.0.0.1', true]);
      assert.ok(e.port > 0);
      e.accept = recorded.of('asked').length > 1;
    }));
    await assert.rejects(dial(recorded).opened);
    await recorded.connect();
    const listed = await webSockets(() => {}, { settings: ['BlockedClients=127.0.0.*'] });
    await assert.rejects(dial(listed).opened);
    await listed.server.config('BlockedClients=');
    await listed.connect();
    await listed.server.config('AllowedClients=10.0.0.1');
    await assert.rejects(dial(listed).opened);
  });

  it('WS-E-30, WS-P-29: SSLClientAuthentication decides about the client\'s certificate', async () => {
    const recorded = await webSockets((server) => {
      server.setSSLAuthenticateClients(true);
      server.on('SSLClientAuthentication', (e) => recorded.note('judged', e));
    }, { tls: true, settings: [`SSLCACerts=${pki.read('ca.pem')}`] });
    await recorded.connect({ cert: pki.read('client.pem'), key: pki.read('client.key') });
    const { status, accept, certSubject, certIssuer, certEncoded, connectionId } = recorded.of('judged')[0];
    assert.deepStrictEqual([status, accept], ['OK', true]);
    assert.ok(certSubject.includes('CN=') && certIssuer.includes('CN=') && certEncoded.includes('BEGIN') && connectionId);
    await assert.rejects(dial(recorded).opened);
    assert.strictEqual(recorded.of('judged')[1].accept, false);
    assert.strictEqual((await recorded.first('Error')).errorCode, 281);
  });

  it('WS-E-31: SSLConnectionRequest may name another certificate', async () => {
    const recorded = await webSockets((server) => server.on('SSLConnectionRequest', (e) => {
      recorded.note('offered', e);
      e.certStoreType = 7;
      e.certStore = pki.read('rsa.key') + pki.read('rsa.pem');
      e.certSubject = '*';
    }), { tls: true });
    const { client } = await recorded.connect();
    assert.ok('modulus' in client.ws._socket.getPeerCertificate());
    assert.match(recorded.of('offered')[0].supportedCipherSuites, /TLS_/);
    assert.match(recorded.of('offered')[0].supportedSignatureAlgs, /rsa/);
  });

  it('WS-E-32, WS-C-41 to 46: SSLStatus and what was negotiated', async () => {
    const recorded = await webSockets(() => {}, { tls: true });
    const { id } = await recorded.connect();
    assert.match(recorded.of('SSLStatus')[0].message, /TLSv1\.2/);
    const { server } = recorded;
    assert.strictEqual(await server.config(`SSLNegotiatedVersion[${id}]`), 'TLSv1.2');
    assert.match(await server.config(`SSLNegotiatedCipherSuite[${id}]`), /^TLS_ECDHE_ECDSA_WITH_/);
    assert.match(await server.config(`SSLNegotiatedCipher[${id}]`), /^ECDHE-ECDSA-/);
    assert.match(await server.config(`SSLNegotiatedCipherStrength[${id}]`), /^(128|256)$/);
    assert.notStrictEqual(await server.config(`SSLNegotiatedKeyExchange[${id}]`), '');
    assert.match(await server.config(`SSLNegotiatedKeyExchangeStrength[${id}]`), /^\d+$/);
    await failsWith(10022, server.config(`SSLNegotiatedVersion[${id}]=1`));
  });

  it('WS-E-19: who does not speak TLS is an Error, and never connected', async () => {
    const recorded = await webSockets(() => {}, { tls: true });
    const client = dial({ url: () => `ws://127.0.0.1:${recorded.port}/` });
    await assert.rejects(client.opened);
    const { errorCode, connectionId } = await recorded.first('Error');
    assert.strictEqual(errorCode, 276);
    assert.notStrictEqual(connectionId, '');
    assert.deepStrictEqual(recorded.of('Connected'), []);
  });

  it('WS-C-31: the first CA file that is there is trusted', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-'));
    try {
      const file = path.join(folder, 'ca.pem');
      fs.writeFileSync(file, pki.read('ca.pem'));
      const recorded = await webSockets((server) => server.setSSLAuthenticateClients(true),
        { tls: true, settings: [`SSLCACertFilePaths=${path.join(folder, 'missing')};${file}`] });
      await recorded.connect({ cert: pki.read('client.pem'), key: pki.read('client.key') });
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it('WS-C-13: silence while it opens has an end', async () => {
    const recorded = new RecordedWebSockets();
    assert.strictEqual(recorded.server._reception().webSocket.handshakeTimeout, 120_000);
    await recorded.server.config('DefaultConnectionTimeout=200');
    assert.strictEqual(recorded.server._reception().webSocket.handshakeTimeout, 200_000);
  });

  itWithSocketOptions('WS-C-15 to 17: keep-alive, when one of its settings is set', async () => {
    for (const [setting, expected] of [
      [null, { on: false }], ['KeepAliveRetryCount=4', { on: true, count: 4 }],
      ['KeepAliveTime=600000', { on: true, idle: 600 }], ['KeepAliveInterval=3000', { on: true, interval: 3 }],
    ]) {
      const recorded = await webSockets(() => {}, { settings: setting === null ? [] : [setting] });
      const { client } = await recorded.connectRaw();
      const found = (await keepAliveAt(recorded.port))[client.socket.localPort];
      assert.deepStrictEqual({ ...found, ...expected }, found, setting);
    }
  });

  for (const [deflate, pattern] of [['True', /^permessage-deflate/], ['False', /^undefined$/]]) {
    it(`WS-C-04: EnablePermessageDeflate=${deflate}`, async () => {
      const recorded = await webSockets(() => {}, { settings: [`EnablePermessageDeflate=${deflate}`] });
      const client = await dialRaw(recorded);
      client.write(request({ headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } }));
      const { headers } = await client.head();
      assert.match(String(headers['sec-websocket-extensions']), pattern);
    });
  }
});
