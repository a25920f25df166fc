'use strict';
// Configuration settings: what config('NAME=VALUE') stores and config('NAME') reads, all of it text.
const binding = require('../core/binding');
const { GROUPS, TLS12_SIGNATURES, TLS13_SIGNATURES, unknown } = require('./algorithms');
const { choose } = require('./cipher-suites');
const { failure } = require('./errors');
const { isReading } = require('./negotiated');

const INVALID_ARGUMENT = 10022;

const invalid = (name, text) => failure(INVALID_ARGUMENT, `${name}: ${text}`);

// ---- kinds of values. Each takes what was given and gives what is stored, or throws.

const text = (initial) => ({ initial, parse: (value) => value });

const flag = (initial) => ({
  initial,
  parse(value, name) {
    if (/^(true|1|yes)$/i.test(value.trim())) return 'True';
    if (/^(false|0|no)$/i.test(value.trim())) return 'False';
    throw invalid(name, 'expected True, False, 1, 0, Yes or No');
  },
});

/** A whole number, decimal or with 0x. */
const number = (initial, min, max) => ({
  initial: String(initial),
  parse(value, name) {
    const trimmed = value.trim();
    const found = /^(\d+|0x[\da-f]+)$/i.test(trimmed) ? Number(trimmed) : NaN;
    if (found >= min && found <= max) return String(found);
    throw invalid(name, `expected a whole number from ${min} to ${max}`);
  },
});

/** Names with commas between them. */
const names = (initial, known) => ({
  initial,
  parse(value, name) {
    const strange = unknown(value, known);
    if (strange === null) return value;
    throw invalid(name, `"${strange}" is none of ${[...known.keys()].join(', ')}`);
  },
});

const suites = {
  initial: '*',
  parse(value, name) {
    const { problem } = choose(value, 0);
    if (problem === null) return value;
    throw failure(270, `${name}: ${problem}`);
  },
};

const codePage = {
  initial: '65001',
  parse(value, name) {
    const page = number(0, 0, 0xffffffff).parse(value, name);
    if (binding.hasCodePage(Number(page))) return page;
    throw invalid(name, `code page ${page} is not supported`);
  },
};

const readOnly = (read) => ({
  initial: read(),
  parse(value, name) { throw invalid(name, 'this setting can only be read'); },
});

/** Most bytes or milliseconds. */
const MOST = 2 ** 31 - 1;
const SIGNATURES_12 = ['sha512', 'sha384', 'sha256', 'sha224', 'sha1']
  .flatMap((hash) => ['ecdsa', 'rsa', 'dsa'].map((key) => `${hash}-${key}`)).join(',');
const SIGNATURES_13 = 'rsa_pss_sha256,rsa_pss_sha384,rsa_pss_sha512,rsa_pkcs1_sha256,rsa_pkcs1_sha384,rsa_pkcs1_sha512,' +
  'ecdsa_secp256r1_sha256,ecdsa_secp384r1_sha384,ecdsa_secp521r1_sha512,ed25519,ed448';

/** Settings that every component has. */
const BASE = {
  BuildInfo: readOnly(() => `c4tls ${binding.versions().c4tls}, ${binding.versions().openssl}`),
  CodePage: codePage,
  LicenseInfo: readOnly(() => ['Product: c4tls', 'Product Key: none', 'License Source: MIT', 'License Type: open source',
    'Last Valid Build: every'].join('\r\n')),
  MaskSensitiveData: flag('True'),
  SelectWaitMillis: number(20, 0, MOST),
  UseInternalSecurityAPI: flag('False'),
};

/** Settings of a listening socket and of its connections. */
const TCP = {
  AllowedClients: text('*'),
  BindExclusively: flag('True'),
  BlockedClients: text(''),
  DefaultConnectionTimeout: number(0, 0, 86400 * 24),
  InBufferSize: number(0, 0, MOST),
  KeepAliveInterval: number(1000, 0, MOST),
  KeepAliveTime: number(7200000, 0, MOST),
  MaxConnections: {
    ...number(1000, 1, 100000),
    fixedWhileListening: 108,
  },
  OutBufferSize: number(0, 0, MOST),
  TcpNoDelay: flag('False'),
  UseIPv6: number(0, 0, 2),
};

