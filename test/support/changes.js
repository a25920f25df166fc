'use strict';

// Waiting for what comes bit by bit.

const { PATIENCE } = require('./net');
const { within } = require('./time');

/** Something that changes, and those who wait for it to be as they want. */
class Changes {
  #checks = new Set();

  /** It has changed. */
  tell() {
    for (const check of this.#checks) check();
  }

  /** Resolves with the first truthy result of `find()`, which is tried now and after every change. */
  async until(find, what) {
    let check;
    try {
      return await within(PATIENCE, new Promise((resolve, reject) => {
        check = () => {
          try {
            const found = find();
            if (!found) return;
            this.#checks.delete(check);
            resolve(found);
          } catch (error) {
            reject(error);
          }
        };
        this.#checks.add(check);
        check();
      }), what);
    } finally {
      this.#checks.delete(check);
    }
  }
}

module.exports = { Changes };
