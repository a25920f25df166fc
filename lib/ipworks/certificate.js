'use strict';
// Digital certificates, and where they come from: files and blobs of every kind that the native side reads.
const { CertificateEntry, CertificateStore, SealedPassword } = require('../core/binding');
const { toBytes } = require('../core/bytes');
const { camelCase } = require('./accessors');
const { CertStoreTypes, FILE_TYPES } = require('./cert-store-types');
const { IPWorksSSLError } = require('./errors');
const { kIdentity } = require('./symbols');
const check = require('./values');

const STORE_TYPES = new Set(Object.values(CertStoreTypes));

/** Windows' stores: there are none to look a private key up in. */
const SYSTEM_TYPES = new Set([CertStoreTypes.cstUser, CertStoreTypes.cstMachine]);

/** Bits of a key usage, in the order of its text. */
const USAGES = [
  [0x80, 'Digital Signature'], [0x40, 'Non-Repudiation'], [0x20, 'Key Encipherment'], [0x10, 'Data Encipherment'],
  [0x08, 'Key Agreement'], [0x04, 'Certificate Signing'], [0x02, 'CRL Signing'], [0x01, 'Encipher Only'],
];

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Fields that only the certificate decides: by name, out of what the native side says of it. */
const FIELDS = {
  EffectiveDate: ({ notBefore }) => localDate(notBefore),
  ExpirationDate: ({ notAfter }) => localDate(notAfter),
  ExtendedKeyUsage: ({ extendedKeyUsage }) => extendedKeyUsage.join(','),
  Fingerprint: ({ md5 }) => withColons(md5),
  FingerprintSHA1: ({ sha1 }) => withColons(sha1),
  FingerprintSHA256: ({ sha256 }) => withColons(sha256),
  Issuer: ({ issuer }) => issuer,
  PublicKey: ({ publicKey }) => publicKey,
  PublicKeyAlgorithm: ({ publicKeyAlgorithm }) => publicKeyAlgorithm,
  PublicKeyLength: ({ publicKeyLength }) => publicKeyLength,
  SerialNumber: ({ serialNumber }) => serialNumber,
  SignatureAlgorithm: ({ signatureAlgorithm }) => signatureAlgorithm,
  SubjectAltNames: ({ subjectAltNames }) => subjectAltNames.join(','),
  // A key without a certificate has fingerprints, as SSH makes them, but no thumbprint.
  ThumbprintMD5: ({ version, md5 }) => (version ? md5 : ''),
  ThumbprintSHA1: ({ version, sha1 }) => (version ? sha1 : ''),
  ThumbprintSHA256: ({ version, sha256 }) => (version ? sha256 : ''),
  Usage: ({ keyUsage }) => USAGES.filter(([bit]) => keyUsage & bit).map(([, name]) => name).join(','),
  UsageFlags: ({ keyUsage }) => keyUsage,
  Version: ({ version }) => (version ? `V${version}` : ''),
};

const NOTHING = Object.freeze({
  notBefore: null, notAfter: null, extendedKeyUsage: [], md5: '', sha1: '', sha256: '', issuer: '', publicKey: '',
  publicKeyAlgorithm: '', publicKeyLength: 0, serialNumber: '', signatureAlgorithm: '', subject: '', subjectAltNames: [],
  keyUsage: 0, version: 0,
});

class Certificate {
  #storeType = CertStoreTypes.cstUser;
  #store = 'MY';                // a string, or the bytes that the program gave
  #storePassword = null;        // SealedPassword
  #keyPassword = null;          // SealedPassword; null: the store's
  #subject = '';
  #entry = null;                // CertificateEntry: what is selected
  #description = null;          // of #entry, when first asked for

