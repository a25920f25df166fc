'use strict';
// The events of one client's data as an async iterator: `for await (const { text } of connection)`.

const { failure } = require('./errors');

const IN_PROGRESS = 10037;
// So many events wait for the loop; then the client does.
const MOST = 16;

class Reader {
  #handle;
  #events = [];
  #hasPaused = false;
  #isOver = false;
  #wake = () => {};

  /**
   * @param {import('./connection-handle').ConnectionHandle} handle
   * @returns {AsyncGenerator} of what comes from now on
   */
  static over(handle) {
    if (handle.reader !== null) throw failure(IN_PROGRESS, 'Somebody reads this connection.');
    handle.reader = new Reader(handle);
    return handle.reader.#read();
  }

  constructor(handle) {
    this.#handle = handle;
  }

  push(event) {
    this.#events.push(event);
    if (this.#events.length >= MOST && this.#handle.acceptData) {
      this.#hasPaused = true;
      this.#handle.hold();
    }
    this.#wake();
  }

  /** The client has gone. */
  end() {
    this.#isOver = true;
    this.#wake();
  }

  async* #read() {
    try {
      for (;;) {
        while (this.#events.length > 0) yield this.#events.shift();
        if (this.#isOver) return;
        this.#resume();
        await new Promise((resolve) => { this.#wake = resolve; });
      }
    } finally {
      this.#handle.reader = null;
      this.#resume();
    }
  }

  // What the program has paused itself stays paused.
  #resume() {
    if (!this.#hasPaused) return;
    this.#hasPaused = false;
    this.#handle.release();
  }
}

module.exports = { Reader };
