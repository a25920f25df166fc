'use strict';

// CreateTLSServer: option bits, verify modes, ciphers and credentials, as clients meet them.

const assert = require('assert');
const fs = require('fs');
const os = require('os');
const path = require('path');
const tls = require('tls');
const { Driver } = require('../../control4');
const pki = require('../support/pki');
const { makeDriver } = require('../support/control4');
const { closed, codeOf, dial, dialSecure, dialTcp, echo, event, readBytes } = require('../support/net');
const { itWith, run } = require('../support/program');

const WORKAROUNDS = 0x01;
const NO = { 'TLSv1': 0x10, 'TLSv1.1': 0x20, 'TLSv1.2': 0x40, 'TLSv1.3': 0x80 };
const VERSIONS = Object.keys(NO);

const NONE = 0x01;
const PEER = 0x02;
const REQUIRED = 0x04;
const ONCE = 0x08;

/** Arguments of CreateTLSServer in their order, from the P-256 certificate of the tests and what is given. */
function argumentsOf({
  port = 0, delimiter = '\n', options = 0, verifyMode = 0, cipherList = '', certificate = pki.read('ec.pem'),
  privateKey = pki.read('ec.key'), password = '', chain = '', identifier,
} = {}) {
  return [port, delimiter, options, verifyMode, cipherList, certificate, privateKey, password, chain, identifier];
}

/** A driver with an echoing TLS server: {d, port}. */
async function serve(given, options) {
  const d = makeDriver(options);
  const port = await d.online((driver) => driver.CreateTLSServer(...argumentsOf(given)));
  d.driver.OnServerDataIn = (handle, data, ...rest) => {
    d.note('data', [handle, data, ...rest]);
    d.driver.ServerSend(handle, data);
  };
  return { d, port };
}

function refusal(given, options) {
  const [ok, message] = new Driver(options).CreateTLSServer(...argumentsOf(given));
  assert.strictEqual(ok, false);
  assert.strictEqual(typeof message, 'string');
  return message;
}

