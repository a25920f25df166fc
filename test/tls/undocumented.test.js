'use strict';

// What Node does not document and programs rely on all the same: properties of handles and contexts, the order of what
// came and what was asked, how records become chunks.

const assert = require('assert');
const net = require('net');
const pki = require('../support/pki');
const { subject, betterThanNode, forEachPairing } = require('../support/subject');
const { closed, connectPair, dial, echo, event, listen, readAll, serveEcho } = require('../support/net');

const RENEGOTIABLE = { server: { maxVersion: 'TLSv1.2' } };

/** What a client of `clientTls` says of the end when `serverTls` refuses its renegotiation. */
function endOfRefused(serverTls, clientTls) {
  // Our server sends an alert, and our client knows what it means. Node's server just goes.
  const alert = serverTls === subject && clientTls !== subject;
  return alert ? 'ERR_SSL_TLSV1_ALERT_NO_RENEGOTIATION' : undefined;
}

forEachPairing((serverTls, clientTls) => {
  it('writeQueueSize counts until the kernel has the bytes', async () => {
    const { client, socket } = await connectPair(serverTls, clientTls);
    const written = new Promise((resolve) => {
      client.write(Buffer.alloc(16 << 20), resolve);
    });
    assert.ok(client._handle.writeQueueSize > 0);
    socket.resume();
    await written;
    assert.strictEqual(client._handle.writeQueueSize, 0);
  });

  it('handshakes counts what the client began after the first', async () => {
    const { client, socket } = await connectPair(serverTls, clientTls, RENEGOTIABLE);
    socket.pipe(socket);
    for (const count of [1, 2]) {
      const again = event(socket, 'secure');
      await new Promise((resolve, reject) => {
        client.renegotiate({}, (error) => (error ? reject(error) : resolve()));
      });
      await again;
      assert.strictEqual(socket._handle.handshakes, count);
      assert.strictEqual(await echo(client), 'ping');
    }
  });

  it('disableRenegotiation() in a data listener counts for the handshake right behind the data', async () => {
    const { client, socket } = await connectPair(serverTls, clientTls, RENEGOTIABLE);
    socket.on('data', () => socket.disableRenegotiation());
    const failed = new Promise((resolve) => {
      socket.on('error', (error) => {
        resolve(error);
        socket.destroy();
      });
    });
    const end = closed(client);
    client.write('data', () => client.renegotiate({}, assert.fail));
    assert.strictEqual((await failed).code, 'ERR_TLS_RENEGOTIATION_DISABLED');
    assert.strictEqual((await end)?.code, endOfRefused(serverTls, clientTls));
  });

  it('a client that renegotiates too often is hung up on', async () => {
    const { client, socket } = await connectPair(serverTls, clientTls, RENEGOTIABLE);
    const failed = new Promise((resolve) => {
      socket.on('error', (error) => {
        resolve(error);
        socket.destroy();
      });
    });
    socket.resume();
    let rounds = 0;
    const again = (error) => {
      assert.ifError(error);
      client.renegotiate({}, again);
      rounds++;
    };
    const end = closed(client);
    again();
    assert.strictEqual((await failed).code, 'ERR_TLS_SESSION_ATTACK');
    assert.strictEqual((await end)?.code, endOfRefused(serverTls, clientTls));
    assert.strictEqual(rounds, subject.CLIENT_RENEG_LIMIT + 1);
  });

  it('limited records come as chunks of their own', async () => {
    const { client, socket } = await connectPair(serverTls, clientTls);
    const lengths = [];
    client.on('data', ({ length }) => lengths.push(length));
    for (const side of [client, socket]) assert.strictEqual(side.setMaxSendFragment(768), true);
    socket.end(Buffer.alloc(10_000));
    assert.strictEqual((await readAll(client)).length, 10_000);
    assert.deepStrictEqual(lengths, [...Array(13).fill(768), 16]);
  });
});

describe('undocumented:', () => {
  it('a write of a stream that was brought back from destroy() is ECANCELED', async () => {
    const port = await listen(net.createServer((socket) => socket.destroy()));
    const client = dial(subject, port);
    client.on('error', () => client._undestroy());
    const error = await new Promise((resolve) => {
      client.write('hello', resolve);
    });
    assert.deepStrictEqual([error.code, error.syscall], ['ECANCELED', 'write']);
  });

  it('_destroySSL() may come at any time, and again', async function () {
    betterThanNode(this);      // Node 20 crashes
    const { client, socket } = await connectPair(subject, subject);
    socket.on('error', () => {});
    socket._destroySSL();
    socket._destroySSL();
    const end = closed(client);
    socket.destroy();
    socket._destroySSL();
    client.on('error', () => {}).resume();
    await end;
    const { port } = await serveEcho(subject);
    const early = dial(subject, port);
    early._destroySSL();
    early.destroy();
    await closed(early);
  });

  it('_external belongs to contexts alone', () => {
    const { context } = subject.createSecureContext(pki.pair('ec'));
    assert.ok(context._external);
    assert.throws(() => Object.create(context)._external, TypeError);
  });
});
