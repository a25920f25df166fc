'use strict';
// Cuts the bytes of one connection into messages, one when it is asked for. The native side cuts ahead of the program;
// a connection whose program has changed the rules is cut here from then on, so that a rule set in DataIn holds for
// the very next byte.

const { wholeCharacters } = require('./values');

const EMPTY = Buffer.alloc(0);
const CR = 0x0d;
const LF = 0x0a;

class Cutter {
  #framing;
  #store = EMPTY;          // what is not given yet: #from to #to of it
  #from = 0;
  #to = 0;
  #searched = 0;           // bytes behind #from that hold no end
  #afterCr = false;        // a line ended in CR: a line feed right behind it belongs to the same end
  #over = false;           // no more comes

  /** @param {import('./framing').Framing} framing */
  constructor(framing) {
    this.#framing = framing;
  }

  /** From now on, beginning with what was not given yet. */
  reframe() {
    this.#searched = 0;
  }

  get isEmpty() { return this.length === 0; }
  /** Bytes that are not given yet. */
  get length() { return this.#to - this.#from; }

  /** Takes bytes, which nobody may change. */
  push(bytes) {
    const length = this.length;
    if (length === 0) {
      this.#store = bytes;
      this.#from = 0;
      this.#to = bytes.length;
      return;
    }
    if (this.#to + bytes.length > this.#store.length) {
      // What was given is never written to again.
      const grown = Buffer.allocUnsafeSlow(2 * length + bytes.length);
      this.#store.copy(grown, 0, this.#from, this.#to);
      this.#store = grown;
      this.#from = 0;
      this.#to = length;
    }
    bytes.copy(this.#store, this.#to);
    this.#to += bytes.length;
  }

  /** No more comes: the remainder is a message. */
  finish() {
    this.#over = true;
  }

  /** @returns {{ bytes: Buffer, ended: boolean, mark: number } | null} the next message, and how long its end was;
   *   null: not there yet */
  next() {
    if (this.#afterCr && this.length > 0) {
      this.#afterCr = false;
      if (this.#store[this.#from] === LF) this.#from++;
    }
    if (this.length === 0) return null;
    const found = this.#find();
    if (found !== null || !this.#over) return found;
    const { kind, maxLineLength } = this.#framing;
    return this.#take(kind === 'record' ? this.length : this.#most(maxLineLength), 0, false);
  }

  #find() {
    switch (this.#framing.kind) {
      case 'record': return this.#record();
      case 'lines': return this.#line();
      case 'delimiter': return this.#delimited();
      default: return this.#take(this.length, 0, true);
    }
  }

  #take(length, mark, ended) {
    const bytes = this.#store.subarray(this.#from, this.#from + length);
    this.#from += length + mark;
    this.#searched = 0;
    return { bytes, ended, mark };
  }

  // As much of a line as is given without its end.
  #most(maxLineLength) {
    const length = Math.min(maxLineLength, this.length);
    if (!this.#framing.wholeCharacters || length === this.length) return length;
    return wholeCharacters(this.#store.subarray(this.#from, this.#from + length)) || length;
  }

  #record() {
    const { recordLength } = this.#framing;
    return this.length < recordLength ? null : this.#take(recordLength, 0, true);
  }

  #line() {
    const { maxLineLength } = this.#framing;
    const store = this.#store;
    const end = Math.min(this.#to, this.#from + maxLineLength + 1);
    let at = this.#from + this.#searched;
    while (at < end && store[at] !== CR && store[at] !== LF) at++;
    const length = at - this.#from;
    if (length > maxLineLength) return this.#take(this.#most(maxLineLength), 0, false);
    if (at === end) {
      this.#searched = length;
      return null;
    }
    const crlf = store[at] === CR && at + 1 < this.#to && store[at + 1] === LF;
    this.#afterCr = store[at] === CR && at + 1 === this.#to;
    return this.#take(length, crlf ? 2 : 1, true);
  }

  #delimited() {
    const { eol, maxLineLength } = this.#framing;
    const end = Math.min(this.#to, this.#from + maxLineLength + eol.length);
    const held = this.#store.subarray(this.#from, end);
    const at = held.indexOf(eol, this.#searched);
    if (at !== -1) return this.#take(at, eol.length, true);
    // The last bytes may be the beginning of an EOL.
    const sure = Math.max(0, held.length - eol.length + 1);
    if (sure > maxLineLength) return this.#take(maxLineLength, 0, false);
    this.#searched = sure;
    return null;
  }
}

module.exports = { Cutter };
