'use strict';
// What a send comes to, as a promise that does not end a program which does not look at it: most programs do not, and a
// client that does not read is none of their faults. Their Error listener hears of it instead.

const { then } = Promise.prototype;

class Delivery extends Promise {
  #isSeen = false;

  // Those that come of it are plain promises, whose rejections are the program's.
  static get [Symbol.species]() {
    return Promise;
  }

  /**
   * @param {Promise<void>} given
   * @param {(error: Error) => void} tell is called with a failure that nobody looks at
   */
  static of(given, tell) {
    const made = new Delivery((resolve) => { resolve(given); });
    // As late as Node itself looks for rejections that nobody handles.
    then.call(made, undefined, (error) => {
      process.nextTick(() => { if (!made.#isSeen) tell(error); });
    });
    return made;
  }

  // `await`, catch(), finally(), Promise.all() and the like come through here.
  then(done, failed) {
    this.#isSeen = true;
    return super.then(done, failed);
  }
}

module.exports = { Delivery };
