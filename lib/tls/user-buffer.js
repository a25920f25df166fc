'use strict';
// The `onread` option: received bytes go into the caller's buffer instead of through the stream.

class UserBuffer {
  constructor() {
    this.buffer = null;
    this.generate = null;     // function that gives the next buffer, when the caller gave one
    this.callback = null;
    this.rest = null;         // bytes that came although the callback said stop
    this.ended = false;       // the end came behind them
  }

  use({ buffer, callback }) {
    this.generate = typeof buffer === 'function' ? buffer : null;
    this.callback = callback;
  }

  /** Hands over `chunk`; false: the callback wants no more for now. */
  deliver(handle, chunk) {
    if (this.rest !== null) {
      this.rest = Buffer.concat([this.rest, chunk]);
      return false;
    }
    let offset = 0;
    while (offset < chunk.length) {
      const target = this.buffer;
      const length = Math.min(target.length, chunk.length - offset);
      target.set(chunk.subarray(offset, offset + length));
      offset += length;
      const goOn = this.callback.call(handle.owner, length, target);
      if (this.generate !== null) {
        const next = this.generate();
        if (next instanceof Uint8Array) this.buffer = next;
      }
      if (goOn === false) {
        if (offset < chunk.length) this.rest = chunk.subarray(offset);
        return false;
      }
      if (handle.closing) return false;
    }
    return true;
  }

  /** Hands over what was held back; true: more may be read. */
  flush(handle) {
    if (this.rest !== null) {
      const { rest } = this;
      this.rest = null;
      if (!this.deliver(handle, rest)) {
        handle.reading = false;
        return false;
      }
    }
    if (this.ended && !handle.closing) {
      this.ended = false;
      handle.onEnd();
    }
    return true;
  }

  /** True when the end must wait behind bytes held back. */
  holdEnd() {
    if (this.rest === null) return false;
    this.ended = true;
    return true;
  }
}

module.exports = { UserBuffer };
