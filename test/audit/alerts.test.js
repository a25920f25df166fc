'use strict';

// The alert that a refused client gets, by its number, as openssl tells it. Numbers: RFC 8446, section 6.

const assert = require('assert');
const pki = require('../support/pki');
const { subject, betterThanNode } = require('../support/subject');
const { isInstalled, run } = require('../support/program');
const { event, serve } = require('../support/net');

const HANDSHAKE_FAILURE = 40;
const UNSUPPORTED_CERTIFICATE = 43;
const CERTIFICATE_REVOKED = 44;
const CERTIFICATE_EXPIRED = 45;
const UNKNOWN_CA = 48;
const PROTOCOL_VERSION = 70;
const CERTIFICATE_REQUIRED = 116;

/** The alert's number and the server's tlsClientError of one openssl client. */
async function refusal(serverOptions, args) {
  const { server, port } = await serve(subject, serverOptions);
  const failed = event(server, 'tlsClientError');
  // In TLS 1.3 the client has done its part before it is refused: it must read on.
  const { stderr, stdout } = await run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-ign_eof', ...args]);
  const [error] = await failed;
  const { code } = error.cause ?? error;
  return { alert: Number(/SSL alert number (\d+)/.exec(stderr + stdout)?.[1]), code };
}

describe('audit: the alert to', function () {
  before(function () {
    betterThanNode(this);
    if (!isInstalled('openssl', ['version'])) this.skip();
  });

  for (const [version, flag] of [['TLSv1.2', '-tls1_2'], ['TLSv1.3', '-tls1_3']]) {
    for (const [name, alert, code] of [
      ['client-untrusted', UNKNOWN_CA, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
      ['client-expired', CERTIFICATE_EXPIRED, 'CERT_HAS_EXPIRED'],
      ['client-wrong-usage', UNSUPPORTED_CERTIFICATE, 'INVALID_PURPOSE'],
      ['client-revoked', CERTIFICATE_REVOKED, 'CERT_REVOKED'],
      [null, version === 'TLSv1.3' ? CERTIFICATE_REQUIRED : HANDSHAKE_FAILURE, 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE'],
    ]) {
      it(`${name ?? 'a client without certificate'} (${version}) is ${alert}`, async () => {
        const pair = name ? ['-cert', pki.path(`${name}.pem`), '-key', pki.path(`${name}.key`)] : [];
        const seen = await refusal({ requestCert: true, ca: pki.ca, crl: pki.read('crl.pem') }, [flag, ...pair]);
        assert.deepStrictEqual(seen, { alert, code });
      });
    }
  }

  it(`a client of another version is ${PROTOCOL_VERSION}`, async () => {
    assert.deepStrictEqual(await refusal({ minVersion: 'TLSv1.3' }, ['-tls1_2']),
      { alert: PROTOCOL_VERSION, code: 'ERR_SSL_UNSUPPORTED_PROTOCOL' });
  });

  it(`a client without a shared cipher is ${HANDSHAKE_FAILURE}`, async () => {
    const options = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' };
    assert.deepStrictEqual(await refusal(options, ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES256-GCM-SHA384']),
      { alert: HANDSHAKE_FAILURE, code: 'ERR_SSL_NO_SHARED_CIPHER' });
  });
});
