'use strict';

// SSLServer's TLS settings, as `openssl s_client` sees them.

const assert = require('assert');
const fs = require('fs');
const path = require('path');
const { Recorded, certificateOf, dial, failsWith, listening, report, sClient } = require('../support/ipworks');
const { closed, event } = require('../support/net');
const pki = require('../support/pki');

const VERSIONS = [
  [192, 'TLSv1', '-tls1', 'SSL-C-27'], [768, 'TLSv1.1', '-tls1_1', 'SSL-C-26'],
  [3072, 'TLSv1.2', '-tls1_2', 'SSL-C-25'], [12288, 'TLSv1.3', '-tls1_3', 'SSL-C-24'],
];

/** The whole of what is wanted, or nothing. */
const find = (text, pattern) => pattern.exec(text)?.[1] ?? null;

/** Readings of a connection by name, taken while Connected is told. */
function readings(recorded) {
  const taken = [];
  recorded.server.on('Connected', (e) => {
    if (e.statusCode !== 0) return;
    const names = ['Cipher', 'CipherStrength', 'CipherSuite', 'KeyExchange', 'KeyExchangeStrength', 'Version'];
    taken.push(Promise.all(names.map((name) => recorded.server.config(`sslnegotiated${name}[${e.connectionId}]`))));
  });
  return taken;
}

async function startFails(code, settings, pattern) {
  const { server } = new Recorded();
  server.setSSLCert(certificateOf());
  for (const setting of settings) await server.config(setting);
  await failsWith(code, server.startListening(), pattern);
}

