'use strict';

/** Rejects when `promise` is not settled within `ms` milliseconds, naming what was waited for. */
async function within(ms, promise, what) {
  let timer;
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not happen within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Polls `condition` until it holds; for state that no event announces. Rejects after `ms`. */
async function until(condition, ms, what) {
  const end = Date.now() + ms;
  while (!await condition()) {
    if (Date.now() > end) throw new Error(`${what} did not come true within ${ms} ms`);
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}

module.exports = { within, until };
