'use strict';

// TLSSocket as a stream: data both ways, back-pressure, half-open, ends, timeouts, counters, addresses.

const assert = require('assert');
const crypto = require('crypto');
const { pipeline } = require('stream/promises');
const { subject, forEachPairing, betterThanNode } = require('../support/subject');
const { until, within } = require('../support/time');
const {
  closed, codeOf, connectPair, dial, dialSecure, dialTcp, echo, event, readAll, readBytes, relay, serve,
  serveEcho,
} = require('../support/net');

const MIB = 1024 * 1024;

forEachPairing((serverTls, clientTls) => {
  it('carries writes of every size unchanged, both ways', async () => {
    const { port } = await serveEcho(serverTls);
    const client = await dialSecure(clientTls, port);
    for (const size of [1, 2, 100, 16383, 16384, 16385, 65536, 300_000]) {
      const data = crypto.randomBytes(size);
      client.write(data);
      assert.ok((await readBytes(client, size)).equals(data), `${size} bytes`);
    }
  });

  it('carries 16 MiB through a pipeline', async () => {
    const { port } = await serveEcho(serverTls);
    const client = await dialSecure(clientTls, port);
    const sent = crypto.createHash('sha256');
    const got = crypto.createHash('sha256');
    let length = 0;
    async function* source() {
      for (let i = 0; i < 256; i++) {
        const chunk = crypto.randomBytes(65536);
        sent.update(chunk);
        yield chunk;
      }
    }
    await pipeline(source, client, async (stream) => {
      for await (const chunk of stream) {
        got.update(chunk);
        length += chunk.length;
      }
    });
    assert.strictEqual(length, 16 * MIB);
    assert.strictEqual(got.digest('hex'), sent.digest('hex'));
  });

  it('keeps the order of small writes, corked ones and strings in any encoding', async () => {
    const { client, socket } = await connectPair(serverTls, clientTls);
    const all = readAll(socket);
    for (let i = 0; i < 500; i++) client.write(`${i};`);
    client.cork();
    client.write('616263', 'hex');
    client.write('ZGVm', 'base64');
    client.write('\xe9', 'latin1');
    process.nextTick(() => client.uncork());
    setImmediate(() => client.end('h', 'utf16le'));
    const expected = Buffer.concat([
      Buffer.from(Array.from({ length: 500 }, (_, i) => `${i};`).join('') + 'abcdef'), Buffer.from([0xe9, 0x68, 0]),
    ]);
    assert.deepStrictEqual(await all, expected);
  });

  it('accepts writes before the handshake is done', async () => {
    const { port } = await serveEcho(serverTls);
    const client = dial(clientTls, port);
    client.write('early ');
    client.end('bird');
    assert.strictEqual(String(await readAll(client)), 'early bird');
  });

  it('calls each write back, in order', async () => {
    const { client, socket } = await connectPair(serverTls, clientTls);
    socket.resume();
    const order = [];
    await new Promise((resolve) => {
      client.write('a', () => order.push('a'));
      client.write(Buffer.alloc(200_000), () => order.push('b'));
      client.write('', () => order.push('empty'));
      client.end('c', () => {
        order.push('end');
        resolve();
      });
    });
    assert.deepStrictEqual(order, ['a', 'b', 'empty', 'end']);
  });

  it('counts bytesRead and bytesWritten of the clear text\'s connection', async () => {
    const { client, socket } = await connectPair(serverTls, clientTls);
    const before = socket.bytesRead;
    client.write(Buffer.alloc(1000));
    await readBytes(socket, 1000);
    socket.write(Buffer.alloc(500));
    await readBytes(client, 500);
    assert.strictEqual(client.bytesWritten, 1000);
    assert.strictEqual(socket.bytesWritten, 500);
    assert.strictEqual(socket.bytesRead - before, 1000);
    assert.ok(client.bytesRead >= 500);
  });

  it('pause holds data back and resume lets it go', async () => {
    const { client, socket } = await connectPair(serverTls, clientTls);
    let got = '';
    client.setEncoding('utf8').on('data', (text) => {
      got += text;
    });
    client.pause();
    socket.write('one');
    socket.write('two');
    // A third party's round trip: what was sent before it has had its chance to arrive.
    for (let i = 0; i < 20; i++) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    assert.strictEqual(got, '');
    client.resume();
    await until(() => got === 'onetwo', 5000, 'the data');
  });

  it('a reader that sleeps stops the writer, which takes no more than a bounded backlog', async () => {
    const { client, socket } = await connectPair(serverTls, clientTls);
    socket.pause();
    const chunk = Buffer.alloc(MIB);
    let accepted = 0;
    let written = 0;
    // Writes as a well-behaved writer does: no more after `false` until 'drain'.
    const fill = () => {
      do accepted++; while (client.write(chunk, () => written++) && accepted < 256);
    };
    client.on('drain', () => {
      if (accepted < 256) fill();
    });
    fill();
    let last = -1;
    await until(async () => {
      const still = last === accepted;
      last = accepted;
      await new Promise((resolve) => {
        setTimeout(resolve, 100);
      });
      return still;
    }, 10_000, 'the writer coming to a stop');
    assert.ok(accepted < 64, `${accepted} MiB went into a connection that nobody reads`);
    assert.ok(written < accepted);
    assert.strictEqual(client.writableNeedDrain, true);
    // And all of it arrives when the reader wakes up.
    let received = 0;
    socket.on('data', (data) => {
      received += data.length;
    });
    socket.resume();
    await until(() => accepted === 256 && received === 256 * MIB, 20_000, 'all data');
  });

  it('an allowHalfOpen server may answer after the client has ended', async () => {
    const { port } = await serve(serverTls, { allowHalfOpen: true }, async (socket) => {
      const request = await readAll(socket);
      socket.end(`got ${request.length}`);
    });
    const client = await dialSecure(clientTls, port, { allowHalfOpen: true });
    client.end(Buffer.alloc(5000));
    assert.strictEqual(String(await readAll(client)), 'got 5000');
  });

  it('without allowHalfOpen the end of one side ends the other', async () => {
    const { client, socket } = await connectPair(serverTls, clientTls);
    socket.resume();
    client.resume();
    const finished = event(socket, 'finish');
    const both = Promise.all([closed(client), closed(socket)]);
    client.end();
    await finished;
    assert.deepStrictEqual(await both, [undefined, undefined]);
  });

  it('delivers all data before end, and end before close', async () => {
    const { port } = await serve(serverTls, {}, (socket) => socket.end(Buffer.alloc(MIB)));
    const client = await dialSecure(clientTls, port);
    const seen = [];
    let length = 0;
    client.on('data', (chunk) => {
      length += chunk.length;
    });
    client.on('end', () => seen.push(`end ${length}`));
    client.on('close', (hadError) => seen.push(`close ${hadError}`));
    await closed(client);
    assert.deepStrictEqual(seen, [`end ${MIB}`, 'close false']);
  });

  it('a reset is ECONNRESET, on whichever side it comes', async () => {
    const { server, port } = await serveEcho(serverTls);
    const between = await relay(port);
    for (const side of ['near', 'far']) {
      const accepted = event(server, 'secureConnection');
      const client = await dialSecure(clientTls, between.port);
      const [socket] = await accepted;
      assert.strictEqual(await echo(client), 'ping');
      const gone = closed(side === 'near' ? client : socket);
      between[side]().resetAndDestroy();
      const error = await gone;
      assert.strictEqual(error.code, 'ECONNRESET');
      assert.strictEqual(error.syscall, 'read');
    }
  });

  it('destroy with an error emits it, then close with hadError', async () => {
    const { client } = await connectPair(serverTls, clientTls);
    const seen = [];
    client.on('close', (hadError) => seen.push(hadError));
    const gone = closed(client);
    client.destroy(new Error('enough'));
    assert.strictEqual((await gone).message, 'enough');
    assert.deepStrictEqual(seen, [true]);
  });

  it('writes after end and to a destroyed socket are errors', async () => {
    const first = await connectPair(serverTls, clientTls);
    first.socket.resume();
    first.client.end();
    const late = closed(first.client);
    const [error] = await new Promise((resolve) => {
      first.client.write('late', (...result) => resolve(result));
    });
    assert.strictEqual(error.code, 'ERR_STREAM_WRITE_AFTER_END');
    assert.strictEqual((await late).code, 'ERR_STREAM_WRITE_AFTER_END');

    const second = await connectPair(serverTls, clientTls);
    second.client.destroy();
    const [destroyed] = await new Promise((resolve) => {
      second.client.write('late', (...result) => resolve(result));
    });
    assert.strictEqual(destroyed.code, 'ERR_STREAM_DESTROYED');
  });

  it('setTimeout tells of idleness and does not end the connection', async () => {
    const { client, socket } = await connectPair(serverTls, clientTls);
    socket.pipe(socket);
    client.setTimeout(60);
    assert.strictEqual(client.timeout, 60);
    await event(client, 'timeout');
    client.setTimeout(0);
    assert.strictEqual(await echo(client), 'ping');
  });

  it('knows its addresses, ports and families', async () => {
    const { client, socket, port } = await connectPair(serverTls, clientTls);
    assert.strictEqual(client.remoteAddress, '127.0.0.1');
    assert.strictEqual(client.remotePort, port);
    assert.strictEqual(client.remoteFamily, 'IPv4');
    assert.strictEqual(socket.remotePort, client.localPort);
    assert.strictEqual(socket.localPort, port);
    assert.strictEqual(socket.localAddress, '127.0.0.1');
    assert.strictEqual(socket.localFamily, 'IPv4');
    assert.deepStrictEqual(client.address(), { address: '127.0.0.1', family: 'IPv4', port: client.localPort });
    assert.strictEqual(client.connecting, false);
    assert.strictEqual(client.pending, false);
    assert.strictEqual(client.readyState, 'open');
  });

  it('setNoDelay, setKeepAlive, ref and unref return the socket', async () => {
    const { client } = await connectPair(serverTls, clientTls);
    assert.strictEqual(client.setNoDelay(true), client);
    assert.strictEqual(client.setNoDelay(false), client);
    assert.strictEqual(client.setKeepAlive(true, 1000), client);
    assert.strictEqual(client.unref(), client);
    assert.strictEqual(client.ref(), client);
    assert.strictEqual(client.setMaxSendFragment(512), true);
  });

  it('reads through an async iterator', async () => {
    const { port } = await serve(serverTls, {}, (socket) => socket.end('iterated'));
    const client = await dialSecure(clientTls, port);
    let text = '';
    for await (const chunk of client) text += chunk;
    assert.strictEqual(text, 'iterated');
  });

  it('reads into a buffer of the caller\'s with onread', async () => {
    const { port } = await serve(serverTls, {}, (socket) => socket.end('into your buffer'));
    const buffer = Buffer.alloc(8);
    let text = '';
    const client = dial(clientTls, port, {
      onread: {
        buffer,
        callback(length, given) {
          assert.strictEqual(given, buffer);
          text += given.toString('utf8', 0, length);
          return true;
        },
      },
    });
    await closed(client);
    assert.strictEqual(text, 'into your buffer');
  });
});

