'use strict';

// Compressed certificates (RFC 8879): offered only when asked for, sent to a peer that takes them, and read by Node.

const assert = require('assert');
const net = require('net');
const { constants } = require('crypto');
const nodeTls = require('tls');
const c4tls = require('../..');
const pki = require('../support/pki');
const { subject: tls, stock } = require('../support/subject');
const { track } = require('../support/cleanup');
const { dial, dialSecure, event, listen, relay, serve } = require('../support/net');

const ALL = ['zlib', 'brotli', 'zstd'];
const NUMBERS = { zlib: 1, brotli: 2, zstd: 3 };
const EXTENSION = 27;
const available = tls.getCertificateCompressionAlgorithms?.() ?? [];
const nodeHas = nodeTls.getCertificateCompressionAlgorithms?.() ?? [];

/** A long certificate that says much the same again and again. */
const long = c4tls.generateCertificate({
  names: ['localhost', ...Array.from({ length: 99 }, (_, i) => `host-${i}.c4tls.test`)],
});

/** The extensions of the ClientHello that `options` make: Map of number to Buffer. */
async function extensionsOf(options) {
  const server = net.createServer();
  const port = await listen(server);
  const accepted = event(server, 'connection');
  dial(tls, port, options).on('error', () => {});
  const [socket] = await accepted;
  const [hello] = await event(track(socket), 'data');
  let at = 5 + 4 + 2 + 32;                       // record, message, version, random
  at += 1 + hello[at];                           // session id
  at += 2 + hello.readUInt16BE(at);              // suites
  at += 1 + hello[at];                           // compression of records
  const found = new Map();
  for (at += 2; at + 4 <= hello.length;) {
    const length = hello.readUInt16BE(at + 2);
    found.set(hello.readUInt16BE(at), hello.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return found;
}

/** Bytes that go each way until a handshake is done: {toClient, toServer}. */
async function cost(serverTls, clientTls, serverOptions, clientOptions) {
  // A ticket with the client's certificate in it would come some time after.
  const { server, port } = await serve(serverTls, {
    ...long, secureOptions: constants.SSL_OP_NO_TICKET, ...serverOptions,
  });
  const between = await relay(port);
  const accepted = event(server, 'secureConnection');
  await dialSecure(clientTls, between.port, { ca: long.cert, ...clientOptions });
  const [socket] = await accepted;
  assert.strictEqual(socket.authorized, !!serverOptions.requestCert);
  return { toClient: between.far().bytesRead, toServer: between.near().bytesRead };
}

describe('certificate compression', () => {
  before(function() {
    if (stock && !tls.getCertificateCompressionAlgorithms) this.skip();
  });

  it('lists what it can do, in a new array each time', () => {
    assert.deepStrictEqual(available, ALL.filter((name) => available.includes(name)));
    available.push('x');
    assert.ok(!tls.getCertificateCompressionAlgorithms().includes('x'));
    available.pop();
  });

  it('is not offered unless asked for', async () => {
    assert.strictEqual((await extensionsOf({})).has(EXTENSION), false);
    assert.strictEqual((await extensionsOf({ certificateCompression: [] })).has(EXTENSION), false);
  });

  it('is offered in the order asked for', async function() {
    if (available.length === 0) this.skip();
    const wanted = [...available].reverse();
    const offered = (await extensionsOf({ certificateCompression: wanted })).get(EXTENSION);
    assert.deepStrictEqual([...offered], [2 * wanted.length, ...wanted.flatMap((name) => [0, NUMBERS[name]])]);
  });

  for (const [title, value, code] of [
    ['no array', 'zlib', 'ERR_INVALID_ARG_TYPE'],
    ['an object', {}, 'ERR_INVALID_ARG_TYPE'],
    ['an unknown name', ['gzip'], 'ERR_INVALID_ARG_VALUE'],
    ['no name', [1], 'ERR_INVALID_ARG_VALUE'],
    ['four of them', ['zlib', 'zlib', 'zlib', 'zlib'], 'ERR_INVALID_ARG_VALUE'],
    ['one twice', ['zlib', 'zlib'], 'ERR_CRYPTO_OPERATION_FAILED'],
  ]) {
    it(`refuses ${title}, as the newest Node does`, () => {
      for (const make of [tls.createSecureContext, tls.createServer]) {
        assert.throws(() => make({ certificateCompression: value }), { code });
      }
    });
  }

  it('refuses what OpenSSL was built without', () => {
    for (const name of ALL.filter((one) => !available.includes(one))) {
      assert.throws(() => tls.createSecureContext({ certificateCompression: [name] }),
        { code: 'ERR_CRYPTO_OPERATION_FAILED' });
    }
  });

  it('is kept by a server', () => {
    assert.deepStrictEqual(tls.createServer({ certificateCompression: [] }).certificateCompression, []);
  });

  for (const name of ALL) {
    const pairings = stock ? [['tls', tls, 'tls', tls]] : [
      ['c4tls', tls, 'c4tls', tls], ['c4tls', tls, 'tls', nodeTls], ['tls', nodeTls, 'c4tls', tls],
    ];
    for (const [serverName, serverTls, clientName, clientTls] of pairings) {
      it(`${name} shortens the server's and the client's: ${serverName} server, ${clientName} client`, async function() {
        const nodeTakesPart = serverTls === nodeTls || clientTls === nodeTls;
        if (!available.includes(name) || (nodeTakesPart && !nodeHas.includes(name))) this.skip();
        const server = { requestCert: true, ca: long.cert };
        const plain = await cost(serverTls, clientTls, server, long);
        const certificateCompression = [name];
        const shorter = await cost(serverTls, clientTls, { ...server, certificateCompression },
          { ...long, certificateCompression });
        assert.ok(shorter.toClient < plain.toClient - 1000, `${shorter.toClient} of ${plain.toClient} bytes`);
        assert.ok(shorter.toServer < plain.toServer - 1000, `${shorter.toServer} of ${plain.toServer} bytes`);
      });
    }
  }

  for (const [title, choose] of [
    ['addContext()', (context) => ({ context })],
    ['an SNICallback', (context) => ({ options: { SNICallback: (name, done) => done(null, context) } })],
  ]) {
    it(`shortens a certificate that ${title} chose, by the context's own option`, async function() {
      if (available.length === 0) this.skip();
      const sizes = [];
      for (const certificateCompression of [[], available]) {
        const other = tls.createSecureContext({ ...long, certificateCompression });
        const { options, context } = choose(other);
        const { server, port } = await serve(tls, { ...pki.pair('ec'), certificateCompression: available, ...options });
        if (context) server.addContext('host-7.c4tls.test', context);
        const between = await relay(port);
        const client = await dialSecure(tls, between.port, {
          ca: long.cert, servername: 'host-7.c4tls.test', certificateCompression: available.slice(-1),
        });
        assert.strictEqual(client.getPeerCertificate().subjectaltname.split(',').length, 100);
        sizes.push(between.far().bytesRead);
      }
      assert.ok(sizes[1] < sizes[0] - 1000, `${sizes[1]} of ${sizes[0]} bytes`);
    });
  }

  it('does nothing for a peer that does not know it, or knows another', async function() {
    if (available.length < 2) this.skip();
    const plain = await cost(tls, tls, {}, {});
    for (const client of [{}, { certificateCompression: [available[1]] }]) {
      const { toClient } = await cost(tls, tls, { certificateCompression: [available[0]] }, client);
      assert.ok(Math.abs(toClient - plain.toClient) < 200, `${toClient} of ${plain.toClient} bytes`);
    }
  });

  it('needs TLS 1.3, as in Node', () => {
    assert.throws(() => tls.createSecureContext({ maxVersion: 'TLSv1.2', certificateCompression: ['zlib'] }),
      { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
    tls.createSecureContext({ maxVersion: 'TLSv1.2', certificateCompression: [] });
  });

  it('does not stand in the way of TLS 1.2 and of a resumed session', async function() {
    if (available.length === 0) this.skip();
    const options = { certificateCompression: available, secureOptions: constants.SSL_OP_NO_TLSv1_3 };
    const { port } = await serve(tls, options);
    const client = await dialSecure(tls, port, options);
    assert.strictEqual(client.getProtocol(), 'TLSv1.2');
    const session = client.getSession();
    client.end();
    const again = await dialSecure(tls, port, { ...options, session, rejectUnauthorized: false });
    assert.strictEqual(again.isSessionReused(), true);
  });
});
