'use strict';
// The module object of the Node face. Programs assign to it (DEFAULT_CIPHERS, CLIENT_RENEG_LIMIT, even
// createSecureContext), so the rest of this folder reads those members from here, at the time of use.
module.exports = {};
