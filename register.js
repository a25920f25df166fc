'use strict';

// node -r c4tls/register app.js: the program's `tls` and `https` are this package's. C4TLS_DISABLE=1 leaves Node's.
if (process.env.C4TLS_DISABLE !== '1') require('./lib/register').register();
