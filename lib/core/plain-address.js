'use strict';

const MAPPED = '::ffff:';

/** An address without the IPv6 in front that an IPv4 peer has on a socket of both. */
function plainAddress(address = '') {
  return address.startsWith(MAPPED) && address.includes('.') ? address.slice(MAPPED.length) : address;
}

module.exports = { plainAddress };
