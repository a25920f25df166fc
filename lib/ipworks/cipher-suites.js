'use strict';
// Names of cipher suites, as SSLEnabledCipherSuites has them, and OpenSSL's names for them.

// Up to TLS 1.2: IANA's name, OpenSSL's, bits of the bulk cipher.
const SUITES = new Map([
  ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
  ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
  ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
  ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ['TLS_DHE_RSA_WITH_AES_256_GCM_SHA384', 'DHE-RSA-AES256-GCM-SHA384'],
  ['TLS_DHE_RSA_WITH_AES_128_GCM_SHA256', 'DHE-RSA-AES128-GCM-SHA256'],
  ['TLS_DHE_DSS_WITH_AES_256_GCM_SHA384', 'DHE-DSS-AES256-GCM-SHA384'],
  ['TLS_DHE_DSS_WITH_AES_128_GCM_SHA256', 'DHE-DSS-AES128-GCM-SHA256'],
  ['TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384', 'ECDHE-ECDSA-AES256-SHA384'],
  ['TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384', 'ECDHE-RSA-AES256-SHA384'],
  ['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256', 'ECDHE-ECDSA-AES128-SHA256'],
  ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256', 'ECDHE-RSA-AES128-SHA256'],
  ['TLS_DHE_RSA_WITH_AES_256_CBC_SHA256', 'DHE-RSA-AES256-SHA256'],
  ['TLS_DHE_RSA_WITH_AES_128_CBC_SHA256', 'DHE-RSA-AES128-SHA256'],
  ['TLS_DHE_DSS_WITH_AES_256_CBC_SHA256', 'DHE-DSS-AES256-SHA256'],
  ['TLS_DHE_DSS_WITH_AES_128_CBC_SHA256', 'DHE-DSS-AES128-SHA256'],
  ['TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA', 'ECDHE-ECDSA-AES256-SHA'],
  ['TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA', 'ECDHE-RSA-AES256-SHA'],
  ['TLS_DHE_RSA_WITH_AES_256_CBC_SHA', 'DHE-RSA-AES256-SHA'],
  ['TLS_DHE_DSS_WITH_AES_256_CBC_SHA', 'DHE-DSS-AES256-SHA'],
  ['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA', 'ECDHE-ECDSA-AES128-SHA'],
  ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', 'ECDHE-RSA-AES128-SHA'],
  ['TLS_DHE_RSA_WITH_AES_128_CBC_SHA', 'DHE-RSA-AES128-SHA'],
  ['TLS_DHE_DSS_WITH_AES_128_CBC_SHA', 'DHE-DSS-AES128-SHA'],
  ['TLS_RSA_WITH_AES_256_GCM_SHA384', 'AES256-GCM-SHA384'],
  ['TLS_RSA_WITH_AES_128_GCM_SHA256', 'AES128-GCM-SHA256'],
  ['TLS_RSA_WITH_AES_256_CBC_SHA256', 'AES256-SHA256'],
  ['TLS_RSA_WITH_AES_128_CBC_SHA256', 'AES128-SHA256'],
  ['TLS_RSA_WITH_AES_256_CBC_SHA', 'AES256-SHA'],
  ['TLS_RSA_WITH_AES_128_CBC_SHA', 'AES128-SHA'],
]);

const TLS13_SUITES = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'];

// Known, and not to be had: nobody should be told that such a name is a mistake of spelling.
const STATIC_DH = 'static Diffie-Hellman is not part of OpenSSL any more';
const WEAK = 'OpenSSL is built without this cipher, which is broken';
const ANONYMOUS = 'a suite without authentication is never used';

function refusal(name) {
  if (/_ANON_|_NULL_/i.test(name)) return ANONYMOUS;
  if (/_(3DES_EDE|DES|RC4_128)_/.test(name)) return WEAK;
  if (/^TLS_(ECDH|DH)_(RSA|ECDSA|DSS)_/.test(name)) return STATIC_DH;
  return null;
}

// Schannel's identifiers: those that choose suites, by a part of the suite's name.
const CALG = new Map([
  ['CALG_AES', /_AES_/],
  ['CALG_AES_128', /_AES_128_/],
  ['CALG_AES_256', /_AES_256_/],
  ['CALG_DH_EPHEM', /^TLS_DHE_/],
  ['CALG_ECDH_EPHEM', /^TLS_ECDHE_/],
  ['CALG_ECDSA', /_ECDSA_WITH_/],
  ['CALG_RSA_KEYX', /^TLS_RSA_/],
  ['CALG_RSA_SIGN', /^TLS_(\w+_)?RSA_/],
  ['CALG_SHA', /_SHA$/],
  ['CALG_SHA1', /_SHA$/],
  ['CALG_SHA_256', /_SHA256$/],
  ['CALG_SHA_384', /_SHA384$/],
]);

// Those that mean no suite that there is. They may stand in a list, and choose nothing.
const CALG_EMPTY = new Set(`3DES 3DES_112 AES_192 AGREEDKEY_ANY CYLINK_MEK DES DESX DH_SF DSS_SIGN ECDH ECMQV
  HASH_REPLACE_OWF HUGHES_MD5 HMAC KEA_KEYX MAC MD2 MD4 MD5 NO_SIGN OID_INFO_CNG_ONLY OID_INFO_PARAMETERS PCT1_MASTER
  RC2 RC4 RC5 SCHANNEL_ENC_KEY SCHANNEL_MAC_KEY SCHANNEL_MASTER_HASH SEAL SHA_512 SKIPJACK SSL2_MASTER SSL3_MASTER
  SSL3_SHAMD5 TEK TLS1_MASTER TLS1PRF`.split(/\s+/).map((name) => `CALG_${name}`));

/** Bits of a suite's bulk cipher, by IANA's name. */
function strength(name) {
  return /_AES_256_|_CHACHA20_/.test(name) ? 256 : 128;
}

/**
 * What a list of names chooses.
 * @param {string} list `*`, or names with semicolons between them
 * @param {number} least bits of the bulk cipher
 * @returns {{ tls12: string[], tls13: string[], problem: string | null }} OpenSSL's names up to TLS 1.2, IANA's above;
 *   `problem`: why a name cannot be used, null when there is none
 */
function choose(list, least) {
  const chosen = new Set();
  let problem = null;
  const names = list.split(';').map((name) => name.trim()).filter((name) => name !== '');
  for (const given of names) {
    const name = given.toUpperCase();
    if (name === '*') {
      for (const known of [...SUITES.keys(), ...TLS13_SUITES]) chosen.add(known);
    } else if (SUITES.has(name) || TLS13_SUITES.includes(name)) {
      chosen.add(name);
    } else if (CALG.has(name)) {
      const part = CALG.get(name);
      for (const known of SUITES.keys()) if (part.test(known)) chosen.add(known);
    } else if (!CALG_EMPTY.has(name)) {
      problem ??= `${given}: ${refusal(name) ?? 'no such cipher suite'}`;
    }
  }
  const strong = (name) => chosen.has(name) && strength(name) >= least;
  return {
    tls12: [...SUITES.keys()].filter(strong).map((name) => SUITES.get(name)),
    tls13: TLS13_SUITES.filter(strong),
    problem,
  };
}

module.exports = { choose, strength };
