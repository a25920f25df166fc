'use strict';
// Events that ask something: what a listener returns may be a promise, and is waited for.

/**
 * Calls the listeners of `event` with `object`.
 * @param {import('events').EventEmitter} emitter
 * @param {string} event
 * @param {object} object the argument; its answers are read when everybody is done
 * @param {number} patience milliseconds that promises may take altogether
 * @returns {Promise<boolean> | boolean} false: not answered in time. At once when no listener returned a promise
 */
function ask(emitter, event, object, patience) {
  const promises = [];
  for (const listener of emitter.rawListeners(event)) {
    const returned = Reflect.apply(listener, emitter, [object]);
    if (typeof returned?.then === 'function') promises.push(returned);
  }
  if (promises.length === 0) return true;
  let timer;
  const late = new Promise((resolve) => { timer = setTimeout(resolve, patience, false); });
  const all = Promise.all(promises).then(() => true);
  return Promise.race([all, late]).finally(() => clearTimeout(timer));
}

module.exports = { ask };
