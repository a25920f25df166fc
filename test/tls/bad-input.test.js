'use strict';

// What hostile or broken peers send: that connection ends with the right alert, a closed socket and tlsClientError
// with the right code; the server goes on, and nothing is left behind.

const assert = require('assert');
const net = require('net');
const pki = require('../support/pki');
const { subject: tls, stock, betterThanNode } = require('../support/subject');
const { start } = require('../support/program');
const { track } = require('../support/cleanup');
const { until } = require('../support/time');
const { closed, codeOf, dialSecure, dialTcp, echo, event, listen, relay, serveEcho } = require('../support/net');

/** Bytes of a real ClientHello, as Node's tls sends it. */
async function captureHello() {
  const server = net.createServer();
  const port = await listen(server);
  const accepted = event(server, 'connection');
  track(require('tls').connect(port, '127.0.0.1')).on('error', () => {});
  const [socket] = await accepted;
  return (await event(socket, 'data'))[0];
}

/** A handshake record of `length` claimed bytes holding `body`. */
function record(type, body, length = body.length) {
  return Buffer.concat([Buffer.from([type, 3, 1, length >> 8, length & 255]), body]);
}

/** The alert (level, description) among the bytes that a server sent, or undefined. */
function alertIn(bytes) {
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) {
    if (bytes[at] === 21) return { level: bytes[at + 5], description: bytes[at + 6] };
  }
  return undefined;
}

/** Sends `bytes` to a fresh server; resolves with its tlsClientError and the alert that came back. */
async function provoke(bytes, { options, finish } = {}) {
  const { server, port } = await serveEcho(tls, options);
  const failed = event(server, 'tlsClientError');
  const raw = await dialTcp(port);
  const chunks = [];
  raw.on('data', (chunk) => chunks.push(chunk)).on('error', () => {});
  const gone = new Promise((resolve) => {
    raw.once('close', resolve);
  });
  raw.write(bytes);
  finish?.(raw);
  const [error, socket] = await failed;
  assert.ok(error instanceof Error);
  assert.strictEqual(socket instanceof tls.TLSSocket, true);
  if (!stock) await gone;
  // The server goes on, and holds nothing of that connection.
  const client = await dialSecure(tls, port);
  assert.strictEqual(await echo(client), 'ping');
  client.destroy();
  if (!stock) {
    await until(() => new Promise((resolve) => {
      server.getConnections((reason, count) => resolve(count === 0));
    }), 5000, 'no connection being left');
  }
  return { code: codeOf(error), alert: alertIn(Buffer.concat(chunks))?.description };
}

