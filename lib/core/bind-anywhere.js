'use strict';

/**
 * Binds any address: IPv6 with IPv4 where there is IPv6, else IPv4.
 * @param {(address: string) => number} bind throws a system error
 */
function bindAnywhere(bind) {
  try {
    return bind('::');
  } catch (error) {
    if (error.code === 'EADDRINUSE' || error.code === 'EACCES') {
      error.address = '::';
      throw error;
    }
    return bind('0.0.0.0');
  }
}

module.exports = { bindAnywhere };
