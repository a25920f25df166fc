'use strict';

// X25519MLKEM768: X25519 and ML-KEM-768 in one key exchange, where both sides have it.

const assert = require('assert');
const { spawnSync } = require('child_process');
const pki = require('../support/pki');
const { forEachPairing, subject } = require('../support/subject');
const { connectPair, dialSecure, serveEcho } = require('../support/net');
const { start } = require('../support/program');

const NODE = Number(process.versions.node.split('.')[0]);
const HYBRID = 'X25519MLKEM768';
const hybrid = { type: 'TLSGroup', name: HYBRID, size: undefined };
const x25519 = { type: 'ECDH', name: 'X25519', size: 253 };

/** Whether this OpenSSL has the group: 3.5 or later. */
function hasHybrid(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > 3 || (major === 3 && minor >= 5);
}

const stockHasHybrid = hasHybrid(process.versions.openssl);

/** The key exchange as the client sees it; what Node leaves out counts as undefined. */
function keyOf(client) {
  const { type, name, size } = client.getEphemeralKeyInfo();
  return { type, name, size };
}

describe('X25519MLKEM768', () => {
  forEachPairing((serverTls, clientTls) => {
    // Clients of Node 22 negotiate it and have no name for it.
    const shown = clientTls === subject || NODE >= 24 ? hybrid : { type: undefined, name: undefined, size: undefined };
    const both = [serverTls, clientTls].every((tls) => tls === subject || stockHasHybrid);

    async function negotiated(server, client) {
      const pair = await connectPair(serverTls, clientTls, { server, client });
      return keyOf(pair.client);
    }

    it('is what two of the newest OpenSSLs choose by default; with an older one it is X25519', async () => {
      assert.deepStrictEqual(await negotiated({}, {}), both ? shown : x25519);
    });

    it('is not forced on a client that has X25519 alone, nor on a server', async () => {
      assert.deepStrictEqual(await negotiated({}, { ecdhCurve: 'X25519' }), x25519);
      assert.deepStrictEqual(await negotiated({ ecdhCurve: 'X25519' }, {}), x25519);
    });

    it('leaves TLS 1.2 as it is', async () => {
      assert.deepStrictEqual(await negotiated({ maxVersion: 'TLSv1.2' }, {}), x25519);
      assert.deepStrictEqual(await negotiated({}, { maxVersion: 'TLSv1.2' }), x25519);
    });

    it('can be asked for by name', async function() {
      if (!both) this.skip();
      const ecdhCurve = `${HYBRID}:X25519`;
      assert.deepStrictEqual(await negotiated({ ecdhCurve }, { ecdhCurve }), shown);
      assert.deepStrictEqual(await negotiated({ ecdhCurve }, {}), shown);
      assert.deepStrictEqual(await negotiated({}, { ecdhCurve }), shown);
      assert.deepStrictEqual(await negotiated({ ecdhCurve: HYBRID }, { ecdhCurve: HYBRID }), shown);
    });

    it('gives both sides the same keys', async function() {
      if (!both) this.skip();
      const { client, socket } = await connectPair(serverTls, clientTls);
      assert.deepStrictEqual(keyOf(client), shown);
      assert.deepStrictEqual(client.getFinished(), socket.getPeerFinished());
      assert.deepStrictEqual(client.exportKeyingMaterial(32, 'EXPERIMENTAL x'),
        socket.exportKeyingMaterial(32, 'EXPERIMENTAL x'));
    });
  });

  /**
   * As `it`, but skipped where this openssl does not know the group. `.ci/openssl-program` gives the path of one that
   * does.
   */
  const program = process.env.C4TLS_OPENSSL || 'openssl';
  const version = /^OpenSSL (\S+)/.exec(String(spawnSync(program, ['version']).stdout))?.[1];
  const itWithGroup = version !== undefined && hasHybrid(version) ?
    it : (title) => it.skip(`${title} (skipped: no openssl 3.5 or later: C4TLS_OPENSSL=$(.ci/openssl-program))`);

  itWithGroup('openssl s_client negotiates it with our server', async () => {
    const { port } = await serveEcho(subject);
    const client = start(program, ['s_client', '-connect', `127.0.0.1:${port}`, '-groups', HYBRID, '-tls1_3']);
    await client.waitFor(new RegExp(`Negotiated TLS1.3 group: ${HYBRID}`));
    await client.kill();
  });

  itWithGroup('our client negotiates it with openssl s_server', async () => {
    const server = start(program, ['s_server', '-accept', '127.0.0.1:0', '-groups', HYBRID, '-tls1_3',
      '-cert', pki.path('ec.pem'), '-key', pki.path('ec.key')]);
    const [, port] = await server.waitFor(/ACCEPT 127\.0\.0\.1:(\d+)/);
    const client = await dialSecure(subject, Number(port));
    assert.deepStrictEqual(keyOf(client), hybrid);
    client.destroy();      // or it hears of the server's end
    await server.kill();
  });
});
