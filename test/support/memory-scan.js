'use strict';

// Looks into another process's memory from outside (Linux): what a debugger or a core dump would find.

const fs = require('fs');

const CHUNK = 4 << 20;
/** Bytes of a chunk that are looked at again with the next: longer than any pattern. */
const OVERLAP = 256;
const ZEROS = Buffer.alloc(CHUNK + OVERLAP);

/** Readable mappings: [start, end, name]. Those of the kernel's own (vvar, vsyscall) cannot be read from outside. */
function mappings(pid) {
  const line = /^([0-9a-f]+)-([0-9a-f]+) r\S+ \S+ \S+ \S+ *(.*)$/;
  return fs.readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n')
    .map((text) => line.exec(text))
    .filter((match) => match && !/^\[v(var|syscall)/.test(match[3]))
    .map(([, start, end, name]) => [parseInt(start, 16), parseInt(end, 16), name]);
}

function readAt(fd, buffer, length, position) {
  try {
    return fs.readSync(fd, buffer, 0, length, position);
  } catch (error) {
    if (error.code === 'EIO' || error.code === 'EFAULT') return 0;     // gone meanwhile, or a hole of a file
    throw error;
  }
}

/**
 * Which of `patterns` (name to Buffer, at most OVERLAP long) are in the memory of `pid`: a sorted list of
 * "NAME in MAPPING". `scanned` bytes say how much was looked at.
 */
function scanMemory(pid, patterns) {
  const fd = fs.openSync(`/proc/${pid}/mem`, 'r');
  const found = new Set();
  let scanned = 0;
  const buffer = Buffer.allocUnsafe(CHUNK + OVERLAP);
  try {
    for (const [start, end, name] of mappings(pid)) {
      for (let at = start; at < end; at += CHUNK) {
        const length = readAt(fd, buffer, Math.min(CHUNK + OVERLAP, end - at), at);
        scanned += length;
        const bytes = buffer.subarray(0, length);
        if (bytes.equals(ZEROS.subarray(0, length))) continue;
        for (const [key, pattern] of Object.entries(patterns)) {
          if (bytes.includes(pattern)) found.add(`${key} in ${name || 'anonymous memory'}`);
        }
      }
    }
  } finally {
    fs.closeSync(fd);
  }
  return { found: [...found].sort(), scanned };
}

module.exports = { scanMemory };