describe('a server given', () => {
  it('plain HTTP', async () => {
    const { code } = await provoke('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.strictEqual(code, 'ERR_SSL_HTTP_REQUEST');
  });

  it('an HTTP proxy request', async () => {
    assert.strictEqual((await provoke('CONNECT x:443 HTTP/1.1\r\n\r\n')).code, 'ERR_SSL_HTTPS_PROXY_REQUEST');
  });

  it('random bytes', async () => {
    const { code } = await provoke(Buffer.from('8f3a91c4e7d25b6a0f9e8d7c6b5a49382716', 'hex'));
    assert.match(code, /^ERR_SSL_(WRONG_VERSION_NUMBER|UNSUPPORTED_PROTOCOL|PACKET_LENGTH_TOO_LONG)$/);
  });

  it('a record that is too long', async function () {
    betterThanNode(this);
    const { code, alert } = await provoke(record(22, Buffer.alloc(64), 0xffff));
    assert.match(code, /^ERR_SSL_(PACKET_LENGTH_TOO_LONG|DATA_LENGTH_TOO_LONG)$/);
    assert.strictEqual(alert, 22, 'record_overflow');
  });

  it('a giant ClientHello', async function () {
    betterThanNode(this);
    const header = Buffer.from([1, 0xff, 0xff, 0xff]);   // 16 MiB announced
    const { code, alert } = await provoke(record(22, Buffer.concat([header, Buffer.alloc(1000)])));
    assert.strictEqual(code, 'ERR_SSL_EXCESSIVE_MESSAGE_SIZE');
    assert.strictEqual(alert, 47, 'illegal_parameter');
  });

  it('application data before the handshake', async function () {
    betterThanNode(this);
    const { code, alert } = await provoke(record(23, Buffer.alloc(100)));
    assert.match(code, /^ERR_SSL_/);
    assert.strictEqual(alert, 10, 'unexpected_message');
  });

  it('a ClientHello that ends in its middle', async function () {
    betterThanNode(this);
    const hello = await captureHello();
    const { code } = await provoke(hello.subarray(0, 60), { finish: (raw) => raw.end() });
    assert.strictEqual(code, 'ECONNRESET');
  });

  it('a reset in mid-handshake', async () => {
    const hello = await captureHello();
    const { code } = await provoke(hello, { finish: (raw) => raw.resetAndDestroy() });
    assert.match(code, /^(ECONNRESET|EPIPE)$/);
  });

  it('an alert in place of the client\'s answer', async function () {
    betterThanNode(this);
    const hello = await captureHello();
    const { code } = await provoke(hello, {
      options: { maxVersion: 'TLSv1.2' },
      finish: (raw) => raw.once('data', () => raw.write(Buffer.from([21, 3, 3, 0, 2, 2, 42]))),
    });
    assert.strictEqual(code, 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE');
  });

  it('a peer that stalls in mid-handshake', async function () {
    betterThanNode(this);
    const hello = await captureHello();
    const { code } = await provoke(hello.subarray(0, 20), { options: { handshakeTimeout: 150 } });
    assert.strictEqual(code, 'ERR_TLS_HANDSHAKE_TIMEOUT');
  });

  it('a peer that sends a byte now and then does not outlive handshakeTimeout either', async function () {
    betterThanNode(this);
    const hello = await captureHello();
    let timer;
    let sent = 0;
    const { code } = await provoke(hello.subarray(0, 1), {
      options: { handshakeTimeout: 300 },
      finish(raw) {
        timer = setInterval(() => raw.write(hello.subarray(++sent, sent + 1)), 20);
        raw.once('close', () => clearInterval(timer));
      },
    });
    assert.strictEqual(code, 'ERR_TLS_HANDSHAKE_TIMEOUT');
    assert.ok(sent < hello.length);
  });

  it('a whole handshake, one byte in each segment', async () => {
    const { port } = await serveEcho(tls);
    const slow = net.createServer((near) => {
      const far = track(net.connect(port, '127.0.0.1')).setNoDelay(true);
      far.on('error', () => {}).pipe(near);
      near.on('error', () => {}).on('data', (chunk) => {
        for (const byte of chunk) far.write(Buffer.from([byte]));
      });
    });
    const client = await dialSecure(require('tls'), await listen(slow));
    assert.strictEqual(await echo(client), 'ping');
  });

  it('nothing but a connection that closes', async () => {
    const { server, port } = await serveEcho(tls);
    const failed = event(server, 'tlsClientError');
    (await dialTcp(port)).end();
    assert.strictEqual((await failed)[0].code, 'ECONNRESET');
  });

  it('hundreds of such peers at once', async function () {
    betterThanNode(this);
    const { server, port } = await serveEcho(tls, { handshakeTimeout: 2000 });
    const codes = new Map();
    let count = 0;
    server.on('tlsClientError', ({ code }) => {
      count++;
      codes.set(code, (codes.get(code) ?? 0) + 1);
    });
    const hello = await captureHello();
    for (let i = 0; i < 200; i++) {
      const raw = await dialTcp(port);
      raw.on('error', () => {}).resume();
      if (i % 4 === 0) raw.write('GET / HTTP/1.0\r\n\r\n');
      else if (i % 4 === 1) raw.end(hello.subarray(0, 50));
      else if (i % 4 === 2) raw.write(hello.subarray(0, 50));
      else raw.destroy();
    }
    const client = await dialSecure(tls, port);
    assert.strictEqual(await echo(client), 'ping');
    await until(() => count === 200, 15_000, 'an end of all of them');
    assert.strictEqual(codes.get('ERR_SSL_HTTP_REQUEST'), 50);
    assert.strictEqual(codes.get('ERR_TLS_HANDSHAKE_TIMEOUT'), 50);
    assert.strictEqual(await echo(client), 'ping');
  });
});

describe('the end of a failed connection', () => {
  it('follows the alert at once, though the peer keeps its own side open', async function () {
    betterThanNode(this);
    const { port } = await serveEcho(tls);
    let shortest = Infinity;
    // Best of three: the machine may be busy. Without a FIN it would be 200 ms, for which a silent peer is waited for.
    for (let i = 0; i < 3; i++) {
      const raw = track(net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }));
      raw.write('GET / HTTP/1.1\r\n\r\n');
      await event(raw, 'data');
      const since = Date.now();
      await event(raw, 'end');
      shortest = Math.min(shortest, Date.now() - since);
      raw.destroy();
    }
    assert.ok(shortest < 150, `${shortest} ms`);
  });
});

