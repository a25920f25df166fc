'use strict';

// Keys of single session tickets from the program: context.enableTicketKeyCallback(), which Node does not document.

const assert = require('assert');
const crypto = require('crypto');
const { once } = require('events');
const { subject, betterThanNode, forEachPairing } = require('../support/subject');
const { dial, dialSecure, echo, event, serveEcho } = require('../support/net');

const VERSIONS = ['TLSv1.2', 'TLSv1.3'];
const NAME = Buffer.alloc(16, 'N');

/** Keys under a name, and what was asked of them: 'open' or 'make' a ticket. */
class Keys {
  constructor(ret = 1, name = NAME) {
    Object.assign(this, { ret, name, asked: [], ivs: new Set() });
    this.aes = crypto.randomBytes(16);
    this.hmac = crypto.randomBytes(32);
    this.callback = (...args) => this.answer(...args);
  }

  answer(name, iv, enc) {
    this.asked.push(enc ? 'make' : 'open');
    assert.ok(name.length === 16 && iv.length === 16);
    if (enc) {
      const fresh = crypto.randomBytes(16);
      this.ivs.add(fresh.toString('hex'));
      return [1, this.hmac, this.aes, this.name, fresh];
    }
    if (!name.equals(this.name)) return [0, this.hmac, this.aes];
    assert.ok(this.ivs.has(iv.toString('hex')), 'the vector is that of the ticket');
    return [this.ret, this.hmac, this.aes];
  }
}

function install(server, callback) {
  const { context } = server._sharedCreds;
  context.enableTicketKeyCallback();
  context.onticketkeycallback = callback;
}

async function serveWith(serverTls, keys, options) {
  const served = await serveEcho(serverTls, options);
  install(served.server, keys.callback);
  return served;
}

/** Connects, and gives { reused, sessions, last } once bytes went both ways: the tickets come before them. */
async function visit(clientTls, port, options) {
  const client = dial(clientTls, port, options);
  const sessions = [];
  client.on('session', (session) => sessions.push(session));
  await event(client, 'secureConnect');
  assert.strictEqual(await echo(client), 'ping');
  const reused = client.isSessionReused();
  const last = client.getSession();           // below TLS 1.3 a renewed one comes without an event
  client.destroy();
  return { reused, sessions, last };
}

