'use strict';

// Resumption: tickets and their keys, session ids kept by the application, the 'session' event.

const assert = require('assert');
const crypto = require('crypto');
const { subject, forEachPairing } = require('../support/subject');
const { dial, dialSecure, echo, event, serve, serveEcho } = require('../support/net');

const VERSIONS = ['TLSv1.2', 'TLSv1.3'];

/** Connects, takes the (last) session that the server gives, and disconnects. */
async function takeSession(tls, port, options) {
  const client = dial(tls, port, options);
  const session = event(client, 'session');
  await event(client, 'secureConnect');
  assert.strictEqual(client.isSessionReused(), false);
  // Bytes there and back: in TLS 1.3 the tickets come before them.
  assert.strictEqual(await echo(client), 'ping');
  const [value] = await session;
  client.destroy();
  return value;
}

forEachPairing((serverTls, clientTls) => {
  for (const maxVersion of VERSIONS) {
    it(`${maxVersion}: a session is resumed on both sides`, async () => {
      const { server, port } = await serveEcho(serverTls, { maxVersion });
      const session = await takeSession(clientTls, port);
      assert.ok(Buffer.isBuffer(session));
      const accepted = event(server, 'secureConnection');
      const client = await dialSecure(clientTls, port, { session });
      const [socket] = await accepted;
      assert.strictEqual(client.isSessionReused(), true);
      assert.strictEqual(socket.isSessionReused(), true);
      assert.strictEqual(client.authorized, true);
      assert.strictEqual(await echo(client), 'ping');
    });

    it(`${maxVersion}: two servers with the same ticket keys know each other's tickets`, async () => {
      const ticketKeys = crypto.randomBytes(48);
      const first = await serveEcho(serverTls, { maxVersion, ticketKeys });
      const second = await serveEcho(serverTls, { maxVersion });
      second.server.setTicketKeys(ticketKeys);
      assert.deepStrictEqual(first.server.getTicketKeys(), ticketKeys);
      assert.deepStrictEqual(second.server.getTicketKeys(), ticketKeys);
      const session = await takeSession(clientTls, first.port);
      assert.strictEqual((await dialSecure(clientTls, second.port, { session })).isSessionReused(), true);
      // And with new keys no more.
      second.server.setTicketKeys(crypto.randomBytes(48));
      const stranger = await dialSecure(clientTls, second.port, { session });
      assert.strictEqual(stranger.isSessionReused(), false);
      assert.strictEqual(await echo(stranger), 'ping');
    });
  }

  it('TLSv1.2: the application may keep sessions by id', async () => {
    const { SSL_OP_NO_TICKET } = require('crypto').constants;
    const { server, port } = await serveEcho(serverTls, { maxVersion: 'TLSv1.2', secureOptions: SSL_OP_NO_TICKET });
    const store = new Map();
    server.on('newSession', (id, data, callback) => {
      assert.ok(Buffer.isBuffer(id) && id.length > 0);
      assert.ok(Buffer.isBuffer(data) && data.length > 0);
      setImmediate(() => {
        store.set(id.toString('hex'), data);
        callback();
      });
    });
    const asked = [];
    server.on('resumeSession', (id, callback) => {
      asked.push(id.toString('hex'));
      setImmediate(callback, null, store.get(id.toString('hex')) ?? null);
    });
    const session = await takeSession(clientTls, port);
    assert.strictEqual(store.size, 1);
    const again = await dialSecure(clientTls, port, { session });
    assert.strictEqual(again.isSessionReused(), true);
    // (The very first hello carried an id as well, a random one.)
    assert.deepStrictEqual(asked.slice(-1), [...store.keys()]);
    store.clear();
    assert.strictEqual((await dialSecure(clientTls, port, { session })).isSessionReused(), false);
  });

  it('getSession and getTLSTicket are there when the handshake is done (TLS 1.2)', async () => {
    const { port } = await serveEcho(serverTls, { maxVersion: 'TLSv1.2' });
    const client = await dialSecure(clientTls, port);
    assert.ok(Buffer.isBuffer(client.getSession()));
    assert.ok(Buffer.isBuffer(client.getTLSTicket()));
    const next = await dialSecure(clientTls, port, { session: client.getSession() });
    assert.strictEqual(next.isSessionReused(), true);
  });

  it('a session of another server is not accepted, and the handshake is a full one', async () => {
    const first = await serveEcho(serverTls);
    const second = await serveEcho(serverTls);
    const session = await takeSession(clientTls, first.port);
    const client = await dialSecure(clientTls, second.port, { session });
    assert.strictEqual(client.isSessionReused(), false);
    assert.strictEqual(await echo(client), 'ping');
  });
});

describe('ticket keys', () => {
  it('must be a Buffer of 48 bytes', async () => {
    const { server } = await serve(subject);
    assert.throws(() => server.setTicketKeys('x'.repeat(48)), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => server.setTicketKeys(Buffer.alloc(47)), /48-byte/);
    assert.throws(() => subject.createServer({ ticketKeys: 'x' }), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => subject.createServer({ ticketKeys: Buffer.alloc(47) }), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.strictEqual(server.getTicketKeys().length, 48);
  });
});

describe('session options', () => {
  it('sessionTimeout and sessionIdContext are checked', () => {
    assert.throws(() => subject.createServer({ sessionTimeout: 'abcd' }), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => subject.createServer({ sessionTimeout: -1 }), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => subject.createServer({ sessionIdContext: 1 }), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => subject.createServer({ sessionIdContext: 'x'.repeat(33) }));
  });

  it('a session does not outlive sessionTimeout', async () => {
    const { port } = await serveEcho(subject, { sessionTimeout: 1, maxVersion: 'TLSv1.2' });
    const session = await takeSession(require('tls'), port);
    // OpenSSL counts whole seconds.
    await new Promise((resolve) => {
      setTimeout(resolve, 2100);
    });
    assert.strictEqual((await dialSecure(require('tls'), port, { session })).isSessionReused(), false);
  });
});
