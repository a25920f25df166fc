'use strict';
// TLS contexts of the certificates that SSLConnectionRequest names. To open a store and unlock its key costs the
// JavaScript thread a millisecond or more, and most listeners name the same few for every client.
const crypto = require('crypto');
const fs = require('fs');
const { BLOB_TYPES, FILE_TYPES } = require('./cert-store-types');

const MOST = 64;
/** So that the keys below tell nothing of passwords. */
const SECRET = crypto.randomBytes(32);

const isData = (value) => typeof value === 'string' || value instanceof Uint8Array;

/** Which content a file has; undefined where that cannot be told. */
function versionOf(file) {
  try {
    const { dev, ino, size, mtimeNs } = fs.statSync(file, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs}`;
  } catch {
    return undefined;      // whoever opens it says why
  }
}

/** Stands for a store, its password, and what is selected in it; null where that cannot be told. */
function keyOf(type, store, password, subject) {
  const parts = [store, password, subject];
  if (!parts.every(isData)) return null;
  if (FILE_TYPES.has(type)) {
    const version = versionOf(store);
    if (version === undefined) return null;
    parts.push(version);
  } else if (!BLOB_TYPES.has(type)) {
    return null;
  }
  const hash = crypto.createHmac('sha256', SECRET).update(String(type));
  for (const part of parts) hash.update(`,${typeof part} ${part.length}:`).update(part);
  return hash.digest('latin1');
}

class ContextCache {
  #contexts = new Map();     // by key, those that were used longest ago first

  /**
   * The context for what `store` holds, as long as that is the same.
   * @param {() => object} make one; what it throws is thrown
   */
  get(type, store, password, subject, make) {
    const key = keyOf(type, store, password, subject);
    const context = this.#contexts.get(key) ?? make();
    if (key === null) return context;
    this.#contexts.delete(key);
    this.#contexts.set(key, context);
    if (this.#contexts.size > MOST) this.#contexts.delete(this.#contexts.keys().next().value);
    return context;
  }

  clear() {
    this.#contexts.clear();
  }
}

module.exports = { ContextCache };
