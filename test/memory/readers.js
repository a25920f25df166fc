'use strict';

// Ways to read slowly or not at all. Each takes (socket, seen), gives seen() what it reads, and returns a function that
// makes it read on to the end.

/** What a slow reader takes at a time, in bytes. */
const SIP = 256 * 1024;
/** And its pause, ms. */
const NAP = 1;

const readers = {
  /** Listens to nothing: the socket fills its own buffer and stops. */
  sleeps(socket, seen) {
    return () => socket.on('data', seen);
  },

  /** pause() before the first byte. */
  pauses(socket, seen) {
    socket.pause();
    return () => socket.on('data', seen).resume();
  },

  /** pause() with the first chunk. */
  pausesLater(socket, seen) {
    socket.on('data', seen).once('data', () => socket.pause());
    return () => socket.resume();
  },

  /** Hears 'readable' and does not read. */
  ignoresReadable(socket, seen) {
    const read = () => {
      for (let chunk; (chunk = socket.read()) !== null;) seen(chunk);
    };
    const ignore = () => {};
    socket.on('readable', ignore);
    return () => {
      socket.on('readable', read).off('readable', ignore);
      read();
    };
  },

  /** An async iterator that is busy with its first chunk. */
  iterates(socket, seen) {
    let wake;
    const woken = new Promise((resolve) => {
      wake = resolve;
    });
    (async () => {
      for await (const chunk of socket) {
        seen(chunk);
        await woken;
      }
    })();
    return wake;
  },

  /** Takes a sip, pauses, takes the next. */
  naps(socket, seen) {
    let left = SIP;
    socket.on('data', (chunk) => {
      seen(chunk);
      left -= chunk.length;
      if (left > 0) return;
      left = SIP;
      socket.pause();
      setTimeout(() => socket.resume(), NAP);
    });
    return () => {};
  },

  flows(socket, seen) {
    socket.on('data', seen);
    return () => {};
  },
};

module.exports = { readers };
