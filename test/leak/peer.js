'use strict';

// The other side of the measured program, with Node's own tls.

const tls = require('tls');
const { answerLines } = require('../support/lines');
const { listenEcho } = require('./echo');
const { visit } = require('./visits');

answerLines({
  /** An echo server. */
  async listen() {
    return { port: (await listenEcho(tls)).address().port };
  },

  visit: ({ port, count }) => visit(tls, port, count),
});
