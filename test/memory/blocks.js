'use strict';

// What is sent: blocks that differ, over and over. A block that is lost, doubled or misplaced changes the hash.

const { createHash } = require('crypto');

const SIZE = 64 * 1024;

const ring = Array.from({ length: 61 }, (_, index) => {
  const block = Buffer.alloc(SIZE, index);
  for (let at = 0; at < SIZE; at += 1024) block.writeUInt32LE(at + index, at);
  return block;
});

/** The blocks of a stream of `bytes` bytes, which are a multiple of SIZE. */
function* blocks(bytes) {
  for (let sent = 0, index = 0; sent < bytes; sent += SIZE) {
    yield ring[index];
    index = (index + 1) % ring.length;
  }
}

/** The hash of such a stream. */
function hashOf(bytes) {
  const hash = createHash('sha256');
  for (const block of blocks(bytes)) hash.update(block);
  return hash.digest('hex');
}

module.exports = { blocks, hashOf };