  /**
   * () | (file) | (encoded bytes) | (storeType, store, storePassword, subject or encoded bytes, configurationString)
   */
  constructor(...args) {
    if (args.length === 0) return;
    if (args.length === 1) {
      const isFile = typeof args[0] === 'string';
      if (!isFile) requireBytes(args[0], 'certificate', 'a string or a Uint8Array');
      this.#storeType = isFile ? CertStoreTypes.cstPublicKeyFile : CertStoreTypes.cstPublicKeyBlob;
      this.#store = args[0];
      this.#found(this.#open().bySubject('*'));
      return;
    }
    const [storeType, store, storePassword, selector, configurationString] = args;
    if (args.length < 4) throw check.invalid('A Certificate', 'made of storeType, store, storePassword and subject');
    this.setStoreType(storeType);
    this.#store = storeValue(store);
    this.setStorePassword(storePassword ?? '');
    const thumbprint = thumbprintOf(configurationString);
    if (thumbprint !== null) {
      this.#found(this.#open().byThumbprint(thumbprint));
    } else if (typeof selector === 'string') {
      this.#found(this.#open().bySubject(selector));
    } else {
      requireBytes(selector, 'subject', 'a string or a Uint8Array');
      this.#found(this.#open().byCertificate(publicEntry(selector)));
    }
  }