/** The version that a client gets which offers `version` alone; null when it is refused. */
async function tryVersion(port, version) {
  const client = dial(tls, port, { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' });
  const secure = event(client, 'secureConnect').then(() => client.getProtocol());
  const found = await Promise.race([secure.catch(() => null), closed(client).then(() => null)]);
  client.destroy();
  return found;
}

async function versionsOf(options) {
  const { d, port } = await serve({ options });
  const found = [];
  for (const version of VERSIONS) if (await tryVersion(port, version) === version) found.push(version);
  d.driver.DestroyServer();
  return found;
}

describe('Control4 CreateTLSServer', () => {
  it('C4-15 C4-17 C4-50 C4-57..68 messages with their delimiter, both ways, over TLS', async () => {
    const { d, port } = await serve({ delimiter: '\r\n', identifier: 'api' });
    const client = await dialSecure(tls, port);
    assert.strictEqual(await echo(client, 'one\r\n'), 'one\r\n');
    assert.strictEqual(await echo(client, 'two\r\nthree\r\n'), 'two\r\nthree\r\n');
    client.end('rest');
    const handle = await d.handle();
    await d.offline('connection', handle);
    const end = ['127.0.0.1', client.localPort ?? d.of('data')[0][3], 'api'];
    assert.deepStrictEqual(d.calls, [
      ['server', port, 'ONLINE', 'api'],
      ['connection', handle, port, 'ONLINE', '127.0.0.1', 'api'],
      ...['one\r\n', 'two\r\n', 'three\r\n', 'rest'].map((text) => ['data', handle, Buffer.from(text), ...end]),
      ['connection', handle, port, 'OFFLINE', '127.0.0.1', 'api'],
    ]);
  });

  it('C4-15 trailing arguments may be missing, numbers may be text', async () => {
    const d = makeDriver();
    const port = await d.online((driver) => driver.CreateTLSServer('0', '', '0', '0', '', pki.read('ec.pem'), pki.read('ec.key')));
    (await dialSecure(tls, port)).write('x');
    await d.first('data');
  });

  it('C4-16 C4-51 port 0 is a free one, a taken one is [false, EADDRINUSE], a wrong one [false, message]', async () => {
    const { d, port } = await serve();
    assert.match(d.driver.CreateTLSServer(...argumentsOf({ port }))[1], /EADDRINUSE/);
    assert.match(refusal({ port: 'x' }), /^port must be/);
  });

  it('C4-74 DestroyServer ends connections, and those in mid-handshake', async () => {
    const { d, port } = await serve();
    const client = await dialSecure(tls, port);
    await d.handle();
    const stalled = await dialTcp(port);
    const ends = Promise.all([closed(client.resume()), closed(stalled.resume())]);
    d.driver.DestroyServer(port);
    await ends;
    await d.driver.close();
    assert.deepStrictEqual(d.calls.map((call) => `${call[0]} ${call.includes('ONLINE') ? 'ONLINE' : 'OFFLINE'}`),
      ['server ONLINE', 'connection ONLINE', 'connection OFFLINE', 'server OFFLINE']);
  });

  describe('options', () => {
    const only = (wanted) => VERSIONS.reduce((bits, name) => bits | (name === wanted ? 0 : NO[name]), 0);

    for (const [title, options, expected] of [
      ['C4-18 C4-23 C4-24 C4-27 0 is 0x3D: TLS 1.2 and 1.3', 0, ['TLSv1.2', 'TLSv1.3']],
      ['C4-27 0x3D written out', 0x3d, ['TLSv1.2', 'TLSv1.3']],
      ['C4-19 0x01 alone allows every version', WORKAROUNDS, VERSIONS],
      ['C4-20..22 bits of what is never there change nothing', 0x0e | only('TLSv1.3'), ['TLSv1.3']],
      ['C4-25 TLS 1.2 off', 0x3d | NO['TLSv1.2'], ['TLSv1.3']],
      ['C4-26 TLS 1.3 off', 0x3d | NO['TLSv1.3'], ['TLSv1.2']],
      ['C4-23 TLS 1.0 alone', only('TLSv1'), ['TLSv1']],
      ['C4-24 TLS 1.1 alone', only('TLSv1.1'), ['TLSv1.1']],
      ['C4-25 a hole in the middle', NO['TLSv1.1'] | NO['TLSv1.2'], ['TLSv1', 'TLSv1.3']],
    ]) {
      it(title, async () => {
        assert.deepStrictEqual(await versionsOf(options), expected);
      });
    }

    it('C4-28 D-05 no version left, unknown bits, no number: [false, message]', () => {
      assert.strictEqual(refusal({ options: 0xf0 }), 'options disables every protocol version');
      assert.strictEqual(refusal({ options: 0x13d }), 'options has unknown bits: 0x100');
      for (const options of ['x', -1, 1.5, {}, true]) assert.match(refusal({ options }), /^options must be a whole number/);
    });
  });

  describe('verifyMode', () => {
    const chain = () => pki.ca;

    /** What becomes of a client with that certificate: 'served', or the code it gets. */
    async function outcome(port, name, version) {
      const client = dial(tls, port, { ...name && pki.pair(name), minVersion: version, maxVersion: version });
      client.write('?\n');
      const answer = event(client, 'data').then(() => 'served', () => 'refused');
      const first = await Promise.race([answer, closed(client).then((error) => codeOf(error) ?? 'closed')]);
      client.destroy();
      return first === 'served' ? first : 'refused';
    }

    for (const [title, verifyMode, expected] of [
      ['C4-30 NONE asks for no certificate', NONE, ['served', 'served', 'served', 'served']],
      ['C4-31 PEER checks what comes', PEER, ['served', 'served', 'refused', 'refused']],
      ['C4-33 PEER and CLIENT_ONCE', PEER | ONCE, ['served', 'served', 'refused', 'refused']],
      ['C4-29 C4-34 D-06 0 is PEER and CLIENT_ONCE', 0, ['served', 'served', 'refused', 'refused']],
      ['C4-32 FAIL_IF_NO_PEER_CERT', PEER | REQUIRED, ['refused', 'served', 'refused', 'refused']],
    ]) {
      for (const version of ['TLSv1.2', 'TLSv1.3']) {
        it(`${title} (${version})`, async () => {
          const { d, port } = await serve({ verifyMode, chain: chain() });
          const found = [];
          for (const name of [null, 'client', 'client-untrusted', 'client-expired']) found.push(await outcome(port, name, version));
          assert.deepStrictEqual(found, expected);
          // C4-52: those that failed are no connections to the driver.
          const refused = expected.filter((what) => what === 'refused').length;
          await d.count('handshakeError', refused);
          assert.strictEqual(d.of('connection').filter(([, , status]) => status === 'ONLINE').length, 4 - refused);
        });
      }
    }

    it('C4-30 a client sees no request with NONE, and one with PEER', async () => {
      for (const [verifyMode, certificate] of [[NONE, false], [PEER, true]]) {
        const { d, port } = await serve({ verifyMode, chain: chain() });
        await dialSecure(tls, port, pki.pair('client'));
        await d.handle();
        // A certificate that nobody asked for is not sent, so a wrong one does no harm.
        const other = dial(tls, port, pki.pair('client-untrusted')).on('error', () => {});
        const asked = await Promise.race([d.handle(1).then(() => false), d.first('handshakeError').then(() => true)]);
        assert.strictEqual(asked, certificate);
        other.destroy();
      }
    });

    it('C4-36 only the chain is trusted: without one every client certificate fails', async () => {
      const { port } = await serve({ verifyMode: PEER });
      assert.strictEqual(await outcome(port, 'client'), 'refused');
      assert.strictEqual(await outcome(port, null), 'served');
    });

    it('C4-31 sessions resume, with and without a certificate', async () => {
      for (const version of ['TLSv1.2', 'TLSv1.3']) {
        for (const credentials of [{}, pki.pair('client')]) {
          const { port } = await serve({ verifyMode: 0, chain: chain() });
          const options = { ...credentials, minVersion: version, maxVersion: version };
          const first = dial(tls, port, options);
          const session = event(first, 'session');
          await event(first, 'secureConnect');
          await echo(first, 'x\n');
          const second = await dialSecure(tls, port, { ...options, session: (await session)[0] });
          assert.strictEqual(await echo(second, 'y\n'), 'y\n');
          assert.strictEqual(second.isSessionReused(), true, version);
        }
      }
    });

    it('C4-35 D-06 invalid combinations are [false, message]', () => {
      for (const verifyMode of [REQUIRED, ONCE, REQUIRED | ONCE, NONE | PEER, NONE | ONCE, 0x10, 0x12, 'x', -1]) {
        assert.match(refusal({ verifyMode }), /^verifyMode /);
      }
    });
  });

  describe('cipherList', () => {
    it('C4-37 chooses the suites up to TLS 1.2', async () => {
      const { port } = await serve({ cipherList: 'ECDHE-ECDSA-AES256-GCM-SHA384', options: 0x3d });
      const client = await dialSecure(tls, port, { maxVersion: 'TLSv1.2' });
      assert.strictEqual(client.getCipher().name, 'ECDHE-ECDSA-AES256-GCM-SHA384');
      assert.strictEqual((await dialSecure(tls, port)).getProtocol(), 'TLSv1.3');
      const weak = dial(tls, port, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' });
      assert.ok(await closed(weak));
    });

    for (const name of ['ECDHE-RSA-AES256-GCM-SHA384', 'DHE-RSA-AES128-GCM-SHA256', 'AES128-SHA']) {
      it(`C4-37 the default has ${name}`, async () => {
        const { port } = await serve({ certificate: pki.read('rsa.pem'), privateKey: pki.read('rsa.key') });
        const client = await dialSecure(tls, port, { maxVersion: 'TLSv1.2', ciphers: name });
        assert.strictEqual(client.getCipher().name, name);
      });
    }

    for (const [version, flag, weaker, stronger] of [
      ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
      ['-tls1_3', '-ciphersuites', 'TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'],
    ]) {
      itWith('openssl', `C4-37 the server's order counts, as in Node: a client that offers ${weaker} first`, async () => {
        const { port } = await serve();
        const { stdout } = await run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, version, flag, `${weaker}:${stronger}`]);
        assert.match(stdout, new RegExp(`Cipher is ${stronger}\\b`));
      }, ['version']);
    }

    // With TLS 1.0 allowed the security level is 0, at which OpenSSL's HIGH has anonymous suites.
    for (const [list, options] of [
      ['', WORKAROUNDS], ['DEFAULT', 0x3d], ['ALL:aNULL:eNULL:@SECLEVEL=0', 0x3d], ['aNULL:AES128-SHA:@SECLEVEL=0', 0x3d],
    ]) {
      it(`C4-37 D-08 suites that authenticate nobody are never negotiated (${list || 'the default'})`, async () => {
        const { port } = await serve({ cipherList: list, options: options | NO['TLSv1.3'] });
        const client = dial(tls, port, {
          maxVersion: 'TLSv1.2', ciphers: 'ADH:AECDH:eNULL:@SECLEVEL=0', rejectUnauthorized: false,
        });
        assert.ok(await closed(client));
      });
    }

    it('C4-38 what cannot be parsed, or leaves no suite, is [false, message]', () => {
      for (const cipherList of ['NO-SUCH-SUITE', '!ALL', 'aNULL', 'eNULL:aNULL@SECLEVEL=0', '\0']) {
        assert.match(refusal({ cipherList }), /^cipherList: /);
      }
      assert.strictEqual(refusal({ cipherList: 5 }), 'cipherList must be a string');
    });
  });

  describe('credentials', () => {
    let c4zDir;
    let sandboxDir;

    before(() => {
      c4zDir = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-c4z-'));
      sandboxDir = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-sandbox-'));
      fs.mkdirSync(path.join(c4zDir, 'certs'));
      const put = (dir, name, from = name) => fs.copyFileSync(pki.path(from), path.join(dir, name));
      for (const name of ['ec.pem', 'ec.key', 'ec.pfx', 'ec-open.pfx', 'ec-legacy.pfx', 'ca.pem', 'rsa.pem',
        'rsa-encrypted.key', 'rsa-encrypted-old.key']) put(c4zDir, path.join('certs', name), name);
      put(c4zDir, 'both.pem', 'ec.pem');
      put(sandboxDir, 'both.pem', 'rsa.pem');
      put(sandboxDir, 'sand.key', 'ec.key');
      fs.symlinkSync(pki.path('ec.pem'), path.join(c4zDir, 'escape.pem'));
      fs.writeFileSync(path.join(c4zDir, 'garbage.pem'), 'nothing of sense');
    });

    after(() => {
      for (const dir of [c4zDir, sandboxDir]) fs.rmSync(dir, { recursive: true });
    });

    const dirs = () => ({ c4zDir, sandboxDir });
    const PASSPHRASE = { password: pki.PASSPHRASE };

    for (const [title, given] of [
      ['C4-39 C4-43 PEM text', () => ({})],
      ['C4-39 PEM text with a chain behind the leaf', () => ({ certificate: pki.read('chain.pem'), privateKey: pki.read('deep.key') })],
      ['C4-40 C4-44 PEM files', () => ({ certificate: 'certs/ec.pem', privateKey: 'certs/ec.key' })],
      ['C4-48 the sandbox comes second', () => ({ certificate: 'both.pem', privateKey: 'sand.key' })],
      ['C4-48 prefixes choose the directory', () => ({ certificate: 'C4Z:/certs/ec.pem', privateKey: 'SANDBOX:/sand.key' })],
      ['C4-41 a PKCS#12 file, its key argument ignored', () => ({ certificate: 'certs/ec.pfx', privateKey: 'nonsense', ...PASSPHRASE })],
      ['C4-41 a PKCS#12 file without password', () => ({ certificate: 'certs/ec-open.pfx', privateKey: '' })],
      ['C4-41 a PKCS#12 file with RC2-40', () => ({ certificate: 'certs/ec-legacy.pfx', privateKey: '', ...PASSPHRASE })],
      ['C4-45 an encrypted PKCS#8 key', () => ({
        certificate: 'certs/rsa.pem', privateKey: 'certs/rsa-encrypted.key', ...PASSPHRASE,
      })],
      ['C4-45 an encrypted traditional key', () => ({
        certificate: pki.read('rsa.pem'), privateKey: pki.read('rsa-encrypted-old.key'), ...PASSPHRASE,
      })],
      ['C4-45 a password in a Buffer', () => ({ certificate: 'certs/ec.pfx', password: Buffer.from(pki.PASSPHRASE) })],
      ['C4-46 C4-47 a chain file', () => ({ chain: 'certs/ca.pem' })],
    ]) {
      it(title, async () => {
        const { port } = await serve(given(), dirs());
        const client = await dialSecure(tls, port);
        assert.strictEqual(await echo(client, 'ping\n'), 'ping\n');
      });
    }

    it('C4-41 C4-46 the chain of a PKCS#12 file is sent, unless another is given', async () => {
      const names = async (given) => {
        const { port } = await serve({ certificate: 'certs/ec.pfx', ...PASSPHRASE, ...given }, dirs());
        const client = await dialSecure(tls, port, { ca: [pki.ca, pki.read('otherca.pem')], rejectUnauthorized: false });
        const sent = [];
        for (let at = client.getPeerCertificate(true); at && !sent.includes(at.subject.CN); at = at.issuerCertificate) {
          sent.push(at.subject.CN);
        }
        return sent;
      };
      assert.deepStrictEqual(await names({}), ['localhost', 'c4tls test CA']);
      const { d, port } = await serve({ certificate: 'certs/ec.pfx', verifyMode: PEER | REQUIRED, ...PASSPHRASE, chain: pki.read('otherca.pem') }, dirs());
      // The file's own authority is not trusted any more.
      dial(tls, port, pki.pair('client')).on('error', () => {});
      await d.first('handshakeError');
      const client = await dialSecure(tls, port, pki.pair('client-untrusted'));
      assert.strictEqual(await echo(client, 'x\n'), 'x\n');
    });

    it('C4-45 the caller\'s Buffer is not touched', async () => {
      const password = Buffer.from(pki.PASSPHRASE);
      await serve({ certificate: 'certs/ec.pfx', password }, dirs());
      assert.strictEqual(String(password), pki.PASSPHRASE);
    });

    for (const [title, given, pattern] of [
      ['C4-42 no certificate', () => ({ certificate: '' }), /certificate is missing/],
      ['C4-42 a missing file', () => ({ certificate: 'certs/none.pem' }), /./],
      ['C4-42 D-09 a file of nothing of sense', () => ({ certificate: 'garbage.pem' }), /./],
      ['C4-51 damaged PEM', () => ({ certificate: '-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n' }), /./],
      ['C4-51 a key that does not fit', () => ({ privateKey: pki.read('alpha.key') }), /./],
      ['C4-51 no key', () => ({ privateKey: '' }), /./],
      ['C4-45 a wrong password', () => ({ certificate: 'certs/ec.pfx', password: 'wrong secret' }), /./],
      ['C4-45 no password', () => ({ certificate: 'certs/rsa.pem', privateKey: 'certs/rsa-encrypted.key' }), /./],
      ['C4-51 a chain of no certificates', () => ({ chain: 'garbage.pem' }), /./],
      ['a certificate of a wrong type', () => ({ certificate: 5 }), /certificate must be a string or a Buffer/],
      ['a password of a wrong type', () => ({ password: 5 }), /password must be a string or a Buffer/],
    ]) {
      it(`${title} is [false, message]`, () => {
        const message = refusal(given(), dirs());
        assert.match(message, pattern);
        assert.ok(!message.includes('wrong secret'));
      });
    }

    for (const name of ['.ec.pem', './certs/ec.pem', '../ec.pem', 'certs/../certs/ec.pem', 'escape.pem', 'certs/ec.pem\n', 'a*b',
      'a?b', 'a|b', 'a~b', 'a\\b', 'a"b', 'a<b', 'C4Z:/../x', 'SANDBOX:/certs/ec.pem', 'OTHER:/certs/ec.pem', '/etc/hostname']) {
      it(`C4-49 D-10 path ${JSON.stringify(name)} is [false, message]`, () => {
        refusal({ certificate: name, privateKey: 'certs/ec.key' }, dirs());
        refusal({ certificate: 'certs/ec.pem', privateKey: name }, dirs());
        refusal({ chain: name }, dirs());
      });
    }
  });

  describe('C4-52 D-11 a handshake that fails', () => {
    it('is no connection, but an event', async () => {
      const { d, port } = await serve({ identifier: 'strict' });
      const plain = await dialTcp(port);
      plain.on('error', () => {}).write('GET / HTTP/1.1\r\n\r\n');
      const [error, about] = await d.first('handshakeError');
      assert.strictEqual(error.code, 'ERR_SSL_HTTP_REQUEST');
      assert.deepStrictEqual(about, { port, address: '127.0.0.1', identifier: 'strict' });
      (await dialTcp(port)).destroy();
      await d.count('handshakeError', 2);
      assert.deepStrictEqual(d.of('connection'), []);
      // The server goes on.
      const client = await dialSecure(tls, port);
      client.write('on\n');
      assert.strictEqual(String(await readBytes(client, 3)), 'on\n');
    });

    it('is one that takes longer than handshakeTimeoutMs', async () => {
      const { d, port } = await serve({}, { limits: { handshakeTimeoutMs: 50 } });
      await dialTcp(port);
      const [error] = await d.first('handshakeError');
      assert.strictEqual(error.code, 'ERR_TLS_HANDSHAKE_TIMEOUT');
    });
  });
});
