'use strict';

// An odd factor permutes the numbers below 2^30. It is the process's, so that a handle is one in all Workers.
const FACTOR = Math.imul(process.pid, 0x9e3779b1) | 1;
const MASK = 2 ** 30 - 1;

/**
 * The handle of a connection or UDP peer by its native number, which is 2^31 and more for peers: positive, below 2^31,
 * and no other's in this process before 2^30 numbers more. Connections have even ones, peers odd ones.
 */
function handleOf(id) {
  return ((Math.imul(id, FACTOR) & MASK) * 2 + (id >>> 31)) || MASK * 2;
}

module.exports = { handleOf };
