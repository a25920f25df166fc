'use strict';
// What a Server presents: its own context, those for other names, its ticket keys. Methods of Server.
const assert = require('assert');
const { createHash } = require('crypto');
const { deprecate } = require('util');
const check = require('../core/validate');
const { codes } = require('../core/errors');
const face = require('./face');
const { SecureContext } = require('./secure-context');
const { kConfigure, kPskCallback, kPskIdentityHint, kSniTable } = require('./symbols');

// Kept on the server as they are; anything falsy counts as not given.
const KEPT = [
  'pfx', 'key', 'passphrase', 'cert', 'clientCertEngine', 'ca', 'minVersion', 'maxVersion', 'secureProtocol',
  'crl', 'ciphers', 'dhparam', 'secureOptions', 'legacyPfx',
];
// Kept even when falsy.
const KEPT_EXACTLY = ['sigalgs', 'ecdhCurve', 'privateKeyIdentifier', 'privateKeyEngine', 'certificateCompression'];

// The same for every process of one program, so that its sessions resume in any of them.
function defaultSessionIdContext() {
  return createHash('sha1').update(process.argv.join(' ')).digest('hex').slice(0, 32);
}

const methods = {
  /** Replaces the server's context, from the next connection on. */
  setSecureContext(options) {
    check.object(options, 'options');
    for (const name of KEPT) this[name] = options[name] || undefined;
    for (const name of KEPT_EXACTLY) this[name] = options[name];
    this.honorCipherOrder = options.honorCipherOrder === undefined || !!options.honorCipherOrder;
    this.sessionIdContext = options.sessionIdContext || defaultSessionIdContext();
    if (options.sessionTimeout) this.sessionTimeout = options.sessionTimeout;
    if (options.ticketKeys) this.ticketKeys = options.ticketKeys;

    const wanted = {};
    for (const name of [
      ...KEPT, ...KEPT_EXACTLY, 'honorCipherOrder', 'sessionIdContext', 'sessionTimeout', 'ticketKeys',
    ]) wanted[name] = this[name];
    this._sharedCreds = this._createSecureContext(wanted, options);
    this[kConfigure]();
  },

  _createSecureContext(wanted) {
    return face.createSecureContext(wanted);
  },

  /** A context for clients that ask for `servername`; `*` stands for one label or a part of it. */
  addContext(servername, context) {
    if (!servername) throw new codes.ERR_TLS_REQUIRED_SERVER_NAME();
    const made = context instanceof SecureContext ? context : face.createSecureContext(context);
    const pattern = servername.replace(/([.^$+?\-\\[\]{}])/g, '\\$1').replaceAll('*', '[^.]*');
    this._contexts.push([new RegExp(`^${pattern}$`, 'i'), made.context]);
    this[kSniTable].add(servername, made.context.native);
  },

  getTicketKeys() {
    return this._sharedCreds.context.getTicketKeys();
  },

  setTicketKeys(keys) {
    check.bytes(keys);
    assert(keys.byteLength === 48, 'Session ticket keys must be a 48-byte buffer');
    this._sharedCreds.context.setTicketKeys(keys);
  },

  // The cluster module's way to share keys between processes.
  _getServerData() {
    return { ticketKeys: this.getTicketKeys().toString('hex') };
  },

  _setServerData(data) {
    this.setTicketKeys(Buffer.from(data.ticketKeys, 'hex'));
  },
};

const setOptions = deprecate(function(options) {
  this.requestCert = options.requestCert === true;
  this.rejectUnauthorized = options.rejectUnauthorized !== false;
  for (const name of [...KEPT, 'sessionTimeout', 'ticketKeys', 'sigalgs']) {
    if (options[name]) this[name] = options[name];
  }
  for (const name of ['ecdhCurve', 'privateKeyIdentifier', 'privateKeyEngine']) {
    if (options[name] !== undefined) this[name] = options[name];
  }
  this.honorCipherOrder = options.honorCipherOrder === undefined || !!options.honorCipherOrder;
  if (options.ALPNProtocols) face.convertALPNProtocols(options.ALPNProtocols, this);
  if (options.pskCallback) this[kPskCallback] = options.pskCallback;
  if (options.pskIdentityHint) this[kPskIdentityHint] = options.pskIdentityHint;
  this.sessionIdContext = options.sessionIdContext || defaultSessionIdContext();
  this[kConfigure]();
}, 'Server.prototype.setOptions() is deprecated', 'DEP0122');

module.exports = { methods, setOptions };