describe('renegotiation', () => {
  /** openssl s_client that renegotiates on every R line. */
  function renegotiator(port) {
    return start('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-tls1_2', '-legacy_renegotiation']);
  }

  it('is allowed three times, then refused as Node does', async () => {
    const { server, port } = await serveEcho(tls, { maxVersion: 'TLSv1.2' });
    const accepted = event(server, 'secureConnection');
    const client = renegotiator(port);
    const [socket] = await accepted;
    const failed = new Promise((resolve) => {
      socket.once('error', resolve);
    });
    await client.waitFor(/---\n.*Verify return code/s);
    let rounds = 0;
    const timer = setInterval(() => {
      client.write('R\n');
      rounds++;
    }, 150);
    try {
      assert.strictEqual((await failed).code, 'ERR_TLS_SESSION_ATTACK');
    } finally {
      clearInterval(timer);
    }
    assert.ok(rounds > 3);
    assert.strictEqual(await echo(await dialSecure(tls, port)), 'ping');
  });

  it('is refused after disableRenegotiation', async () => {
    const { server, port } = await serveEcho(tls, { maxVersion: 'TLSv1.2' });
    server.on('secureConnection', (socket) => socket.disableRenegotiation());
    const accepted = event(server, 'secureConnection');
    const client = renegotiator(port);
    const [socket] = await accepted;
    const failed = new Promise((resolve) => {
      socket.once('error', resolve);
    });
    await client.waitFor(/---\n.*Verify return code/s);
    client.write('R\n');
    assert.strictEqual((await failed).code, 'ERR_TLS_RENEGOTIATION_DISABLED');
  });
});

describe('a 1 GiB write', () => {
  it('to a reader that sleeps stays within bounded memory', async function () {
    betterThanNode(this);
    const { server, port } = await serveEcho(tls);
    const accepted = event(server, 'secureConnection');
    const between = await relay(port);
    const client = await dialSecure(tls, between.port);
    const [socket] = await accepted;
    between.far().pause();
    socket.unpipe();
    socket.pause();
    const gib = Buffer.alloc(1024 * 1024 * 1024);
    const base = process.memoryUsage().rss;
    const gone = closed(client);
    let called = false;
    client.write(gib, () => {
      called = true;
    });
    let peak = 0;
    for (let i = 0; i < 50; i++) {
      await new Promise((resolve) => {
        setTimeout(resolve, 10);
      });
      peak = Math.max(peak, process.memoryUsage().rss - base);
    }
    assert.strictEqual(called, false);
    // Nobody copies or encrypts the whole of it ahead of the reader. (The pages of `gib` itself may be counted once.)
    assert.ok(peak < 1.25 * gib.length, `${Math.round(peak / 1048576)} MiB`);
    client.destroy();
    await gone;
  });
});

describe('a certificate with a bad name', () => {
  it('does not stop a server that shows it', async () => {
    const { port } = await serveEcho(tls, pki.pair('alpha'));
    const error = await closed(require('../support/net').dial(tls, port));
    assert.strictEqual(error.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
    assert.strictEqual(await echo(await dialSecure(tls, port, { servername: 'alpha.test' })), 'ping');
  });
});
