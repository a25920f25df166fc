'use strict';
// Takes events out of the native queue and hands each to the object it is meant for.
//
// The native side wakes us once for many events. Events of different objects are delivered in one go. When a
// second event comes for the same object, delivery stops and asks to be called again, so that promise jobs
// and ticks run between the two, as they would with Node's own sockets. Events of an object that is not `paced` follow
// each other directly, up to a bound: messages may have come in one packet, for which Node's sockets have one event.
const { AsyncResource } = require('async_hooks');
const binding = require('./binding');
const { MANUAL } = require('./async-context');

// Events fetched by one drain(): at four words each, 16 KiB of descriptors.
const BATCH = 1024;
const WORDS = 4;
const LARGE = 0x100;
// Events of one unpaced object in a row: a wake-up costs as much as some of them, and the event loop must go round.
const IN_A_ROW = 64;

const descriptors = new Uint32Array(WORDS * (BATCH + 1));
const targets = new Map();

let slab = null;       // small payloads of the present batch, back to back
let large = null;      // large payloads of the present batch, in order
let position = 0;      // next event of the present batch
let count = 0;
let offset = 0;        // of the next small payload
let largeIndex = 0;
let more = false;      // the queue held more than one batch
let wakeNumber = 0;
let holders = 0;       // targets that keep the process alive

function nextBatch() {
  slab = binding.drain(descriptors);
  count = descriptors[0];
  large = descriptors[1] > 0 ? binding.takeLarge(descriptors[1]) : null;
  more = descriptors[2] !== 0;
  position = offset = largeIndex = 0;
}

// True when it stopped before the end: the rest needs another wake.
function deliver() {
  let drained = false;
  for (;;) {
    if (position === count) {
      slab = large = null;
      // What came while the rest of an earlier batch was delivered may have no wake of its own.
      if (drained && !more) return false;
      nextBatch();
      drained = true;
      if (count === 0) return false;
    }
    const at = WORDS * (position + 1);
    const target = targets.get(descriptors[at]);
    if (target !== undefined) {
      if (target.wake !== wakeNumber) {
        target.wake = wakeNumber;
        target.room = target.paced ? 0 : IN_A_ROW;
      } else if (target.room-- <= 0) {
        return true;
      }
    }
    // Step over the event before its listener can throw.
    const kind = descriptors[at + 1];
    const arg = descriptors[at + 2];
    const length = descriptors[at + 3];
    let payload = null;
    position++;
    if ((kind & LARGE) !== 0) {
      payload = large[largeIndex];
      large[largeIndex++] = undefined;
    } else if (length > 0) {
      payload = length === slab.length ? slab : slab.subarray(offset, offset + length);
      offset += length;
    }
    if (target !== undefined) {
      target.runInAsyncScope(target.onEvent, target, kind & ~LARGE, arg, payload);
    }
  }
}

function onWake() {
  wakeNumber++;
  let again = true;
  try {
    again = deliver();
  } finally {
    // Also when a listener threw: the error goes its way, the events behind it come next.
    if (again) binding.rewake();
  }
}

function changeHolders(by) {
  const before = holders;
  holders += by;
  if (before === 0 || holders === 0) binding.setAlive(holders > 0);
}

/** Something native with events: a connection or a listener. Subclasses define onEvent(kind, arg, payload). */
class Target extends AsyncResource {
  /** @param {string} type name of the async resource */
  constructor(type) {
    super(type, MANUAL);
    this.wake = 0;
    this.paced = true;       // promise jobs and ticks run between two of its events
    this.room = 0;           // how many more may follow in this wake
    this.id = 0;
    this.holds = false;      // keeps the process alive now
    this.wantsRef = true;    // ref() / unref()
    this.counts = true;      // false: never keeps the process alive by itself
  }

  /** Starts delivery of the events of native object `id`. */
  attach(id) {
    this.id = id;
    targets.set(id, this);
    this.updateHold();
  }

  /** No event comes any more. */
  detach() {
    if (this.id === 0) return;
    targets.delete(this.id);
    this.id = 0;
    this.updateHold();
    this.emitDestroy();
  }

  /** False while it waits for nothing, so that it need not keep the process alive. */
  isActive() {
    return true;
  }

  updateHold() {
    const holds = this.id !== 0 && this.wantsRef && this.counts && this.isActive();
    if (holds === this.holds) return;
    this.holds = holds;
    changeHolders(holds ? 1 : -1);
  }

  ref() {
    this.wantsRef = true;
    this.updateHold();
  }

  unref() {
    this.wantsRef = false;
    this.updateHold();
  }

  hasRef() {
    return this.wantsRef;
  }

  getAsyncId() {
    return this.asyncId();
  }
}

binding.init(onWake);

module.exports = { Target };
