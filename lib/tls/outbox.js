'use strict';
// A large write of a stream, given to the native connection piece by piece.

const binding = require('../core/binding');

// The native side copies what it takes. A slice of 256 KiB bounds that copy, however large the write, and is
// large enough that the round trip per slice does not show.
const SLICE = 256 * 1024;
// Chunks are put together up to this many bytes: one record and one call for many small chunks.
const GATHER = 64 * 1024;

/** Nothing is left, all of it is in the kernel. */
const DONE = 0;
/** A slice waits; DRAIN follows. */
const WAITS = 1;

class Outbox {
  constructor() {
    this.list = null;      // chunks of the write under way
    this.index = 0;        // first chunk not handed over completely
    this.offset = 0;       // bytes of it already handed over
  }

  /** Starts a write to connection `id`; returns DONE, WAITS, or a negative number when the connection is gone. */
  start(id, chunks) {
    this.list = chunks;
    this.index = this.offset = 0;
    return this.advance(id);
  }

  /** Goes on after DRAIN. */
  advance(id) {
    let result = DONE;
    while (this.list !== null && result === DONE) result = binding.write(id, this.next());
    if (result < 0) this.list = null;
    return result;
  }

  // A slice of a large chunk, or several small ones as one.
  next() {
    const { list } = this;
    const chunk = list[this.index];
    if (this.offset > 0 || chunk.length > GATHER) {
      const end = Math.min(chunk.length, this.offset + SLICE);
      const slice = chunk.subarray(this.offset, end);
      this.offset = end;
      if (end === chunk.length) this.step(1);
      return slice;
    }
    let end = this.index;
    let sum = 0;
    while (end < list.length && sum + list[end].length <= GATHER) sum += list[end++].length;
    const gathered = end - this.index === 1 ? chunk : Buffer.concat(list.slice(this.index, end), sum);
    this.step(end - this.index);
    return gathered;
  }

  step(chunks) {
    this.index += chunks;
    this.offset = 0;
    if (this.index === this.list.length) this.list = null;
  }

  clear() {
    this.list = null;
  }
}

module.exports = { GATHER, Outbox, SLICE, WAITS };
