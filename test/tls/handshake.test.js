'use strict';

// What a handshake settles: version, cipher, name, protocol, certificates of both sides; every pairing with Node's tls.

const assert = require('assert');
const crypto = require('crypto');
const pki = require('../support/pki');
const { subject, forEachPairing, betterThanNode } = require('../support/subject');
const {
  closed, codeOf, connectPair, dial, dialSecure, dialTcp, echo, event, serve, serveEcho,
} = require('../support/net');

const VERSIONS = ['TLSv1.2', 'TLSv1.3'];

/** Options that allow exactly one version. */
function only(version) {
  return { minVersion: version, maxVersion: version };
}

forEachPairing((serverTls, clientTls) => {
  for (const version of VERSIONS) {
    it(`${version}: both sides agree on version and cipher`, async () => {
      const { client, socket } = await connectPair(serverTls, clientTls, { server: only(version) });
      assert.strictEqual(client.getProtocol(), version);
      assert.strictEqual(socket.getProtocol(), version);
      assert.deepStrictEqual(client.getCipher(), socket.getCipher());
      assert.strictEqual(client.getCipher().version, version === 'TLSv1.3' ? 'TLSv1.3' : 'TLSv1.2');
      assert.ok(client.getCipher().standardName.startsWith('TLS_'));
      assert.deepStrictEqual(client.getFinished(), socket.getPeerFinished());
      assert.deepStrictEqual(client.getPeerFinished(), socket.getFinished());
    });

    it(`${version}: RSA and P-256 certificates`, async () => {
      for (const name of ['rsa', 'ec']) {
        const server = { ...pki.pair(name), ...only(version) };
        const { client, socket } = await connectPair(serverTls, clientTls, { server });
        const cert = client.getPeerCertificate();
        assert.strictEqual(cert.subject.CN, 'localhost');
        assert.deepStrictEqual(cert.raw, new crypto.X509Certificate(pki.read(`${name}.pem`)).raw);
        assert.deepStrictEqual(socket.getCertificate().raw, cert.raw);
        assert.strictEqual(client.getPeerCertificate(true).issuerCertificate.subject.CN, 'c4tls test CA');
        assert.strictEqual(client.authorized, true);
        assert.strictEqual(client.authorizationError, null);
        // Last, because Node 20's own getPeerCertificate() knows nothing any more after it.
        assert.strictEqual(client.getPeerX509Certificate().subject, 'CN=localhost');
      }
    });

    it(`${version}: a chain with an intermediate`, async () => {
      const server = { key: pki.read('deep.key'), cert: pki.read('chain.pem'), ...only(version) };
      const { client } = await connectPair(serverTls, clientTls, { server });
      const detail = client.getPeerCertificate(true);
      assert.strictEqual(detail.issuerCertificate.subject.CN, 'c4tls intermediate CA');
      assert.strictEqual(detail.issuerCertificate.issuerCertificate.subject.CN, 'c4tls test CA');
    });

    it(`${version}: a client certificate is asked for, checked and shown`, async () => {
      const { client, socket } = await connectPair(serverTls, clientTls, {
        server: { requestCert: true, ca: pki.ca, ...only(version) },
        client: pki.pair('client'),
      });
      assert.strictEqual(socket.authorized, true);
      assert.strictEqual(socket.authorizationError, null);
      assert.strictEqual(socket.getPeerCertificate().subject.CN, 'good client');
      assert.strictEqual(client.getCertificate().subject.CN, 'good client');
    });

    it(`${version}: a certificate within a client's certificate is not the client's`, async () => {
      pki.selfSigned('nested', 'outer', `\n${pki.read('client.pem')}\n`);
      const { socket } = await connectPair(serverTls, clientTls, {
        server: { requestCert: true, rejectUnauthorized: false, ...only(version) }, client: pki.pair('nested'),
      });
      const { raw } = new crypto.X509Certificate(pki.read('nested.pem'));
      assert.strictEqual(socket.getPeerCertificate().subject.CN, 'outer');
      assert.deepStrictEqual(socket.getPeerCertificate(true).raw, raw);
      assert.deepStrictEqual(socket.getPeerX509Certificate().raw, raw);
    });

    for (const [name, code] of [
      ['client-untrusted', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
      ['client-expired', 'CERT_HAS_EXPIRED'],
      ['client-wrong-usage', 'INVALID_PURPOSE'],
      ['client-revoked', 'CERT_REVOKED'],
      [undefined, 'UNABLE_TO_GET_ISSUER_CERT'],
    ]) {
      const who = name ?? 'no certificate';
      it(`${version}: rejectUnauthorized false lets ${who} in, unauthorized`, async () => {
        const server = {
          requestCert: true, rejectUnauthorized: false, ca: pki.ca, crl: pki.read('crl.pem'), ...only(version),
        };
        const own = name ? pki.pair(name) : {};
        const { socket, client } = await connectPair(serverTls, clientTls, { server, client: own });
        assert.strictEqual(socket.authorized, false);
        assert.strictEqual(String(socket.authorizationError), code);
        socket.pipe(socket);
        assert.strictEqual(await echo(client), 'ping');
      });
    }

    it(`${version}: the session and the exporter give both sides the same secret`, async () => {
      const { client, socket } = await connectPair(serverTls, clientTls, { server: only(version) });
      const context = Buffer.from('context');
      const secret = client.exportKeyingMaterial(64, 'EXPERIMENTAL c4tls', context);
      assert.strictEqual(secret.length, 64);
      assert.deepStrictEqual(socket.exportKeyingMaterial(64, 'EXPERIMENTAL c4tls', context), secret);
      assert.notDeepStrictEqual(socket.exportKeyingMaterial(64, 'EXPERIMENTAL other', context), secret);
    });

    it(`${version}: both sides log keys in NSS form, the same ones`, async () => {
      const { server, port } = await serve(serverTls, only(version));
      const lines = { server: [], client: [] };
      server.on('keylog', (line, socket) => {
        assert.ok(socket instanceof serverTls.TLSSocket);
        lines.server.push(String(line));
      });
      const accepted = event(server, 'secureConnection');
      const client = dial(clientTls, port);
      client.on('keylog', (line) => lines.client.push(String(line)));
      await event(client, 'secureConnect');
      await accepted;
      const label = version === 'TLSv1.2' ? /^CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}\n$/ :
        /^(SERVER|CLIENT)_(HANDSHAKE_TRAFFIC_SECRET|TRAFFIC_SECRET_0) |^EXPORTER_SECRET /;
      assert.ok(lines.client.length >= (version === 'TLSv1.2' ? 1 : 5));
      for (const line of lines.client) assert.match(line, label);
      assert.deepStrictEqual([...lines.server].sort(), [...lines.client].sort());
    });
  }

  it('the client\'s order of events is connect, secureConnect, then data', async () => {
    const { port } = await serve(serverTls, {}, (socket) => socket.end('hello'));
    const seen = [];
    const client = dial(clientTls, port);
    for (const name of ['connect', 'ready', 'secure', 'secureConnect', 'data', 'end', 'close']) {
      client.on(name, () => seen.push(name));
    }
    await closed(client);
    assert.deepStrictEqual(seen.filter((name) => name !== 'ready' && name !== 'secure'),
      ['connect', 'secureConnect', 'data', 'end', 'close']);
  });

  it('an ephemeral key is described', async () => {
    const curve = { ecdhCurve: 'P-384' };
    const { client, socket } = await connectPair(serverTls, clientTls, { server: curve, client: curve });
    assert.deepStrictEqual(client.getEphemeralKeyInfo(), { type: 'ECDH', name: 'secp384r1', size: 384 });
    assert.strictEqual(socket.getEphemeralKeyInfo(), null);
  });

  for (const version of VERSIONS) {
    it(`${version}: X25519 gives both sides the same keys`, async () => {
      // RSA, because before TLS 1.3 the group list also limits the curve of an EC certificate.
      const options = { ecdhCurve: 'X25519', ...only(version) };
      const server = { ...pki.pair('rsa'), ...options };
      const { client, socket } = await connectPair(serverTls, clientTls, { server, client: options });
      assert.deepStrictEqual(client.getEphemeralKeyInfo(), { type: 'ECDH', name: 'X25519', size: 253 });
      assert.deepStrictEqual(client.getFinished(), socket.getPeerFinished());
    });
  }

  it('shared signature algorithms are listed', async () => {
    const { socket } = await connectPair(serverTls, clientTls, { client: { sigalgs: 'ECDSA+SHA256:RSA-PSS+SHA256' } });
    assert.deepStrictEqual(socket.getSharedSigalgs(), ['ECDSA+SHA256', 'RSA-PSS+SHA256']);
  });

  it('honorCipherOrder decides whose wish counts', async () => {
    const ciphers = ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384'];
    const client = { ciphers: ciphers.join(':'), maxVersion: 'TLSv1.2' };
    for (const [honorCipherOrder, expected] of [[true, ciphers[1]], [false, ciphers[0]]]) {
      const server = { ciphers: [...ciphers].reverse().join(':'), honorCipherOrder };
      const pair = await connectPair(serverTls, clientTls, { server, client });
      assert.strictEqual(pair.client.getCipher().name, expected);
    }
  });

  describe('SNI', () => {
    it('addContext chooses by name, wildcards and the last one added included', async () => {
      const { server, port } = await serve(serverTls);
      server.addContext('alpha.test', pki.pair('beta'));
      server.addContext('alpha.test', pki.pair('alpha'));
      server.addContext('*.beta.test', serverTls.createSecureContext(pki.pair('beta')));
      const subjectOf = async (servername) => {
        const accepted = event(server, 'secureConnection');
        const client = await dialSecure(clientTls, port, { servername, checkServerIdentity() {} });
        const [socket] = await accepted;
        assert.strictEqual(socket.servername, servername);
        return client.getPeerCertificate().subject.CN;
      };
      assert.strictEqual(await subjectOf('alpha.test'), 'alpha.test');
      assert.strictEqual(await subjectOf('www.beta.test'), 'beta.test');
      assert.strictEqual(await subjectOf('a.b.beta.test'), 'localhost', 'a star stands for one label');
      assert.strictEqual(await subjectOf('other.test'), 'localhost', 'the default for unknown names');
    });

    it('SNICallback may answer later, with a context or none', async () => {
      const asked = [];
      const { port } = await serve(serverTls, {
        SNICallback(servername, callback) {
          asked.push(servername);
          setImmediate(() => {
            if (servername === 'alpha.test') callback(null, serverTls.createSecureContext(pki.pair('alpha')));
            else callback(null, null);
          });
        },
      });
      const alpha = await dialSecure(clientTls, port, { servername: 'alpha.test' });
      assert.strictEqual(alpha.getPeerCertificate().subject.CN, 'alpha.test');
      const other = await dialSecure(clientTls, port, { servername: 'localhost' });
      assert.strictEqual(other.getPeerCertificate().subject.CN, 'localhost');
      assert.deepStrictEqual(asked, ['alpha.test', 'localhost']);
    });

    it('an SNICallback that fails ends that connection with tlsClientError', async () => {
      const { server, port } = await serve(serverTls, {
        SNICallback: (servername, callback) => callback(new Error('no such tenant')),
      });
      const failed = event(server, 'tlsClientError');
      const client = dial(clientTls, port);
      assert.ok((await closed(client)) instanceof Error);
      assert.strictEqual((await failed)[0].message, 'no such tenant');
    });

    it('many parked questions do not block each other', async function () {
      // Node 18's own server asks a second time when many answers come at once.
      if (serverTls !== subject && process.versions.node.startsWith('18.')) this.skip();
      const parked = [];
      const { port } = await serve(serverTls, {
        SNICallback(servername, callback) {
          if (servername === 'beta.test') callback(null, serverTls.createSecureContext(pki.pair('beta')));
          else parked.push(callback);
          if (parked.length === 20 && servername === 'beta.test') {
            for (const answer of parked.splice(0)) answer(null, serverTls.createSecureContext(pki.pair('alpha')));
          }
        },
      });
      const waiting = Array.from({ length: 20 }, () => dialSecure(clientTls, port, { servername: 'alpha.test' }));
      // The one that needs no waiting goes past all of them, again and again until all are parked.
      const answered = Promise.all(waiting);
      const other = async () => {
        await dialSecure(clientTls, port, { servername: 'beta.test' });
      };
      while (await Promise.race([answered, other()]) === undefined);
      for (const client of await answered) {
        assert.strictEqual(client.getPeerCertificate().subject.CN, 'alpha.test');
      }
    });

    it('a name that is an IP address is not sent', async () => {
      const { server, port } = await serve(serverTls);
      const accepted = event(server, 'secureConnection');
      await dialSecure(clientTls, port, { host: '127.0.0.1', servername: undefined });
      assert.strictEqual((await accepted)[0].servername, false);
    });
  });

  describe('ALPN', () => {
    it('the server\'s preference wins', async () => {
      const { client, socket } = await connectPair(serverTls, clientTls, {
        server: { ALPNProtocols: ['h2', 'http/1.1'] },
        client: { ALPNProtocols: ['http/1.1', 'h2'] },
      });
      assert.strictEqual(client.alpnProtocol, 'h2');
      assert.strictEqual(socket.alpnProtocol, 'h2');
    });

    it('is false when the client offers none', async () => {
      const { client, socket } = await connectPair(serverTls, clientTls, { server: { ALPNProtocols: ['h2'] } });
      assert.strictEqual(client.alpnProtocol, false);
      assert.strictEqual(socket.alpnProtocol, false);
    });

    it('nothing in common ends the handshake with no_application_protocol', async function () {
      // A server of Node 18 goes on without a protocol.
      if (serverTls === require('tls') && process.version.startsWith('v18.')) this.skip();
      const { server, port } = await serve(serverTls, { ALPNProtocols: ['h2'] });
      const failed = event(server, 'tlsClientError');
      const error = await closed(dial(clientTls, port, { ALPNProtocols: ['spdy/1'] }));
      assert.strictEqual(error.code, 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
      assert.strictEqual((await failed)[0].code, 'ERR_SSL_NO_APPLICATION_PROTOCOL');
    });

    it('ALPNCallback decides per connection, by the name too', async () => {
      const server = {
        ALPNCallback({ servername, protocols }) {
          assert.deepStrictEqual(protocols, ['a', 'b']);
          return servername === 'localhost' ? 'b' : undefined;
        },
      };
      const { client, port } = await connectPair(serverTls, clientTls, { server, client: { ALPNProtocols: ['a', 'b'] } });
      assert.strictEqual(client.alpnProtocol, 'b');
      const refused = dial(clientTls, port, { ALPNProtocols: ['a', 'b'], servername: 'c4tls.test' });
      assert.strictEqual((await closed(refused)).code, 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
    });
  });

  it('setSecureContext changes the certificate for later connections only', async () => {
    const { server, port } = await serveEcho(serverTls, pki.pair('ec'));
    const before = await dialSecure(clientTls, port);
    server.setSecureContext(pki.pair('rsa'));
    const after = await dialSecure(clientTls, port);
    assert.notDeepStrictEqual(after.getPeerCertificate().raw, before.getPeerCertificate().raw);
    assert.strictEqual(await echo(before), 'ping');
    assert.strictEqual(await echo(after), 'ping');
  });
});

describe('an ALPNCallback', () => {
  // Older versions of Node make an uncaughtException of it (CVE-2026-21637).
  for (const [title, callback, check] of [
    ['that throws', () => { throw new Error('no choice'); }, (error) => assert.strictEqual(error.message, 'no choice')],
    ['that chooses what nobody offered', () => 'c',
      (error) => assert.strictEqual(error.code, 'ERR_TLS_ALPN_CALLBACK_INVALID_RESULT')],
  ]) {
    it(`${title} ends that connection alone`, async () => {
      let asked = 0;
      const { server, port } = await serveEcho(subject, {
        ...pki.pair('ec'),
        ALPNCallback: ({ protocols }) => (asked++ === 0 ? callback() : protocols[0]),
      });
      const failed = event(server, 'tlsClientError');
      const ended = closed(dial(require('tls'), port, { ALPNProtocols: ['a', 'b'] }));
      const [error, socket] = await failed;
      check(error);
      assert.strictEqual(socket.destroyed, true);
      await ended;
      const next = await dialSecure(require('tls'), port, { ALPNProtocols: ['a', 'b'] });
      assert.strictEqual(next.alpnProtocol, 'a');
      assert.strictEqual(await echo(next), 'ping');
    });
  }
});

describe('a refused client', () => {
  /** What the server and a client of Node's tls say of a connection with `client` options. */
  async function refusal(serverOptions, clientOptions) {
    const { server, port } = await serve(subject, serverOptions);
    const failed = event(server, 'tlsClientError');
    const client = dial(require('tls'), port, clientOptions);
    const error = await closed(client);
    const [serverError, socket] = await failed;
    assert.ok(socket instanceof subject.TLSSocket);
    assert.strictEqual(socket.destroyed, true);
    // And the server goes on.
    const good = { ...pki.pair('client') };
    await dialSecure(require('tls'), port, good);
    const refused = serverError.cause;
    if (refused) {
      // To programs written for Node the connection was reset; what is wrong with the certificate is beside it.
      assert.strictEqual(serverError.code, 'ECONNRESET');
      assert.strictEqual(serverError.message, `socket hang up: ${refused.message}`);
      assert.strictEqual(socket.authorizationError, refused.code);
    }
    return { client: codeOf(error), server: (refused ?? serverError).code };
  }

  for (const version of VERSIONS) {
    for (const [name, server, alert] of [
      ['client-untrusted', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'],
      ['client-expired', 'CERT_HAS_EXPIRED', 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED'],
      ['client-wrong-usage', 'INVALID_PURPOSE', 'ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE'],
      ['client-revoked', 'CERT_REVOKED', 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED'],
      [undefined, 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE',
        version === 'TLSv1.3' ? 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' : 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE'],
    ]) {
      it(`${version}: ${name ?? 'no certificate'} gets its alert, and the server ${server}`, async function () {
        betterThanNode(this);
        const seen = await refusal(
          { requestCert: true, ca: pki.ca, crl: pki.read('crl.pem'), ...only(version) }, name ? pki.pair(name) : {});
        assert.deepStrictEqual(seen, { client: alert, server });
      });
    }
  }
});

describe('a refused server', () => {
  for (const version of VERSIONS) {
    for (const [name, code, host] of [
      ['untrusted', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'localhost'],
      ['expired', 'CERT_HAS_EXPIRED', 'localhost'],
      ['client', 'ERR_TLS_CERT_ALTNAME_INVALID', 'localhost'],
      ['ec', 'ERR_TLS_CERT_ALTNAME_INVALID', 'wrong.test'],
    ]) {
      it(`${version}: ${name} for ${host} is ${code}`, async () => {
        const { port } = await serve(require('tls'), { ...pki.pair(name), ...only(version) });
        const client = dial(subject, port, { servername: host });
        let connected = false;
        client.on('secureConnect', () => {
          connected = true;
        });
        const error = await closed(client);
        assert.strictEqual(error.code, name === 'client' ? 'INVALID_PURPOSE' : code);
        assert.strictEqual(connected, false);
        assert.strictEqual(client.authorized, false);
      });

      it(`${version}: ${name} for ${host} is let in with rejectUnauthorized false`, async () => {
        const { port } = await serveEcho(require('tls'), { ...pki.pair(name), ...only(version) });
        const client = await dialSecure(subject, port, { servername: host, rejectUnauthorized: false });
        assert.strictEqual(client.authorized, false);
        assert.ok(client.authorizationError);
        assert.strictEqual(await echo(client), 'ping');
      });
    }
  }

  it('a certificate within a server\'s certificate has no say in its name', async () => {
    pki.selfSigned('nested-server', 'outer', `\n${pki.read('ec.pem')}\n`);
    const { port } = await serve(require('tls'), pki.pair('nested-server'));
    const error = await closed(dial(subject, port, { ca: pki.read('nested-server.pem') }));
    assert.strictEqual(error.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
    assert.strictEqual(error.cert.subject.CN, 'outer');
  });

  it('checkServerIdentity may refuse what is otherwise good', async () => {
    const { port } = await serve(require('tls'));
    const client = dial(subject, port, {
      checkServerIdentity(host, cert) {
        assert.strictEqual(host, 'localhost');
        assert.strictEqual(cert.subject.CN, 'localhost');
        return new Error('pinned to another key');
      },
    });
    assert.strictEqual((await closed(client)).message, 'pinned to another key');
  });
});

describe('contexts and versions that do not meet', () => {
  for (const [title, server, client, clientCode, serverCode] of [
    ['no shared version', only('TLSv1.3'), only('TLSv1.2'),
      'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'ERR_SSL_UNSUPPORTED_PROTOCOL'],
    ['no shared cipher (TLS 1.2)', { ...only('TLSv1.2'), ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
      { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }, 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'ERR_SSL_NO_SHARED_CIPHER'],
    ['no shared cipher (TLS 1.3)', { ...only('TLSv1.3'), ciphers: 'TLS_AES_128_GCM_SHA256' },
      { ciphers: 'TLS_AES_256_GCM_SHA384' }, 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'ERR_SSL_NO_SHARED_CIPHER'],
    ['no shared group', { ...only('TLSv1.3'), ecdhCurve: 'P-521' }, { ecdhCurve: 'P-256' },
      'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'ERR_SSL_NO_SUITABLE_KEY_SHARE'],
    ['a server without certificate', { key: undefined, cert: undefined }, {},
      'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM'],
  ]) {
    it(`${title}: both sides get their code, the server goes on`, async () => {
      const { server: listener, port } = await serve(subject, server);
      const failed = event(listener, 'tlsClientError');
      assert.strictEqual(codeOf(await closed(dial(require('tls'), port, client))), clientCode);
      const [error] = await failed;
      // The group's reason has a new name since OpenSSL 3.2, a missing certificate another since 3.0.
      const accepted = { ERR_SSL_NO_SUITABLE_KEY_SHARE: ['ERR_SSL_NO_SUITABLE_GROUPS'],
        ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: ['ERR_SSL_NO_SHARED_CIPHER'] };
      assert.ok([serverCode, ...accepted[serverCode] ?? []].includes(error.code), error.code);
      assert.strictEqual(error.library, 'SSL routines');
      assert.strictEqual(listener.listening, true);
    });
  }
});

describe('handshakeTimeout', () => {
  it('tells of a client that says nothing with ERR_TLS_HANDSHAKE_TIMEOUT', async () => {
    const { server, port } = await serve(subject, { handshakeTimeout: 100 });
    const failed = event(server, 'tlsClientError');
    await dialTcp(port);
    assert.strictEqual((await failed)[0].code, 'ERR_TLS_HANDSHAKE_TIMEOUT');
  });

  it('closes that connection', async function () {
    betterThanNode(this);
    const { port } = await serve(subject, { handshakeTimeout: 100 });
    const raw = await dialTcp(port);
    raw.resume();
    await closed(raw);
  });
});
