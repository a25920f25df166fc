'use strict';

// What a 'connection' listener of a TLS server gets: the raw socket, before TLS.

const assert = require('assert');
const net = require('net');
const { promisify } = require('util');
const { subject: tls } = require('../support/subject');
const { closed, dial, dialSecure, event, serve } = require('../support/net');

const connectionsOf = (server) => promisify(server.getConnections).call(server);

describe('the \'connection\' event', () => {
  it('brings a net.Socket that knows its addresses and its server', async () => {
    const { server, port } = await serve(tls);
    const connection = event(server, 'connection');
    const client = await dialSecure(tls, port);
    const [raw] = await connection;
    assert.ok(raw instanceof net.Socket && !(raw instanceof tls.TLSSocket));
    assert.strictEqual(raw.remoteAddress, '127.0.0.1');
    assert.strictEqual(raw.remotePort, client.localPort);
    assert.strictEqual(raw.localPort, port);
    assert.strictEqual(raw.server, server);
  });

  it('a raw socket that is destroyed takes its client with it, and counts no more', async () => {
    const { server, port } = await serve(tls);
    server.once('connection', (raw) => raw.destroy());
    const failure = event(server, 'tlsClientError');
    const error = await closed(dial(tls, port));
    assert.strictEqual(error.code, 'ECONNRESET');
    assert.strictEqual((await failure)[0].code, 'ECONNRESET');
    assert.strictEqual(await connectionsOf(server), 0);
    await dialSecure(tls, port);
  });

  it('raw and TLS socket end together, whichever is destroyed', async () => {
    for (const which of ['raw', 'secure']) {
      const { server, port } = await serve(tls);
      const connection = event(server, 'connection');
      const secureConnection = event(server, 'secureConnection');
      const client = await dialSecure(tls, port);
      const sockets = { raw: (await connection)[0], secure: (await secureConnection)[0] };
      assert.strictEqual(await connectionsOf(server), 1);
      const ends = Promise.all([closed(sockets.raw), closed(sockets.secure), closed(client)]);
      client.resume();
      sockets[which].destroy();
      await ends;
      assert.strictEqual(await connectionsOf(server), 0);
    }
  });

  it('data flows, and a timeout of the raw socket sees it', async () => {
    const { server, port } = await serve(tls, {}, (socket) => socket.pipe(socket));
    const connection = event(server, 'connection');
    const client = await dialSecure(tls, port);
    const [raw] = await connection;
    let timeouts = 0;
    raw.setTimeout(400, () => { timeouts++; });
    const start = Date.now();
    while (Date.now() - start < 800) {
      client.write('x');
      await event(client, 'data');
    }
    assert.strictEqual(timeouts, 0);
    await event(raw, 'timeout');
  });

  it('a listener that goes away again leaves later connections as they were', async () => {
    const { server, port } = await serve(tls);
    let seen = 0;
    const listener = () => { seen++; };
    server.on('connection', listener);
    await dialSecure(tls, port);
    server.off('connection', listener);
    const accepted = event(server, 'secureConnection');
    await dialSecure(tls, port);
    await accepted;
    assert.strictEqual(seen, 1);
  });
});
