'use strict';

const MAPPED = '::ffff:';

/** An address as drivers know them: that of an IPv4 peer without the IPv6 in front. */
function plainAddress(address = '') {
  return address.startsWith(MAPPED) && address.includes('.') ? address.slice(MAPPED.length) : address;
}

module.exports = { plainAddress };
