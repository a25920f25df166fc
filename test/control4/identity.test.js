'use strict';

// Identities of the addon in real handshakes: what a server shows, and whose certificates it trusts.

const assert = require('assert');
const path = require('path');
const nodeTls = require('tls');
const tls = require('../..');
const binding = require('../../lib/core/binding');
const pki = require('../support/pki');
const { dial, dialSecure, echo, event, serveEcho } = require('../support/net');
const { stock } = require('../support/subject');

/** A server with what the arguments name, each a path among the test certificates, for clients that ask for a name. */
function serveIdentity(options, tlsOptions) {
  const buffers = Object.fromEntries(Object.entries(options).map(([name, text]) => [name, Buffer.from(text)]));
  const bases = [{ name: 'C4Z', path: path.dirname(pki.path('ca.pem')) }];
  const secureContext = tls.createSecureContext({ ca: pki.read('beta.pem') });
  binding.loadIdentity({ ...buffers, bases }).applyTo(secureContext.context.native);
  return serveEcho(tls, { ...pki.pair('beta'), SNICallback: (name, found) => found(null, secureContext), ...tlsOptions });
}

describe('identities', () => {
  before(function () {
    if (stock) this.skip();
  });

  it('C4-39 C4-41 C4-46: the chain is sent behind the certificate', async () => {
    for (const options of [
      { certificate: 'chain.pem', privateKey: 'deep.key' },
      { certificate: 'deep.pem', privateKey: 'deep.key', chain: 'C4Z:/intermediate.pem' },
    ]) {
      const { port } = await serveIdentity(options);
      const client = await dialSecure(nodeTls, port);       // trusts the root alone
      assert.strictEqual(await echo(client), 'ping');
    }
    const { port } = await serveIdentity({ certificate: 'ec.pfx', password: pki.PASSPHRASE });
    assert.strictEqual(await echo(await dialSecure(nodeTls, port)), 'ping');
  });

  for (const [chain, trusted] of [['ca.pem', true], ['client.pem', true], ['otherca.pem', false], ['', false]]) {
    it(`C4-36 D-07: a client of 'ca' is ${trusted ? 'accepted' : 'refused'} by a server with chain '${chain}'`, async () => {
      const { server, port } = await serveIdentity({ certificate: 'ec.pem', privateKey: 'ec.key', chain }, {
        requestCert: true, rejectUnauthorized: true,
      });
      const verdict = trusted ? event(server, 'secureConnection') : event(server, 'tlsClientError');
      dial(nodeTls, port, pki.pair('client')).on('error', () => {});
      const [first] = await verdict;
      assert.strictEqual(first.authorized === true, trusted, `${first}`);
    });
  }
});
