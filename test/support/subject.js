'use strict';

// The module under test. C4TLS_TEST_MODULE=tls runs the same tests against Node's own tls, which shows
// whether an expectation is Node's: what c4tls does better is skipped there (`betterThanNode`).

const tls = require('tls');

const name = process.env.C4TLS_TEST_MODULE || '../..';
const subject = require(name);

/** True while Node's own tls stands in for c4tls. */
const stock = subject === tls;

/** For a test body `function () { betterThanNode(this); ... }`: where c4tls promises more than Node does. */
function betterThanNode(context) {
  if (stock) context.skip();
}

/** Who plays which part in tests that hold for every pairing of the two implementations. */
const pairings = stock ? [['tls', tls, 'tls', tls]] : [
  ['c4tls', subject, 'tls', tls],
  ['tls', tls, 'c4tls', subject],
  ['c4tls', subject, 'c4tls', subject],
];

/** Calls define(serverTls, clientTls) within one describe block per pairing. */
function forEachPairing(define) {
  for (const [serverName, server, clientName, client] of pairings) {
    describe(`${serverName} server, ${clientName} client`, () => define(server, client));
  }
}

module.exports = { subject, stock, betterThanNode, forEachPairing, moduleName: name };