describe('a truncated stream', () => {
  it('with no close_notify still ends for the reader, as in Node', async () => {
    const { port } = await serveEcho(subject);
    const between = await relay(port);
    const client = await dialSecure(subject, between.port);
    assert.strictEqual(await echo(client), 'ping');
    client.resume();
    const ended = event(client, 'end');
    between.near().end();   // a bare FIN
    await ended;
  });
});

describe('after the handshake', () => {
  it('a broken record ends the connection: error on the socket, alert to the peer, TCP closed', async function () {
    betterThanNode(this);
    const { server, port } = await serveEcho(subject);
    const between = await relay(port);
    const accepted = event(server, 'secureConnection');
    const client = await dialSecure(require('tls'), between.port);
    assert.strictEqual(await echo(client), 'ping');
    const [socket] = await accepted;
    const gone = closed(socket);
    const answered = closed(client);
    between.far().write(Buffer.concat([Buffer.from([0x17, 3, 3, 0, 32]), crypto.randomBytes(32)]));
    const error = await gone;
    assert.strictEqual(error.code, 'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC');
    assert.strictEqual(codeOf(await answered), 'ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC');
    assert.strictEqual(server.listening, true);
  });

  it('a listener that throws reaches uncaughtException and leaves other connections unharmed', async () => {
    const { server, port } = await serveEcho(subject);
    const other = await dialSecure(subject, port);
    assert.strictEqual(await echo(other), 'ping');
    const accepted = event(server, 'secureConnection');
    const client = await dialSecure(subject, port);
    const [socket] = await accepted;
    socket.once('data', () => {
      throw new Error('from a listener');
    });
    const mochaListeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    try {
      const thrown = within(5000, new Promise((resolve) => {
        process.once('uncaughtException', resolve);
      }), 'uncaughtException');
      client.write('x');
      assert.strictEqual((await thrown).message, 'from a listener');
    } finally {
      for (const listener of mochaListeners) process.on('uncaughtException', listener);
    }
    assert.strictEqual(await echo(other), 'ping');
    assert.strictEqual(await echo(await dialSecure(subject, port)), 'ping');
  });

  it('promise jobs run between two events of a connection: a once() loop misses nothing', async () => {
    const { once } = require('events');
    const { port } = await serve(subject, {}, (socket) => {
      // Many records at once, and the end right behind them.
      for (let i = 0; i < 200; i++) socket.write(`${i}\n`);
      socket.end();
    });
    const client = await dialSecure(subject, port);
    const abort = new AbortController();
    client.on('end', () => abort.abort());
    let text = '';
    try {
      while (true) text += (await once(client, 'data', { signal: abort.signal }))[0];
    } catch (error) {
      assert.strictEqual(error.name, 'AbortError');
    }
    assert.strictEqual(text, Array.from({ length: 200 }, (_, i) => `${i}\n`).join(''));
  });

  it('a server whose peer sends plain data that is no TLS at all goes on', async () => {
    const { server, port } = await serveEcho(subject);
    const raw = await dialTcp(port);
    raw.on('error', () => {});
    const failed = event(server, 'tlsClientError');
    raw.write(crypto.randomBytes(64).fill(0xff, 0, 8));
    assert.match((await failed)[0].code, /^ERR_SSL_/);
    assert.strictEqual(await echo(await dialSecure(subject, port)), 'ping');
  });
});
