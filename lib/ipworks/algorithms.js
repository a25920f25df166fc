'use strict';
// Names of protocol versions, groups and signature algorithms, and what OpenSSL calls them.

// SSLEnabledProtocols: a version is on when any of its two bits is set.
const PROTOCOLS = [
  { wire: 0x0301, bits: 0xc0, off: 0x04000000 },       // SSL_OP_NO_TLSv1
  { wire: 0x0302, bits: 0x300, off: 0x10000000 },
  { wire: 0x0303, bits: 0xc00, off: 0x08000000 },
  { wire: 0x0304, bits: 0x3000, off: 0x20000000 },
];

/**
 * What a sum of bits enables.
 * @returns {{ min: number, max: number, off: number } | null} wire versions and OpenSSL's options for the holes between
 *   them; null: nothing that there is (SSL 2.0 and 3.0 are gone)
 */
function protocols(bits) {
  const on = PROTOCOLS.filter((version) => (bits & version.bits) !== 0);
  if (on.length === 0) return null;
  const { wire: min } = on[0];
  const { wire: max } = on.at(-1);
  const holes = PROTOCOLS.filter((version) => version.wire > min && version.wire < max && !on.includes(version));
  return { min, max, off: holes.reduce((sum, version) => sum + version.off, 0) };
}

const GROUPS = new Map([
  ['ecdhe_x25519', 'X25519'],
  ['ecdhe_x448', 'X448'],
  ['ecdhe_secp256r1', 'P-256'],
  ['ecdhe_secp384r1', 'P-384'],
  ['ecdhe_secp521r1', 'P-521'],
  ['ffdhe_2048', 'ffdhe2048'],
  ['ffdhe_3072', 'ffdhe3072'],
  ['ffdhe_4096', 'ffdhe4096'],
  ['ffdhe_6144', 'ffdhe6144'],
  ['ffdhe_8192', 'ffdhe8192'],
]);

// RSASSA-PSS has a code point for each kind of RSA key.
const pss = (hash) => [`rsa_pss_rsae_${hash}`, `rsa_pss_pss_${hash}`];
const TLS13_SIGNATURES = new Map([
  ['ed25519', ['ed25519']],
  ['ed448', ['ed448']],
  ['ecdsa_secp256r1_sha256', ['ecdsa_secp256r1_sha256']],
  ['ecdsa_secp384r1_sha384', ['ecdsa_secp384r1_sha384']],
  ['ecdsa_secp521r1_sha512', ['ecdsa_secp521r1_sha512']],
  ['rsa_pkcs1_sha256', ['RSA+SHA256']],
  ['rsa_pkcs1_sha384', ['RSA+SHA384']],
  ['rsa_pkcs1_sha512', ['RSA+SHA512']],
  ['rsa_pss_sha256', pss('sha256')],
  ['rsa_pss_sha384', pss('sha384')],
  ['rsa_pss_sha512', pss('sha512')],
]);

const HASHES = ['sha1', 'sha224', 'sha256', 'sha384', 'sha512'];
const KEYS = ['ecdsa', 'rsa', 'dsa'];
const TLS12_SIGNATURES = new Map(HASHES.flatMap((hash) => KEYS.map((key) =>
  [`${hash}-${key}`, [`${key.toUpperCase()}+${hash.toUpperCase()}`]])));

const split = (list) => list.split(',').map((name) => name.trim()).filter((name) => name !== '');

/** The first name of a comma list that `known` does not have, or null. */
function unknown(list, known) {
  return split(list).find((name) => !known.has(name.toLowerCase())) ?? null;
}

const translate = (list, known) => split(list).flatMap((name) => known.get(name.toLowerCase()) ?? []);

module.exports = { GROUPS, TLS12_SIGNATURES, TLS13_SIGNATURES, protocols, translate, unknown };
