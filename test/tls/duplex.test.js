'use strict';

// TLS over what is no fresh native connection: any Duplex, a connected net.Socket (STARTTLS), emit('connection').

const assert = require('assert');
const crypto = require('crypto');
const net = require('net');
const { Duplex } = require('stream');
const pki = require('../support/pki');
const { subject: tls } = require('../support/subject');
const { track } = require('../support/cleanup');
const { closed, dialSecure, dialTcp, echo, event, listen, readAll, readBytes, serve } = require('../support/net');

/** Two Duplexes joined back to back; at most `step` bytes go across in one piece. */
function duplexPair(step = Infinity) {
  const make = () => new Duplex({
    read() {
      this.onRead?.();
    },
    write(chunk, encoding, callback) {
      const pieces = [];
      for (let at = 0; at < chunk.length; at += step) pieces.push(chunk.subarray(at, at + step));
      let wanted = true;
      for (const piece of pieces) wanted = this.other.push(piece);
      if (wanted) setImmediate(callback);
      else this.other.onRead = () => {
        this.other.onRead = undefined;
        callback();
      };
    },
    final(callback) {
      this.other.push(null);
      callback();
    },
  });
  const [a, b] = [make(), make()];
  a.other = b;
  b.other = a;
  return [track(a), track(b)];
}

function wrapServer(stream, options) {
  const socket = new tls.TLSSocket(stream, { isServer: true, ...pki.pair('ec'), ...options });
  return track(socket);
}

function wrapClient(stream, options) {
  return track(tls.connect({ socket: stream, servername: 'localhost', ca: pki.ca, ...options }));
}

describe('TLSSocket over a Duplex', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    it(`${version}: both sides in memory`, async () => {
      const [near, far] = duplexPair();
      const server = wrapServer(far, { maxVersion: version });
      const client = wrapClient(near);
      await Promise.all([event(client, 'secureConnect'), event(server, 'secure')]);
      assert.strictEqual(client.getProtocol(), version);
      assert.strictEqual(client.authorized, true);
      server.pipe(server);
      assert.strictEqual(await echo(client), 'ping');
      const data = crypto.randomBytes(300_000);
      client.write(data);
      assert.ok((await readBytes(client, data.length)).equals(data));
    });
  }

  it('works a byte at a time', async () => {
    const [near, far] = duplexPair(1);
    const server = wrapServer(far);
    const client = wrapClient(near);
    await event(client, 'secureConnect');
    server.pipe(server);
    assert.strictEqual(await echo(client, 'slowly but surely'), 'slowly but surely');
  });

  it('ends cleanly: close_notify, then the end of the stream below', async () => {
    const [near, far] = duplexPair();
    const server = wrapServer(far);
    const client = wrapClient(near);
    await event(client, 'secureConnect');
    const text = readAll(server);
    server.on('end', () => server.end());
    client.resume();
    client.end('goodbye');
    assert.strictEqual(String(await text), 'goodbye');
    await closed(client);
  });

  it('the destruction of the stream below closes the TLSSocket', async () => {
    const [near, far] = duplexPair();
    wrapServer(far).on('error', () => {});
    const client = wrapClient(near);
    await event(client, 'secureConnect');
    const gone = closed(client);
    near.destroy();
    await gone;
    assert.strictEqual(client.destroyed, true);
  });

  it('a reader that sleeps stops the stream below', async () => {
    const [near, far] = duplexPair();
    const server = wrapServer(far);
    const client = wrapClient(near);
    await event(client, 'secureConnect');
    server.pause();
    let accepted = 0;
    while (accepted < 512 && client.write(Buffer.alloc(65536))) accepted++;
    // More turns of the event loop than the chunks need hops, if anything let them through.
    for (let turn = 0; turn < 500; turn++) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      while (accepted < 512 && !client.writableNeedDrain && client.write(Buffer.alloc(65536))) accepted++;
    }
    assert.ok(accepted < 256, `${accepted} chunks of 64 KiB were taken`);
  });
});

describe('TLSSocket over a connected net.Socket', () => {
  it('STARTTLS: clear lines first, then TLS on the same connection, on both sides', async () => {
    const server = net.createServer((plain) => {
      plain.once('data', (line) => {
        assert.strictEqual(String(line), 'STARTTLS\r\n');
        plain.write('220 go ahead\r\n', () => {
          const secure = wrapServer(plain);
          secure.pipe(secure);
        });
      });
    });
    const port = await listen(server);
    const plain = await dialTcp(port);
    plain.write('STARTTLS\r\n');
    assert.strictEqual(String((await event(plain, 'data'))[0]), '220 go ahead\r\n');
    const client = wrapClient(plain);
    await event(client, 'secureConnect');
    assert.strictEqual(client.remotePort, port);
    assert.strictEqual(await echo(client), 'ping');
    const gone = closed(plain);
    client.destroy();
    await gone;
  });

  it('waits for a socket that is still connecting', async () => {
    const { port } = await serve(tls, {}, (socket) => socket.pipe(socket));
    const client = wrapClient(track(net.connect(port, '127.0.0.1')));
    await event(client, 'secureConnect');
    assert.strictEqual(await echo(client), 'ping');
  });

  it('TLS inside TLS', async () => {
    const inner = await serve(tls, {}, (socket) => socket.pipe(socket));
    const outer = await serve(tls, {}, (socket) => {
      const onward = track(net.connect(inner.port, '127.0.0.1'));
      socket.pipe(onward).pipe(socket);
      onward.on('error', () => {});
    });
    const tunnel = await dialSecure(tls, outer.port);
    const client = wrapClient(tunnel);
    await event(client, 'secureConnect');
    assert.strictEqual(await echo(client, 'twice sealed'), 'twice sealed');
  });

  it('refuses what is no stream', () => {
    for (const bad of [true, 1, 'x', {}]) {
      assert.throws(() => new tls.TLSSocket(bad), TypeError);
    }
  });
});

describe('server.emit(\'connection\', stream)', () => {
  it('serves TLS over a Duplex', async () => {
    const server = track(tls.createServer(pki.pair('ec'), (socket) => socket.pipe(socket)));
    const [near, far] = duplexPair();
    server.emit('connection', far);
    const client = wrapClient(near);
    await event(client, 'secureConnect');
    assert.strictEqual(await echo(client), 'ping');
  });

  it('serves TLS over a net.Socket of another server', async () => {
    const server = track(tls.createServer(pki.pair('ec'), (socket) => socket.pipe(socket)));
    const front = net.createServer((socket) => server.emit('connection', socket));
    const port = await listen(front);
    const accepted = event(server, 'secureConnection');
    const client = await dialSecure(tls, port);
    assert.strictEqual(await echo(client), 'ping');
    assert.strictEqual((await accepted)[0].remotePort, client.localPort);
  });

  it('reports what goes wrong there as tlsClientError', async () => {
    const server = track(tls.createServer(pki.pair('ec')));
    const [near, far] = duplexPair();
    const failed = event(server, 'tlsClientError');
    server.emit('connection', far);
    near.resume();
    near.write('GET / HTTP/1.0\r\n\r\n');
    assert.strictEqual((await failed)[0].code, 'ERR_SSL_HTTP_REQUEST');
  });
});
