'use strict';
// Async context of callbacks.
const { AsyncResource } = require('async_hooks');

/** The resource's owner says when it ends; the garbage collector need not. */
const MANUAL = Object.freeze({ requireManualDestroy: true });

/**
 * `done` for one call, in the async context of this moment: what a request object of libuv's is to Node.
 * @param {string} type name of the async resource
 */
function inContext(type, done) {
  const context = new AsyncResource(type, MANUAL);
  return (...args) => {
    try {
      context.runInAsyncScope(done, undefined, ...args);
    } finally {
      context.emitDestroy();
    }
  };
}

module.exports = { MANUAL, inContext };
