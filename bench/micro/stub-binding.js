'use strict';

// Stands in for the native addon (C4TLS_BINDING names it): an event queue that hands over what it is given.

let onWake;
let queued = null;
let rewoken = false;

exports.init = (callback) => {
  onWake = callback;
};

exports.setAlive = () => {};

exports.rewake = () => {
  rewoken = true;
};

/** As the addon's: `[count, large, more, 0]` and then the descriptors; the slab is returned. */
exports.drain = (descriptors) => {
  if (queued === null) {
    descriptors.fill(0, 0, 4);
    return null;
  }
  descriptors.set(queued.words);
  const { slab } = queued;
  queued = null;
  return slab;
};

let largePayloads = [];
exports.takeLarge = (count) => largePayloads.slice(0, count);

/** Delivers a batch, `{ words, slab, large }`, with as many wake-ups as that takes. */
exports.deliver = (batch) => {
  queued = batch;
  largePayloads = batch.large;
  do {
    rewoken = false;
    onWake();
  } while (rewoken);
};