  getKeyPassword() {
    return unsealed(this.#keyPassword ?? this.#storePassword);
  }

  setKeyPassword(value) {
    this.#keyPassword = sealed(value, 'KeyPassword');
  }

  getPrivateKey() {
    return wipedText(this.#entry?.privateKey());
  }

  isPrivateKeyAvailable() {
    return this.#entry?.hasPrivateKey ?? false;
  }

  getPrivateKeyContainer() {
    return '';
  }

  getStore() {
    if (typeof this.#store === 'string') return this.#store;
    return toBytes(this.#store).toString(FILE_TYPES.has(this.#storeType) ? 'utf8' : 'latin1');
  }

  setStore(value) {
    this.#store = storeValue(value);
  }

  getStoreB() {
    return storeBytes(this.#storeType, this.#store).bytes;
  }

  setStoreB(value) {
    requireBytes(value, 'StoreB');
    this.#store = value;
  }

  getStorePassword() {
    return unsealed(this.#storePassword);
  }

  setStorePassword(value) {
    this.#storePassword = value === '' ? null : sealed(value, 'StorePassword');
  }

  getStoreType() {
    return this.#storeType;
  }

  setStoreType(value) {
    if (!STORE_TYPES.has(value)) throw check.invalid('StoreType', 'one of CertStoreTypes');
    this.#storeType = value;
  }

  getSubject() {
    return this.#subject;
  }

  setSubject(value) {
    check.text(value, 'Subject');
    this.#select(null);
    if (value !== '' && this.#store.length > 0) this.#select(this.#open().bySubject(value));
  }

  getEncoded() {
    return this.#entry?.toPem() ?? '';
  }

  setEncoded(value) {
    check.text(value, 'Encoded');
    this.#encoded(Buffer.from(value, 'latin1'));
  }

  getEncodedB() {
    return Buffer.from(this.getEncoded());
  }

  setEncodedB(value) {
    requireBytes(value, 'EncodedB');
    this.#encoded(value);
  }

  get [kIdentity]() {
    return this.#entry?.hasCertificate && this.#entry.hasPrivateKey ? this.#entry : null;
  }

  #open() {
    const { bytes, isText } = storeBytes(this.#storeType, this.#store);
    return native(() => new CertificateStore(this.#storeType, bytes, isText, this.#storePassword, this.#keyPassword));
  }

  #select(entry) {
    this.#entry = entry;
    this.#description = null;
    this.#subject = this.#described().subject;
  }

  /** For constructors, which do not leave without a certificate. */
  #found(entry) {
    if (entry === null) throw new IPWorksSSLError(272);
    this.#select(entry);
  }

  /** The private key comes from the store, if there is one to look in. */
  #encoded(bytes) {
    this.#select(null);
    if (bytes.length === 0) return;
    const entry = publicEntry(bytes);
    const searched = this.#store.length > 0 && !SYSTEM_TYPES.has(this.#storeType);
    const found = searched ? this.#open().byCertificate(entry) : null;
    this.#select(found ?? entry);
    if (found === null) this.#subject = '';
  }

  #described() {
    if (this.#entry === null) return NOTHING;
    this.#description ??= native(() => this.#entry.describe());
    return this.#description;
  }

  static {
    const define = (name, property) => {
      Object.defineProperty(Certificate.prototype, name, { configurable: true, ...property });
    };
    for (const [name, read] of Object.entries(FIELDS)) {
      const get = { [`get${name}`]() { return read(this.#described()); } }[`get${name}`];
      define(`get${name}`, { value: get, writable: true });
      define(camelCase(name), { get });
    }
  }
}

// Properties beside the methods: `certificate.subject = '*'`.
for (const name of Object.getOwnPropertyNames(Certificate.prototype)) {
  const [, verb, field] = /^(get|is)([A-Z]\w*)$/.exec(name) ?? [];
  if (verb === undefined || Object.hasOwn(FIELDS, field)) continue;
  Object.defineProperty(Certificate.prototype, camelCase(field), {
    get: Certificate.prototype[name],
    set: Certificate.prototype[`set${field}`],
    configurable: true,
  });
}

/** Errors of the native side as the component's own. */
function native(work) {
  try {
    return work();
  } catch (error) {
    throw new IPWorksSSLError(271, error.message, { cause: error });
  }
}

/** A certificate without a store. */
function publicEntry(bytes) {
  return native(() => CertificateEntry.fromCertificate(bytes));
}

function storeValue(value) {
  if (typeof value !== 'string') requireBytes(value, 'Store', 'a string or a Uint8Array');
  return value;
}

function requireBytes(value, name, expected = 'a Uint8Array') {
  if (!(value instanceof Uint8Array)) throw check.invalid(name, expected);
}

/** `isText`: it may be a file's name as well, when the type does not say. */
function storeBytes(type, store) {
  if (typeof store !== 'string') return { bytes: store, isText: false };
  if (FILE_TYPES.has(type)) return { bytes: Buffer.from(store), isText: true };
  // A string of bytes, as older programs have them: control characters are in no text and no name.
  const bytes = Buffer.from(store, 'latin1');
  const isControl = (byte) => byte < 0x09 || (byte > 0x0d && byte < 0x20);
  if (bytes.some(isControl) && bytes.toString('latin1') === store) return { bytes, isText: false };
  return { bytes: Buffer.from(store), isText: true };
}

/** The Thumbprint of newline-separated name=value pairs; the other names change nothing here. */
function thumbprintOf(text) {
  if (text === undefined || text === null) return null;
  check.text(text, 'configurationString');
  let thumbprint = null;
  for (const line of text.split('\n').map((part) => part.trim()).filter(Boolean)) {
    const [name, ...rest] = line.split('=');
    switch (name.trim().toLowerCase()) {
      case 'thumbprint': thumbprint = rest.join('=').trim(); break;
      case 'persistpfxkey': case 'useinternalsecurityapi': break;
      default: throw new IPWorksSSLError(10022, `The configuration string has no option '${name.trim()}'.`);
    }
  }
  return thumbprint;
}

function sealed(value, name) {
  if (value instanceof Uint8Array) return native(() => new SealedPassword(value));
  check.text(value, name);
  const bytes = Buffer.from(value);
  try {
    return native(() => new SealedPassword(bytes));
  } finally {
    bytes.fill(0);
  }
}

function unsealed(password) {
  return wipedText(password?.open());
}

/** The text of a secret's bytes, which are wiped. */
function wipedText(bytes) {
  if (!bytes) return '';
  const text = bytes.toString();
  bytes.fill(0);
  return text;
}

/** `23-Jan-2000 15:00:00` in the zone of the process; seconds since 1970. */
function localDate(seconds) {
  if (seconds === null || seconds === undefined) return '';
  const date = new Date(seconds * 1000);
  const two = (number) => String(number).padStart(2, '0');
  return `${two(date.getDate())}-${MONTHS[date.getMonth()]}-${String(date.getFullYear()).padStart(4, '0')} ${
    [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
}

function withColons(hex) {
  return hex.match(/../g)?.join(':') ?? '';
}

module.exports = { Certificate };
