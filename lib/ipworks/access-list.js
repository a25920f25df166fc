'use strict';
// AllowedClients and BlockedClients: hosts and addresses with commas between them, `*` for any characters.
const dns = require('dns');
const net = require('net');

const ADDRESS = /^[\d.*:a-f]+$/i;

const entries = (list) => list.split(',').map((entry) => entry.trim()).filter((entry) => entry !== '');

/**
 * Addresses of the hosts in a list; patterns of addresses stay as they are. A host that nobody knows matches nobody.
 * @returns {Promise<string[]>}
 */
async function resolveList(list) {
  const found = await Promise.all(entries(list).map(async (entry) => {
    if (ADDRESS.test(entry) || net.isIP(entry) !== 0) return [entry];
    const addresses = await dns.promises.lookup(entry, { all: true }).catch(() => []);
    return addresses.map(({ address }) => address);
  }));
  return found.flat();
}

module.exports = { resolveList };
