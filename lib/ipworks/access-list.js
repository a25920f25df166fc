'use strict';
// AllowedClients and BlockedClients: hosts and addresses with commas between them, `*` for any characters.
const dns = require('dns');
const net = require('net');

/** Addresses and patterns of them. A host may be of hexadecimal letters too: `cafe.example`. */
const isAddress = (entry) => /^[\d.*]+$/.test(entry) || /^(?=.*[*:])[\d.*:a-f]+$/i.test(entry) || net.isIP(entry) !== 0;

const entries = (list) => list.split(',').map((entry) => entry.trim()).filter((entry) => entry !== '');

/**
 * Addresses of the hosts in a list; patterns of addresses stay as they are.
 * @param {string} list
 * @param {(host: string) => void} onUnknown is told of a host that nobody knows, and that matches nobody therefore
 * @returns {Promise<string[]>}
 */
async function resolveList(list, onUnknown) {
  const found = await Promise.all(entries(list).map(async (entry) => {
    if (isAddress(entry)) return [entry];
    try {
      return (await dns.promises.lookup(entry, { all: true })).map(({ address }) => address);
    } catch {
      onUnknown(entry);
      return [];
    }
  }));
  return found.flat();
}

module.exports = { resolveList };
