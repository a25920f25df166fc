'use strict';

// Ways to write much. Each takes (socket, bytes, refused), ends the socket after the last byte, and calls refused()
// when write() answers false, where it sees that.

const { Readable, pipeline } = require('stream');
const { blocks } = require('./blocks');

const writers = {
  /** As the documentation of streams says. */
  waitsForDrain(socket, bytes, refused) {
    const source = blocks(bytes);
    const fill = () => {
      for (const block of source) {
        if (!socket.write(block)) {
          refused();
          socket.once('drain', fill);
          return;
        }
      }
      socket.end();
    };
    // Leaving a loop over a generator would end it.
    source.return = undefined;
    fill();
  },

  pipes(socket, bytes) {
    Readable.from(blocks(bytes), { objectMode: false }).pipe(socket);
  },

  pipelines(socket, bytes) {
    pipeline(Readable.from(blocks(bytes), { objectMode: false }), socket, () => {});
  },

  /** Does not care about the answer: the stream keeps it all. */
  ignoresFalse(socket, bytes, refused) {
    // Memory of its own for each, as a program that makes its data has it.
    for (const block of blocks(bytes)) if (!socket.write(Buffer.from(block))) refused();
    socket.end();
  },

  /** One write of it all. */
  writesAtOnce(socket, bytes, refused) {
    if (!socket.write(Buffer.concat([...blocks(bytes)]))) refused();
    socket.end();
  },
};

module.exports = { writers };
