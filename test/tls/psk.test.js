'use strict';

// Pre-shared keys: pskCallback and pskIdentityHint, every pairing with Node's tls, and openssl's own programs.

const assert = require('assert');
const net = require('net');
const stream = require('stream');
const pki = require('../support/pki');
const { subject: tls, stock, forEachPairing, betterThanNode } = require('../support/subject');
const { itWith, start } = require('../support/program');
const { track } = require('../support/cleanup');
const { closed, codeOf, dialTcp, echo, event, listen, readAll } = require('../support/net');

const NODE = Number(process.versions.node.split('.')[0]);
const VERSIONS = ['TLSv1.2', 'TLSv1.3'];
const CIPHERS = 'PSK+HIGH:TLS_AES_128_GCM_SHA256';
const KEY = Buffer.from('d731ef57be09e5204f0b205b60627028', 'hex');
const USERS = { me: KEY, 'Zo\u00eb': Buffer.alloc(64, 9) };

/** A listening server without a certificate that knows USERS and echoes: {server, port, asked}. */
async function servePsk(module, options = {}) {
  const asked = [];
  const server = module.createServer({
    ciphers: CIPHERS,
    pskCallback(socket, identity) {
      assert.ok(socket instanceof module.TLSSocket);
      asked.push(identity);
      return USERS[identity];
    },
    ...options,
  }, (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  return { server, port: await listen(server), asked };
}

/** Starts a client that is `identity`: {client, hints}. */
function dialPsk(module, port, options = {}, identity = 'me', psk = USERS[identity]) {
  const hints = [];
  const client = track(module.connect({
    port,
    host: '127.0.0.1',
    ciphers: CIPHERS,
    checkServerIdentity: () => undefined,
    pskCallback(hint) {
      hints.push(hint);
      return { psk, identity };
    },
    ...options,
  }));
  return { client, hints };
}

/** What `raw` gets and gives, one byte at a time. */
class ByteByByte extends stream.Duplex {
  constructor(raw) {
    super();
    this.raw = raw.setNoDelay(true);
    raw.on('data', (chunk) => {
      for (const byte of chunk) this.push(Buffer.of(byte));
    }).on('end', () => this.push(null)).on('error', (error) => this.destroy(error));
  }

  _read() {}

  _write(chunk, _, done) {
    for (const byte of chunk) this.raw.write(Buffer.of(byte));
    done();
  }

  _destroy(error, done) {
    this.raw.destroy();
    done(error);
  }
}

/** The errors that end a handshake: {clientError, serverError}. */
async function refused(serverModule, clientModule, serverOptions, clientOptions, ...who) {
  const { server, port } = await servePsk(serverModule, serverOptions);
  const failed = event(server, 'tlsClientError');
  const { client } = dialPsk(clientModule, port, clientOptions, ...who);
  client.on('secureConnect', () => assert.fail('secure'));
  const clientError = await closed(client);
  const [serverError] = await failed;
  return { clientError, serverError };
}

forEachPairing((serverTls, clientTls) => {
  for (const maxVersion of VERSIONS) {
    const only = { maxVersion };

    it(`${maxVersion}: a key takes the place of certificates`, async () => {
      for (const identity of Object.keys(USERS)) {
        const { server, port, asked } = await servePsk(serverTls, { pskIdentityHint: 'who?' });
        const accepted = event(server, 'secureConnection');
        const { client, hints } = dialPsk(clientTls, port, only, identity);
        await event(client, 'secureConnect');
        const [socket] = await accepted;
        assert.strictEqual(client.getProtocol(), maxVersion);
        assert.deepStrictEqual(client.getCipher(), socket.getCipher());
        assert.strictEqual(client.authorized, true);
        assert.strictEqual(client.authorizationError, null);
        assert.deepStrictEqual(client.getPeerCertificate(), {});
        assert.strictEqual(client.isSessionReused(), maxVersion === 'TLSv1.3');
        assert.deepStrictEqual(asked, [identity]);
        assert.deepStrictEqual(hints, [maxVersion === 'TLSv1.3' ? null : 'who?']);
        const text = 'x'.repeat(50_000);
        assert.strictEqual(await echo(client, text), text);
        socket.end();
        await event(client, 'end');
      }
    });

    it(`${maxVersion}: requestCert takes a key for a certificate`, async function() {
      // Servers of Node's own tls refuse such clients from Node 24 on, its own too.
      if (serverTls !== tls && NODE >= 24) this.skip();
      const { server, port } = await servePsk(serverTls, { requestCert: true });
      const accepted = event(server, 'secureConnection');
      const { client } = dialPsk(clientTls, port, only);
      await event(client, 'secureConnect');
      const [socket] = await accepted;
      assert.strictEqual(socket.authorized, true);
      assert.strictEqual(socket.authorizationError, null);
    });

    it(`${maxVersion}: a wrong key is refused`, async () => {
      const { clientError, serverError } = await refused(serverTls, clientTls, {}, only, 'me', Buffer.alloc(16));
      if (maxVersion === 'TLSv1.3') {
        assert.strictEqual(serverError.code, 'ERR_SSL_BINDER_DOES_NOT_VERIFY');
        // OpenSSL 3.4 chose another alert.
        assert.ok([
          'ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR', 'ERR_SSL_SSLV3_ALERT_ILLEGAL_PARAMETER',
        ].includes(codeOf(clientError)), clientError.code);
      } else {
        assert.strictEqual(serverError.code, 'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC');
        assert.strictEqual(codeOf(clientError), 'ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC');
      }
    });

    it(`${maxVersion}: an unknown identity is refused`, async () => {
      const { clientError, serverError } = await refused(serverTls, clientTls, {}, only, 'you', KEY);
      if (maxVersion === 'TLSv1.3') {
        assert.strictEqual(serverError.code, 'ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM');
        assert.strictEqual(codeOf(clientError), 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE');
      } else {
        assert.strictEqual(serverError.code, 'ERR_SSL_PSK_IDENTITY_NOT_FOUND');
        assert.strictEqual(clientError.code, 'ERR_SSL_TLSV1_ALERT_UNKNOWN_PSK_IDENTITY');
      }
    });

    it(`${maxVersion}: a session of a key is resumed`, async () => {
      const { server, port, asked } = await servePsk(serverTls);
      const { client: first } = dialPsk(clientTls, port, only);
      const given = event(first, 'session');
      await event(first, 'secureConnect');
      assert.strictEqual(await echo(first), 'ping');
      const [session] = await given;
      first.destroy();
      asked.length = 0;
      const accepted = event(server, 'secureConnection');
      const { client } = dialPsk(clientTls, port, { ...only, session });
      await event(client, 'secureConnect');
      const [socket] = await accepted;
      assert.strictEqual(client.isSessionReused(), true);
      assert.strictEqual(socket.isSessionReused(), true);
      assert.strictEqual(client.authorized, true);
      assert.strictEqual(await echo(client), 'ping');
      // What is no name is not asked for: tickets. Node asks for one up to its first zero, where that is UTF-8.
      if (serverTls === tls) assert.ok(asked.every((identity) => identity === 'me'), asked.join());
    });

    it(`${maxVersion}: clients without a key get the certificate`, async () => {
      const ciphers = `${CIPHERS}:HIGH`;
      const { port, asked } = await servePsk(serverTls, { ...pki.pair('ec'), ciphers });
      for (const pskCallback of [undefined, () => null]) {
        if (pskCallback && maxVersion === 'TLSv1.2') continue;   // the server's choice of suite: there it must have one
        const { client } = dialPsk(clientTls, port, {
          ...only, pskCallback, ciphers, ca: pki.ca, servername: 'localhost',
        });
        await event(client, 'secureConnect');
        assert.strictEqual(client.getPeerCertificate().subject.CN, 'localhost');
      }
      assert.deepStrictEqual(asked, []);
    });
  }

  it('a client of both versions is asked again below TLS 1.3', async () => {
    const { port } = await servePsk(serverTls, { maxVersion: 'TLSv1.2', pskIdentityHint: 'who?' });
    const { client, hints } = dialPsk(clientTls, port);
    await event(client, 'secureConnect');
    assert.deepStrictEqual(hints, [null, 'who?']);
  });

  it('a server takes { psk } as well as bytes, and any view of bytes', async () => {
    const views = [{ psk: KEY }, new Uint8Array(KEY), new DataView(Uint8Array.from(KEY).buffer)];
    for (const given of views.filter((one) => !(stock && one instanceof DataView))) {
      const { port } = await servePsk(serverTls, { pskCallback: () => given });
      const { client } = dialPsk(clientTls, port);
      await event(client, 'secureConnect');
      client.destroy();
    }
  });
});

describe('pskCallback', () => {
  const WRONG = [
    ['throws', () => { throw Object.assign(new Error('boom'), { code: 'BOOM' }); }, 'BOOM', /^boom$/],
    ['gives a number', () => 3, 'ERR_INVALID_ARG_TYPE', /^The "ret" argument must be .* Received type number \(3\)$/],
    ['gives a key that is no bytes', () => ({ psk: 'x', identity: 'me' }), 'ERR_INVALID_ARG_TYPE',
      /^The "psk" argument must be an instance of Buffer, TypedArray, or DataView\. Received type string \('x'\)$/],
    ['gives a key that is too long', () => ({ psk: Buffer.alloc(513), identity: 'me' }), 'ERR_INVALID_ARG_VALUE',
      /^The argument 'psk' Pre-shared key exceeds 512 bytes\. Received <Buffer 00/],
  ];
  const WRONG_CLIENT = [
    ...WRONG,
    ['gives bytes alone', () => KEY, 'ERR_INVALID_ARG_TYPE', /^The "psk" argument must be/],
    ['gives an identity that is no string', () => ({ psk: KEY, identity: 5 }), 'ERR_INVALID_ARG_TYPE',
      /^The "identity" argument must be of type string\. Received type number \(5\)$/],
    ['gives an identity that is too long', () => ({ psk: KEY, identity: 'x'.repeat(257) }), 'ERR_INVALID_ARG_VALUE',
      /^The argument 'identity' PSK identity exceeds 256 bytes\. Received 'xxx/],
  ];

  for (const maxVersion of VERSIONS) {
    for (const [what, pskCallback, code, message] of WRONG) {
      it(`${maxVersion}: a server's that ${what} ends that connection alone`, async () => {
        let wrong = true;
        const { server, port } = await servePsk(tls, {
          maxVersion, pskCallback: (...args) => (wrong ? pskCallback(...args) : KEY),
        });
        const failed = event(server, 'tlsClientError');
        const { client } = dialPsk(tls, port);
        assert.strictEqual((await closed(client)).code, 'ECONNRESET');
        const [error, socket] = await failed;
        assert.strictEqual(error.code, code);
        assert.match(error.message, message);
        assert.strictEqual(socket.destroyed, true);
        wrong = false;
        const { client: next } = dialPsk(tls, port);
        await event(next, 'secureConnect');
        assert.strictEqual(await echo(next), 'ping');
      });
    }

    for (const [what, pskCallback, code, message] of WRONG_CLIENT) {
      it(`${maxVersion}: a client's that ${what} destroys the socket`, async () => {
        const { port } = await servePsk(tls, { maxVersion });
        const error = await closed(dialPsk(tls, port, { maxVersion, pskCallback }).client);
        assert.strictEqual(error.code, code);
        assert.match(error.message, message);
      });
    }

    it(`${maxVersion}: may destroy the socket`, async () => {
      const { server, port } = await servePsk(tls, {
        maxVersion,
        pskCallback(socket) {
          socket.destroy();
          return KEY;
        },
      });
      const failed = event(server, 'tlsClientError');
      assert.strictEqual((await closed(dialPsk(tls, port).client)).code, 'ECONNRESET');
      assert.strictEqual((await failed)[0].code, 'ECONNRESET');
    });
  }

  it('of a client without a key for a suite that needs one fails', async () => {
    const only = { maxVersion: 'TLSv1.2' };
    const { clientError, serverError } = await refused(tls, tls, only, { ...only, pskCallback: () => null });
    assert.strictEqual(clientError.code, 'ERR_SSL_PSK_IDENTITY_NOT_FOUND');
    assert.strictEqual(codeOf(serverError), 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE');
  });

  it('may be as long as OpenSSL allows', async () => {
    const [identity, psk] = ['\u00eb'.repeat(128), Buffer.alloc(512, 1)];
    for (const maxVersion of VERSIONS) {
      const { port } = await servePsk(tls, {
        maxVersion, pskIdentityHint: 'h'.repeat(256), pskCallback: (_, name) => (name === identity ? psk : null),
      });
      const { client, hints } = dialPsk(tls, port, { maxVersion }, identity, psk);
      await event(client, 'secureConnect');
      assert.deepStrictEqual(hints, [maxVersion === 'TLSv1.3' ? null : 'h'.repeat(256)]);
    }
  });

  it('is checked with the other options', () => {
    for (const [options, name] of [
      [{ pskCallback: 3 }, 'options.pskCallback'],
      [{ pskCallback() {}, pskIdentityHint: 3 }, 'options.pskIdentityHint'],
    ]) {
      assert.throws(() => tls.createServer(options), (error) =>
        error.code === 'ERR_INVALID_ARG_TYPE' && error.message.startsWith(`The "${name}" property must be of type`));
    }
    assert.throws(() => tls.connect({ port: 1, pskCallback: 3 }), {
      code: 'ERR_INVALID_ARG_TYPE',
      message: 'The "pskCallback" argument must be of type function. Received type number (3)',
    });
    assert.throws(() => new tls.TLSSocket(new net.Socket(), { isServer: true, pskCallback() {}, pskIdentityHint: 3 }), {
      code: 'ERR_INVALID_ARG_TYPE',
    });
  });

  it('a hint that is too long is a tlsClientError of each connection', async () => {
    const { clientError, serverError } = await refused(tls, tls, { pskIdentityHint: 'x'.repeat(257) }, {});
    assert.strictEqual(serverError.code, 'ERR_TLS_PSK_SET_IDENTIY_HINT_FAILED');
    assert.strictEqual(serverError.message, 'Failed to set PSK identity hint');
    assert.strictEqual(clientError.code, 'ECONNRESET');
  });

  it('is asked once, however the bytes of the handshake come', async () => {
    for (const maxVersion of VERSIONS) {
      const { port, asked } = await servePsk(tls, { maxVersion, pskIdentityHint: 'who?' });
      const { client, hints } = dialPsk(tls, undefined, { maxVersion, socket: new ByteByByte(await dialTcp(port)) });
      await event(client, 'secureConnect');
      assert.deepStrictEqual([asked.length, hints.length], [1, 1]);
      assert.strictEqual(await echo(client), 'ping');
    }
  });
});

describe('hostile clients of a server with keys', () => {
  /** A record of handshake messages in clear. */
  function record(...messages) {
    const content = Buffer.concat(messages);
    return Buffer.concat([Buffer.of(22, 3, 3, content.length >> 8, content.length & 255), content]);
  }

  function message(type, body) {
    return Buffer.concat([Buffer.of(type, body.length >> 16, body.length >> 8 & 255, body.length & 255), body]);
  }

  /** A ClientHello for TLS 1.2 with PSK-AES128-GCM-SHA256 alone. */
  const HELLO = message(1, Buffer.concat([
    Buffer.of(3, 3), Buffer.alloc(32, 7), Buffer.of(0, 0, 2, 0, 0xa8, 1, 0),
  ]));

  const exchange = (length, identity) => message(16, Buffer.concat([Buffer.of(length >> 8, length & 255), identity]));

  for (const [what, last, code, calls] of [
    ['an identity that is too long', exchange(300, Buffer.alloc(300, 'x')), 'ERR_SSL_DATA_LENGTH_TOO_LONG', 0],
    ['an identity shorter than it says', exchange(9, Buffer.from('me')), 'ERR_SSL_LENGTH_MISMATCH', 0],
    ['an identity that is no UTF-8', exchange(2, Buffer.of(0xff, 0xfe)), 'ERR_SSL_PSK_IDENTITY_NOT_FOUND', 0],
    ['an identity with a zero byte', exchange(4, Buffer.from('me\0x')), 'ERR_SSL_PSK_IDENTITY_NOT_FOUND', 0],
    ['bytes behind the identity', message(16, Buffer.from('\0\x02me!')), 'ERR_SSL_LENGTH_MISMATCH', 1],
  ]) {
    it(`${what}: refused`, async function() {
      betterThanNode(this);
      const { server, port, asked } = await servePsk(tls, { maxVersion: 'TLSv1.2', ciphers: 'PSK-AES128-GCM-SHA256' });
      for (const pieces of [1, Infinity]) {
        asked.length = 0;
        const failed = event(server, 'tlsClientError');
        const raw = await dialTcp(port);
        raw.on('error', () => {}).write(record(HELLO));
        await event(raw, 'data');
        const bytes = record(last);
        for (let at = 0; at < bytes.length; at += pieces) raw.write(bytes.subarray(at, at + pieces));
        assert.strictEqual((await failed)[0].code, code);
        assert.strictEqual(asked.length, calls);
        raw.destroy();
      }
      const { client } = dialPsk(tls, port);
      await event(client, 'secureConnect');
    });
  }
});

describe('openssl', () => {
  for (const [version, flag] of [['TLSv1.2', '-tls1_2'], ['TLSv1.3', '-tls1_3']]) {
    const keyed = ['-psk', KEY.toString('hex'), '-psk_identity', 'me'];
    const suites = flag === '-tls1_2' ? ['-cipher', 'PSK+HIGH'] : ['-ciphersuites', 'TLS_AES_128_GCM_SHA256'];

    itWith('openssl', `${version}: s_client finds its key`, async () => {
      const { port, asked } = await servePsk(tls, { pskIdentityHint: 'who?' });
      const client = start('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, flag, ...suites, ...keyed]);
      client.write('ping\n');
      await client.waitFor(/^ping$/m);
      assert.deepStrictEqual(asked, ['me']);
    }, ['version']);

    itWith('openssl', `${version}: s_client with another key is refused`, async () => {
      const { server, port } = await servePsk(tls);
      const failed = event(server, 'tlsClientError');
      const client = start('openssl', [
        's_client', '-connect', `127.0.0.1:${port}`, flag, ...suites, '-psk', '00ff', '-psk_identity', 'me',
      ]);
      assert.match((await failed)[0].code, /^ERR_SSL_(BINDER_DOES_NOT_VERIFY|DECRYPTION_FAILED_OR_BAD_RECORD_MAC)$/);
      assert.strictEqual((await client.endInput().ended).code, 1);
    }, ['version']);

    itWith('openssl', `${version}: s_server finds the key of a client`, async () => {
      const server = start('openssl', [
        's_server', '-accept', '127.0.0.1:0', flag, ...suites, ...keyed, '-psk_hint', 'who?', '-nocert', '-rev',
      ]);
      const [, port] = await server.waitFor(/ACCEPT \S+:(\d+)/);
      const { client, hints } = dialPsk(tls, Number(port));
      await event(client, 'secureConnect');
      assert.strictEqual(client.getProtocol(), version);
      // A client of both versions is asked for each.
      assert.deepStrictEqual(hints, version === 'TLSv1.3' ? [null] : [null, 'who?']);
      client.end('hello\n');
      assert.strictEqual(String(await readAll(client)), 'olleh\n');
    }, ['version']);
  }
});
