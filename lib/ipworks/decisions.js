'use strict';
// Events that ask something: what a listener returns may be a promise, and is waited for.

/**
 * Calls the listeners of `event` with `object`, and then `decide`: at once when none of them returned a promise.
 * @param {import('events').EventEmitter} emitter
 * @param {string} event
 * @param {object} object the argument, whose answers are read in `decide`
 * @param {number} patience milliseconds that promises may take altogether
 * @param {(answered: boolean) => void} decide false: a listener failed, or took too long
 */
function ask(emitter, event, object, patience, decide) {
  const promises = [];
  try {
    for (const listener of emitter.rawListeners(event)) {
      const returned = Reflect.apply(listener, emitter, [object]);
      if (typeof returned?.then === 'function') promises.push(returned);
    }
  } catch (error) {
    decide(false);
    throw error;
  }
  if (promises.length === 0) {
    decide(true);
    return;
  }
  let open = true;
  const timer = setTimeout(settle, patience, false);
  function settle(answered) {
    if (!open) return;
    open = false;
    clearTimeout(timer);
    decide(answered);
  }
  Promise.all(promises).then(() => settle(true), (error) => {
    settle(false);
    throw error;       // an unhandled rejection, as that of any listener
  });
}

module.exports = { ask };
