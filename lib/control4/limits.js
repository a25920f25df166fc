'use strict';
// What a driver context lets peers and programs occupy, each with its name, default and range.
const check = require('../core/validate');
const { codes } = require('../core/errors');

const MiB = 2 ** 20;
const DAY = 24 * 3600 * 1000;

/** name: [default, least, most]; bytes, counts, and milliseconds where the name ends in Ms. */
const LIMITS = {
  maxConnections: [0, 0, 2 ** 31 - 1],
  maxPendingSend: [16 * MiB, 1, 2 ** 31 - 1],
  maxDelimiterBuffer: [MiB, 1, 2 ** 31 - 1],
  maxUdpPeers: [1024, 1, 2 ** 20],
  udpPeerIdleMs: [300_000, 1, DAY],
  closeTimeoutMs: [10_000, 1, DAY],
  handshakeTimeoutMs: [30_000, 1, 120_000],
};

/**
 * All limits, those that are not given by their defaults.
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE; ERR_INVALID_ARG_VALUE for a name that is none
 */
function readLimits(given = {}) {
  check.object(given, 'options.limits');
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(LIMITS, name)) {
      throw new codes.ERR_INVALID_ARG_VALUE('options.limits', name, `must be of ${Object.keys(LIMITS).join(', ')}`);
    }
  }
  const limits = {};
  for (const [name, [standard, least, most]] of Object.entries(LIMITS)) {
    limits[name] = given[name] ?? standard;
    check.integer(limits[name], `options.limits.${name}`, least, most);
  }
  return Object.freeze(limits);
}

module.exports = { readLimits };