describe('SSLServer, TLS settings', () => {
  describe('versions', () => {
    it('SSL-C-23, D-49: TLS 1.2 only at first', async () => {
      const { port } = await listening();
      for (const [, name, flag] of VERSIONS) {
        const { ok, text } = await report(port, flag);
        assert.strictEqual(ok, name === 'TLSv1.2', text);
      }
    });

    for (const [bits, name, flag, row] of VERSIONS) {
      it(`${row}: ${bits} is ${name}, and nothing else`, async () => {
        const { port } = await listening(undefined, { settings: [`SSLEnabledProtocols=${bits}`] });
        for (const [, , other] of VERSIONS) {
          const { ok, text } = await report(port, other);
          assert.strictEqual(ok, other === flag, text);
          if (ok) assert.match(text, new RegExp(`Protocol *: ${name.replace('.', '\\.')}$|New, ${name}, Cipher`, 'm'));
        }
      });
    }

    it('SSL-C-23: any of its two bits enables a version, and versions between may be left out', async () => {
      const { port } = await listening(undefined, { settings: [`SSLEnabledProtocols=${0x40 + 0x800}`] });
      const fared = [];
      for (const [, , flag] of VERSIONS) fared.push((await report(port, flag)).ok);
      assert.deepStrictEqual(fared, [true, false, true, false]);
    });

    it('SSL-C-28, SSL-C-29, SSL-X-270: SSL 2.0 and 3.0 alone are an error, beside others they are ignored', async () => {
      for (const bits of [48, 12, 60, 0]) await startFails(270, [`SSLEnabledProtocols=${bits}`], /SSLEnabledProtocols/);
      const { port } = await listening(undefined, { settings: [`SSLEnabledProtocols=${48 + 12 + 3072}`] });
      assert.ok((await report(port)).ok);
    });
  });

  describe('cipher suites', () => {
    it('SSL-C-22: those named are used and no others', async () => {
      const { port } = await listening(undefined, {
        settings: ['SSLEnabledCipherSuites=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;tls_rsa_with_aes_128_cbc_sha'],
      });
      const { text } = await report(port);
      assert.strictEqual(find(text, /Cipher is (\S+)/), 'ECDHE-ECDSA-AES128-GCM-SHA256');
      assert.ok(!(await report(port, '-cipher', 'ECDHE-ECDSA-AES256-GCM-SHA384')).ok);
      const recorded = new Recorded();
      await failsWith(270, recorded.server.config('SSLEnabledCipherSuites=TLS_NO_SUCH'), /TLS_NO_SUCH/);
      await startFails(270, ['SSLEnabledCipherSuites=CALG_MD5'], /no cipher suite/);
    });

    it('SSL-C-22: a change counts for handshakes that come later', async () => {
      const { server, port } = await listening();
      const before = find((await report(port)).text, /Cipher is (\S+)/);
      assert.strictEqual(before, 'ECDHE-ECDSA-AES256-GCM-SHA384');
      await server.config('SSLEnabledCipherSuites=TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA');
      assert.strictEqual(find((await report(port)).text, /Cipher is (\S+)/), 'ECDHE-ECDSA-AES128-SHA');
    });

    it('SSL-C-22: suites of TLS 1.3', async () => {
      const { port } = await listening(undefined, {
        settings: ['SSLEnabledProtocols=15360', 'SSLEnabledCipherSuites=TLS_CHACHA20_POLY1305_SHA256'],
      });
      assert.strictEqual(find((await report(port)).text, /New, (.*)$/m), 'TLSv1.3, Cipher is TLS_CHACHA20_POLY1305_SHA256');
      assert.ok(!(await report(port, '-tls1_2')).ok);
    });

    it('SSL-C-20, D-48: SSLCipherStrength is the least, and too much is an error', async () => {
      const { port } = await listening(undefined, { settings: ['SSLCipherStrength=256'] });
      assert.ok(!(await report(port, '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256')).ok);
      assert.ok((await report(port, '-cipher', 'ECDHE-ECDSA-AES256-GCM-SHA384')).ok);
      await startFails(270, ['SSLCipherStrength=257'], /SSLCipherStrength/);
    });

    it('SSL-C-15: OpenSSLCipherList in place of the suites and their strength', async () => {
      const { port } = await listening(undefined, {
        settings: ['OpenSSLCipherList=ECDHE+AES128+SHA256:!AESGCM', 'SSLCipherStrength=256'],
      });
      assert.strictEqual(find((await report(port)).text, /Cipher is (\S+)/), 'ECDHE-ECDSA-AES128-SHA256');
      for (const list of ['NO-SUCH-CIPHER', 'aNULL', 'eNULL:aNULL:@SECLEVEL=0']) {
        await startFails(270, [`OpenSSLCipherList=${list}`], /OpenSSLCipherList/);
      }
      // Whoever does not prove who it is, or encrypts nothing, is never listened to.
      const open = await listening(undefined, { settings: ['OpenSSLCipherList=ALL:eNULL:@SECLEVEL=0'] });
      for (const weak of ['aNULL:@SECLEVEL=0', 'eNULL:@SECLEVEL=0']) {
        assert.ok(!(await report(open.port, '-cipher', weak)).ok, weak);
      }
    });
  });

  describe('signature algorithms and groups', () => {
    it('SSL-C-53: of TLS 1.2', async () => {
      const { server, port } = await listening(undefined, { settings: ['TLS12SignatureAlgorithms=sha384-ecdsa,sha256-rsa'] });
      assert.strictEqual(find((await report(port)).text, /Peer signing digest: (\S+)/), 'SHA384');
      assert.ok(!(await report(port, '-sigalgs', 'ECDSA+SHA256')).ok);
      await server.config('TLS12SignatureAlgorithms=');
      assert.strictEqual(find((await report(port, '-sigalgs', 'ECDSA+SHA512')).text, /Peer signing digest: (\S+)/), 'SHA512');
      await failsWith(10022, server.config('TLS12SignatureAlgorithms=md5-rsa'), /md5-rsa/);
    });

    it('SSL-C-56: of TLS 1.3', async () => {
      const settings = ['SSLEnabledProtocols=12288', 'TLS13SignatureAlgorithms=rsa_pss_sha512,ecdsa_secp256r1_sha256'];
      const rsa = await listening(undefined, { settings, certificate: 'rsa' });
      const { text } = await report(rsa.port);
      assert.deepStrictEqual([find(text, /Peer signing digest: (\S+)/), find(text, /Peer signature type: (\S+)/)],
        ['SHA512', 'RSA-PSS']);
      assert.ok(!(await report(rsa.port, '-sigalgs', 'rsa_pss_rsae_sha256')).ok);
      const ec = await listening(undefined, { settings });
      assert.strictEqual(find((await report(ec.port)).text, /Peer signature type: (\S+)/), 'ECDSA');
      await failsWith(10022, ec.server.config('TLS13SignatureAlgorithms=rsa'), /rsa/);
    });

    it('SSL-C-54: groups of TLS 1.2', async () => {
      const { server, port } = await listening();
      assert.match((await report(port, '-groups', 'P-256')).text, /Temp Key: ECDH, prime256v1, 256 bits/);
      assert.ok(!(await report(port, '-groups', 'X448', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256')).ok);
      await server.config('TLS12SupportedGroups=ecdhe_secp384r1');
      assert.match((await report(port, '-groups', 'P-256:P-384')).text, /Temp Key: ECDH, secp384r1, 384 bits/);
      await failsWith(10022, server.config('TLS12SupportedGroups=ecdhe_secp'), /ecdhe_secp/);
    });

    it('SSL-C-57, SSL-C-55: groups of TLS 1.3', async () => {
      const { server, port } = await listening(undefined, {
        settings: ['SSLEnabledProtocols=12288', 'TLS13SupportedGroups=ecdhe_x448,ffdhe_2048'],
      });
      assert.match((await report(port, '-groups', 'X25519:X448')).text, /Temp Key: X448, 448 bits/);
      assert.match((await report(port, '-groups', 'ffdhe2048')).text, /Temp Key: DH, 2048 bits|ffdhe2048/);
      assert.ok(!(await report(port, '-groups', 'X25519')).ok);
      // Shares are a client's affair.
      assert.strictEqual(await server.config('TLS13KeyShareGroups=ffdhe_8192'), 'ffdhe_8192');
      await failsWith(10022, server.config('TLS13KeyShareGroups=secp'), /secp/);
      assert.match((await report(port, '-groups', 'X448')).text, /Temp Key: X448/);
    });
  });

  describe('readings', () => {
    for (const [settings, args, expected, certificate = 'ec'] of [
      [3072, ['-cipher', 'ECDHE-RSA-AES128-GCM-SHA256', '-groups', 'P-384'],
        ['ECDHE-RSA-AES128-GCM-SHA256', '128', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'ecdhe_secp384r1', 'TLSv1.2'],
        'rsa'],
      [3072, ['-cipher', 'AES256-SHA256'],
        ['AES256-SHA256', '256', 'TLS_RSA_WITH_AES_256_CBC_SHA256', 'RSA', 'TLSv1.2'], 'rsa'],
      [3072, ['-cipher', 'DHE-RSA-AES256-GCM-SHA384'],
        ['DHE-RSA-AES256-GCM-SHA384', '256', 'TLS_DHE_RSA_WITH_AES_256_GCM_SHA384', 'DHE', 'TLSv1.2'], 'rsa'],
      [12288, ['-groups', 'X25519'],
        ['TLS_AES_256_GCM_SHA384', '256', 'TLS_AES_256_GCM_SHA384', 'ecdhe_x25519', 'TLSv1.3']],
      [12288, ['-groups', 'ffdhe3072'],
        ['TLS_AES_256_GCM_SHA384', '256', 'TLS_AES_256_GCM_SHA384', 'ffdhe_3072', 'TLSv1.3']],
      [192, ['-tls1', '-groups', 'P-256'],
        ['ECDHE-ECDSA-AES256-SHA', '256', 'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA', 'ecdhe_secp256r1', 'TLSv1']],
    ]) {
      it(`SSL-C-33 to 38: what was negotiated is what s_client says: ${args.join(' ')}`, async () => {
        const recorded = await listening(undefined, { settings: [`SSLEnabledProtocols=${settings}`], certificate });
        const taken = readings(recorded);
        const { ok, text } = await report(recorded.port, ...args);
        assert.ok(ok, text);
        const [cipher, strength, suite, exchange, exchangeStrength, version] = await taken[0];
        const bits = find(text, /Temp Key: .*?(\d+) bits/) ?? '2048';
        assert.deepStrictEqual([cipher, strength, suite, exchange, version], expected);
        assert.strictEqual(find(text, /New, \S+ Cipher is (\S+)/), cipher);
        assert.strictEqual(exchangeStrength, bits);
        assert.match(text, new RegExp(`Protocol *: ${version}$|New, ${version}`, 'm'));
      });
    }

    it('SSL-C-33 to 38: they can only be read, of a connection that there is', async () => {
      const recorded = await listening();
      const { id } = await recorded.connect();
      const { server } = recorded;
      assert.strictEqual(await server.config(`SSLNegotiatedVersion[${id}]`), 'TLSv1.2');
      await failsWith(10022, server.config(`SSLNegotiatedVersion[${id}]=TLSv1.3`));
      await failsWith(10022, server.config(`TcpNoDelay[${id}]`));
      await failsWith(126, server.config('SSLNegotiatedVersion[99999]'));
    });
  });

  it('SSL-C-19: SSLCACerts are sent behind SSLCert', async () => {
    const { server, port } = await listening(undefined, { certificate: 'deep' });
    assert.doesNotMatch((await report(port)).text, /Verify return code: 0 \(ok\)/);
    await server.config(`SSLCACerts=${pki.read('intermediate.pem').replace(/\n/g, '\r\n')}`);
    const { text } = await report(port, '-showcerts');
    assert.match(text, /Verify return code: 0 \(ok\)/);
    assert.strictEqual(text.match(/BEGIN CERTIFICATE/g).length, 2);
  });

  it('SSL-X-273, SSL-X-274: what OpenSSL does not show is an error where it is set', async () => {
    pki.openssl('req', '-x509', '-newkey', 'rsa:512', '-nodes', '-keyout', 'weak.key', '-subj', '/CN=weak', '-days', '3',
      '-out', 'weak.pem');
    await assert.rejects(listening(undefined, { certificate: 'weak' }), { code: 273, message: /SSLCert: .*key too small/ });
    for (const pem of [pki.read('weak.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----']) {
      await startFails(274, [`SSLCACerts=${pem}`], /SSLCACerts/);
    }
    const { server } = await listening();
    await failsWith(274, server.config(`SSLCACerts=${pki.read('weak.pem')}`));
    assert.strictEqual(await server.config('SSLCACerts'), '');
  });

  it('SSL-C-30, D-50: renegotiation is refused, unless it is allowed, and always marked as secure', async () => {
    for (const allowed of [false, true]) {
      const recorded = await listening((server) => server.setDefaultEOL('\n'),
        { settings: [`SSLEnableRenegotiation=${allowed}`] });
      const program = sClient(recorded.port, '-tls1_2');
      await program.waitFor(/Verify return code/);
      assert.match(program.stdout, /Secure Renegotiation IS supported/);
      program.write('R\n');
      await program.waitFor(/RENEGOTIATING/);
      if (allowed) {
        await program.waitFor(/RENEGOTIATING\n(.*\n)*.*depth=/).catch(() => {});
        program.write('goes on\n');
        assert.deepStrictEqual(await recorded.data(1), [['goes on', true]]);
        assert.strictEqual(recorded.of('Connected').length, 1);
      } else {
        const { stderr } = await program.ended;
        assert.match(stderr, /no.renegotiation/i);
      }
      await program.kill();
    }
  });

  it('SSL-C-30: a client that renegotiates a fourth time in ten minutes is turned out', async () => {
    const recorded = await listening((server) => server.setDefaultEOL('\n'), { settings: ['SSLEnableRenegotiation=True'] });
    const program = sClient(recorded.port, '-tls1_2');
    await program.waitFor(/Verify return code/);
    for (let i = 1; i <= 3; i++) {
      program.write('R\n');
      await program.waitFor(new RegExp(`(RENEGOTIATING[^]*){${i}}`));
      program.write(`${i}\n`);
      assert.strictEqual((await recorded.data(i))[i - 1][0], String(i));
    }
    program.write('R\n');
    const { statusCode, description } = await recorded.first('Disconnected');
    assert.notStrictEqual(statusCode, 0, description);
    await program.ended;
  });

  it('SSL-C-17, D-47: sessions are resumed with ReuseSSLSession only, TLS 1.2', async () => {
    for (const reuse of [false, true]) {
      const { port } = await listening(undefined, { settings: [`ReuseSSLSession=${reuse}`] });
      const file = path.join(path.dirname(pki.path('ca.pem')), `session-${reuse}`);
      assert.match((await report(port, '-sess_out', file)).text, /^New, TLSv1.2/m);
      assert.strictEqual(fs.existsSync(file), reuse);
      if (reuse) assert.match((await report(port, '-sess_in', file)).text, /^Reused, TLSv1.2/m);
    }
  });

  it('SSL-C-17: sessions are resumed with ReuseSSLSession only, TLS 1.3', async () => {
    for (const reuse of [false, true]) {
      const recorded = await listening(undefined,
        { settings: [`ReuseSSLSession=${reuse}`, 'SSLEnabledProtocols=12288'] });
      const client = dial(recorded.port);
      let session;
      client.on('session', (ticket) => { session = ticket; });
      await event(client, 'secureConnect');
      const { connectionId } = await recorded.first('Connected');
      await recorded.server.sendText(connectionId, 'bye');
      await recorded.server.disconnect(connectionId);
      client.resume();
      await closed(client);
      assert.strictEqual(session !== undefined, reuse);
      const again = await recorded.connect({ session });
      assert.strictEqual(again.client.isSessionReused(), reuse);
    }
  });

  it('SSL-C-32: SSLKeyLogFile gets what the client has, behind what was there', async () => {
    const file = path.join(path.dirname(pki.path('ca.pem')), 'keys.log');
    const theirs = path.join(path.dirname(pki.path('ca.pem')), 'their-keys.log');
    fs.writeFileSync(file, '# from before\n');
    const { server, port } = await listening(undefined, { settings: [`SSLKeyLogFile=${file}`, 'SSLEnabledProtocols=15360'] });
    assert.ok((await report(port, '-keylogfile', theirs, '-tls1_2')).ok);
    assert.ok((await report(port, '-keylogfile', theirs, '-tls1_3')).ok);
    const lines = (text) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).sort();
    const content = fs.readFileSync(file, 'utf8');
    assert.ok(content.startsWith('# from before\n'));
    assert.deepStrictEqual(lines(content), lines(fs.readFileSync(theirs, 'utf8')));
    assert.match(content, /^CLIENT_RANDOM /m);
    assert.match(content, /^SERVER_TRAFFIC_SECRET_0 /m);
    await server.config('SSLKeyLogFile=');
    assert.ok((await report(port)).ok);
    assert.strictEqual(fs.readFileSync(file, 'utf8'), content);
    const fresh = path.join(path.dirname(file), 'fresh.log');
    await server.config(`SSLKeyLogFile=${fresh}`);
    assert.ok((await report(port)).ok);
    if (process.platform !== 'win32') assert.strictEqual(fs.statSync(fresh).mode & 0o777, 0o600);
  });

  it('SSL-C-32: a file that cannot be written is an Error, not the end of a handshake', async () => {
    const recorded = await listening(undefined, { settings: ['SSLKeyLogFile=/no/such/folder/keys.log'] });
    await recorded.connect();
    const error = await recorded.first('Error');
    assert.match(error.description, /SSLKeyLogFile/);
  });

  it('SSL-C-12, SSL-E-40 to 42: LogSSLPackets tells of every record by SSLStatus', async () => {
    const recorded = await listening(undefined, { settings: ['LogSSLPackets=True'] });
    const { client, id } = await recorded.connect();
    client.write('hello');
    await recorded.data(1);
    const messages = recorded.of('SSLStatus').map((e) => {
      assert.strictEqual(e.connectionId, id);
      return e.message;
    });
    for (const wanted of [/^Received.*handshake/i, /^Sent.*handshake/i, /^Received.*application/i]) {
      assert.ok(messages.some((message) => wanted.test(message)), `${wanted} in\n${messages.join('\n')}`);
    }
    assert.ok(messages.every((message) => !message.includes('\n')));
    assert.ok(messages.some((message) => /TLSv1\.2, ECDHE-ECDSA-AES256-GCM-SHA384, 256 bits/.test(message)));
    const quiet = await listening();
    await quiet.connect();
    assert.strictEqual(quiet.of('SSLStatus').length, 1);
  });

  it('SSL-C-16, SSL-C-18, SSL-C-52, SSL-C-61, SSL-C-62: settings that change nothing are kept', async () => {
    const { server, port } = await listening();
    for (const [name, value] of [['OpenSSLPrngSeedData', 'seed'], ['SSLAcceptAnyServerCert', 'True'],
      ['SSLServerCACerts', pki.ca], ['MaskSensitiveData', 'False'], ['UseInternalSecurityAPI', 'True']]) {
      assert.strictEqual(await server.config(`${name}=${value}`), value);
      assert.strictEqual(await server.config(name), value);
    }
    assert.ok((await report(port)).ok);
  });
});