/** Settings of TLS. */
const TLS = {
  LogSSLPackets: flag('False'),
  OpenSSLCADir: text(''),
  OpenSSLCAFile: text(''),
  OpenSSLCipherList: text('DEFAULT'),
  OpenSSLPrngSeedData: text(''),
  ReuseSSLSession: flag('False'),
  SSLAcceptAnyServerCert: flag('False'),
  SSLCACerts: text(''),
  SSLCipherStrength: number(0, 0, 1 << 16),
  SSLClientCACerts: text(''),
  SSLEnabledCipherSuites: suites,
  SSLEnabledProtocols: number(3072, 0, 0xffff),
  SSLEnableRenegotiation: flag('False'),
  SSLIncludeCertChain: flag('False'),
  SSLKeyLogFile: text(''),
  SSLSecurityFlags: number(0, 0, 0xffffffff),
  SSLServerCACerts: text(''),
  TLS12SignatureAlgorithms: names(SIGNATURES_12, TLS12_SIGNATURES),
  TLS12SupportedGroups: names('ecdhe_secp256r1,ecdhe_secp384r1,ecdhe_secp521r1', GROUPS),
  TLS13KeyShareGroups: names('ecdhe_x25519,ecdhe_secp256r1,ecdhe_secp384r1,ffdhe_2048,ffdhe_3072', GROUPS),
  TLS13SignatureAlgorithms: names(SIGNATURES_13, TLS13_SIGNATURES),
  TLS13SupportedGroups: names([...GROUPS.keys()].join(','), GROUPS),
};

/** Settings with a second name. */
const ALIASES = new Map([['masksensitive', 'masksensitivedata']]);

/** A component's settings: a table by name, and what was set. */
class Settings {
  #table = new Map();
  #values = new Map();
  #numbers = new Map();    // what number() has found, by the name it was asked for

  /** @param {Record<string, { initial: string, parse(value: string, name: string): string }>} table */
  constructor(table) {
    for (const [name, kind] of Object.entries(table)) this.#table.set(name.toLowerCase(), { name, ...kind });
  }

  #kind(name) {
    const lower = name.toLowerCase();
    const kind = this.#table.get(ALIASES.get(lower) ?? lower);
    if (kind !== undefined) return kind;
    throw failure(INVALID_ARGUMENT, isReading(name) ? `${name} is that of a connection: ${name}[connectionId].` :
      `There is no configuration setting "${name}".`);
  }

  get(name) {
    const { initial, name: known } = this.#kind(name);
    return this.#values.get(known) ?? initial;
  }

  number(name) {
    let found = this.#numbers.get(name);
    if (found === undefined) {
      found = Number(this.get(name));
      this.#numbers.set(name, found);
    }
    return found;
  }

  isOn(name) {
    return this.get(name) === 'True';
  }

  /** Whether the component has it. */
  isKnown(name) {
    return this.#table.has(name.toLowerCase());
  }

  /** What is to be said of a stored value that has no effect, or null. */
  complaint(name) {
    const { complaint, name: known } = this.#kind(name);
    return complaint?.(this.get(known), known) ?? null;
  }

  /** Whether a setting is not what it was at first. */
  isChanged(name) {
    return this.get(name) !== this.#kind(name).initial;
  }

  /** Whether it has been set, if only to what it was. */
  isSet(name) {
    return this.#values.has(this.#kind(name).name);
  }

  /** @returns {string} what is stored now */
  set(name, value, listening) {
    const kind = this.#kind(name);
    if (listening && kind.fixedWhileListening !== undefined) throw failure(kind.fixedWhileListening);
    const stored = kind.parse(value, kind.name);
    this.#values.set(kind.name, stored);
    // A value that decides another one's.
    if (kind.implies?.[stored] !== undefined) this.#values.set(...kind.implies[stored]);
    this.#numbers.clear();
    return stored;
  }

  /** The value before a `set` that did not work out. */
  restore(name, value) {
    const { initial, name: known } = this.#kind(name);
    if (value === initial) this.#values.delete(known);
    else this.#values.set(known, value);
    this.#numbers.clear();
  }

  /** Whether a setting is one of `table`. */
  isOf(table, name) {
    return Object.hasOwn(table, this.#kind(name).name);
  }

  reset() {
    this.#values.clear();
    this.#numbers.clear();
  }
}

/**
 * Takes `NAME`, `NAME=VALUE` and `NAME[connectionId]` apart.
 * @returns {{ name: string, connectionId: string | null, value: string | null }}
 */
function parseSetting(given) {
  const form = /^\s*([^=[\s]*)(?:\[([^\]]*)\])?\s*(?:=([\s\S]*))?$/;
  const [, name, connectionId = null, value = null] = form.exec(given) ?? [];
  if (!name) throw failure(INVALID_ARGUMENT, 'Expected NAME or NAME=VALUE.');
  return { name, connectionId, value };
}

module.exports = { BASE, MOST, Settings, TCP, TLS, flag, number, parseSetting, text };
