'use strict';
// Node's own `tls` as it was when this package was loaded: c4tls/register puts this package's functions into the module
// object itself.
module.exports = Object.create(null, Object.getOwnPropertyDescriptors(require('tls')));