forEachPairing((serverTls, clientTls) => {
  for (const maxVersion of VERSIONS) {
    const make = maxVersion === 'TLSv1.3' ? ['make', 'make'] : ['make'];

    it(`${maxVersion}: tickets are made and opened with the program's keys`, async () => {
      const keys = new Keys();
      const { port } = await serveWith(serverTls, keys, { maxVersion });
      const first = await visit(clientTls, port);
      assert.deepStrictEqual([first.reused, first.sessions.length, keys.asked], [false, make.length, make]);
      keys.asked = [];
      const again = await visit(clientTls, port, { session: first.sessions[0] });
      assert.deepStrictEqual([again.reused, again.sessions, keys.asked[0]], [true, [], 'open']);
    });

    it(`${maxVersion}: 2 renews the ticket`, async () => {
      const keys = new Keys(2);
      const { port } = await serveWith(serverTls, keys, { maxVersion });
      const { sessions: [session] } = await visit(clientTls, port);
      keys.asked = [];
      const again = await visit(clientTls, port, { session });
      assert.deepStrictEqual([again.reused, keys.asked], [true, ['open', 'make']]);
      assert.notDeepStrictEqual(again.last, session);
      assert.strictEqual(keys.ivs.size, make.length + 1);
      keys.ivs = new Set([...keys.ivs].slice(-1));            // the old ticket's vector is forgotten
      assert.strictEqual((await visit(clientTls, port, { session: again.last })).reused, true);
    });

    it(`${maxVersion}: 0, for a name that the program does not know, makes a full handshake`, async () => {
      const keys = new Keys();
      const { port } = await serveWith(serverTls, keys, { maxVersion });
      const { sessions: [session] } = await visit(clientTls, port);
      keys.asked = [];
      keys.name = Buffer.alloc(16, 'other');
      const again = await visit(clientTls, port, { session });
      assert.deepStrictEqual([again.reused, keys.asked], [false, ['open', ...make]]);
      assert.strictEqual((await visit(clientTls, port, { session: again.sessions[0] })).reused, true);
    });

    it(`${maxVersion}: a ticket under another key of that name is not used`, async () => {
      const keys = new Keys();
      const { port } = await serveWith(serverTls, keys, { maxVersion });
      const { sessions: [session] } = await visit(clientTls, port);
      keys.hmac = crypto.randomBytes(32);
      const again = await visit(clientTls, port, { session });
      assert.strictEqual(again.reused, false);
      assert.strictEqual((await visit(clientTls, port, { session: again.sessions[0] })).reused, true);
    });

    // In Node what such a callback throws ends the process.
    const itOfOurs = serverTls === subject ? it : it.skip;
    itOfOurs(`${maxVersion}: a callback that throws, or answers wrongly, ends that handshake alone`, async function() {
      betterThanNode(this);
      const { server, port } = await serveEcho(serverTls, { maxVersion });
      const [key, name] = [Buffer.alloc(16), Buffer.alloc(16)];
      for (const callback of [
        () => { throw new Error('no key'); },
        () => undefined,
        () => [-1, key, key, name, name],
        () => ['1', key, key, name, name],
        () => [1, key, Buffer.alloc(15), name, name],
        () => [1, key, key, Buffer.alloc(17), name],
        () => [1, key, key, name, Buffer.alloc(0)],
      ]) {
        install(server, callback);
        const refused = event(server, 'tlsClientError');
        const client = dial(clientTls, port);
        const over = once(client, 'error');
        const [error] = await refused;
        assert.strictEqual(error.code, 'ERR_SSL_CALLBACK_FAILED');
        assert.ok(error.cause instanceof Error);
        assert.match((await over)[0].code, /^ERR_SSL_.*ALERT_INTERNAL_ERROR$/);
      }
      const keys = new Keys();
      install(server, keys.callback);
      assert.strictEqual((await visit(clientTls, port)).sessions.length, make.length);
    });
  }
});

describe('keys of single tickets', () => {
  for (const maxVersion of VERSIONS) {
    it(`${maxVersion}: 0 for a new ticket makes none`, async () => {
      const { server, port } = await serveEcho(subject, { maxVersion });
      install(server, () => [0, Buffer.alloc(16), Buffer.alloc(16), NAME, NAME]);
      const { reused, sessions } = await visit(subject, port);
      assert.strictEqual(reused, false);
      if (maxVersion === 'TLSv1.3') assert.deepStrictEqual(sessions, []);
    });
  }

  it('are asked for beside the other questions of a handshake', async () => {
    const keys = new Keys();
    const { port } = await serveWith(subject, keys, {
      ALPNCallback: ({ protocols }) => protocols[0],
      SNICallback: (name, done) => setImmediate(done, null, undefined),
    });
    const options = { ALPNProtocols: ['x'], servername: 'localhost' };
    const { sessions: [session] } = await visit(subject, port, options);
    assert.strictEqual((await visit(subject, port, { ...options, session })).reused, true);
  });

  it('are not asked for where there are no tickets', async () => {
    const keys = new Keys();
    const { port } = await serveWith(subject, keys, {
      maxVersion: 'TLSv1.2', secureOptions: crypto.constants.SSL_OP_NO_TICKET,
    });
    assert.strictEqual((await visit(subject, port)).reused, false);
    assert.deepStrictEqual(keys.asked, []);
  });

  it('a renegotiation goes on with those of its connection', async () => {
    const keys = new Keys();
    const { port } = await serveWith(subject, keys, { maxVersion: 'TLSv1.2' });
    const client = await dialSecure(subject, port);
    const again = event(client, 'secure');
    client.renegotiate({}, assert.ifError);
    await again;
    assert.strictEqual(await echo(client), 'ping');
    assert.deepStrictEqual(keys.asked, ['make']);
  });
});
