'use strict';

// Where Node binds a client's session to the server that it was made with, so do we, in the same form.

const assert = require('assert');
const nodeTls = require('tls');
const { subject, forEachPairing } = require('../support/subject');
const { dial, dialSecure, echo, event, serveEcho } = require('../support/net');

const PREFIX = '\0nodejs:tls:session:1\0';

/** The last session of a connection to `port`: { emitted, got } by event and by method. */
async function take(tls, port, options) {
  const client = dial(tls, port, options);
  const session = event(client, 'session');
  await event(client, 'secureConnect');
  await echo(client);
  const [emitted] = await session;
  const got = client.getSession();
  client.destroy();
  return { emitted, got };
}

const bound = (session) => session.subarray(0, PREFIX.length).equals(Buffer.from(PREFIX));

describe('sessions and names', () => {
  let node;          // whether this Node binds
  let port;

  before(async () => {
    ({ port } = await serveEcho(nodeTls));
    node = bound((await take(nodeTls, port)).emitted);
  });

  forEachPairing((serverTls, clientTls) => {
    it('are bound as by the running Node', async () => {
      const { port: at } = await serveEcho(serverTls);
      const { emitted, got } = await take(clientTls, at, { servername: 'localhost' });
      assert.deepStrictEqual([bound(emitted), bound(got)], [node, node]);
      if (!node) return;
      const name = PREFIX.length;
      assert.strictEqual(emitted.readUInt16BE(name), 'localhost'.length);
      assert.strictEqual(emitted.toString('latin1', name + 2, name + 11), 'localhost');
    });

    it('resume under their name, and under no other', async () => {
      const { port: at } = await serveEcho(serverTls);
      const { emitted: session } = await take(clientTls, at, { servername: 'localhost' });
      const reused = async (options) => {
        const client = await dialSecure(clientTls, at, { session, ...options });
        return client.isSessionReused();
      };
      assert.strictEqual(await reused({ servername: 'localhost' }), true);
      assert.strictEqual(await reused({ servername: 'c4tls.test' }), !node);
      const elsewhere = nodeTls === clientTls ? subject : nodeTls;
      const crossed = await dialSecure(elsewhere, at, { session, servername: 'localhost' });
      assert.strictEqual(crossed.isSessionReused(), true);
    });

    it('without a name serve clients that verify nobody', async function() {
      if (!node) this.skip();
      const { port: at } = await serveEcho(serverTls);
      const { emitted } = await take(clientTls, at, { servername: 'localhost' });
      const session = emitted.subarray(PREFIX.length + 2 + 'localhost'.length);
      for (const given of [session, session.toString('latin1')]) {
        for (const rejectUnauthorized of [true, false]) {
          const client = await dialSecure(clientTls, at, { session: given, rejectUnauthorized });
          assert.strictEqual(client.isSessionReused(), !rejectUnauthorized);
        }
      }
    });
  });
});
