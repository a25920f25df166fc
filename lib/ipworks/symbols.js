'use strict';

module.exports = {
  /** Of a Certificate: what a SecureContext can show (`applyTo(context)`), or null. */
  kIdentity: Symbol('kIdentity'),
};
