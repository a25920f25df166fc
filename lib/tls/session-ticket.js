'use strict';
// Finds the ticket in a session's DER form: SEQUENCE { ..., [10] EXPLICIT OCTET STRING, ... }.

const TICKET = 0xaa;            // context-specific, constructed, number 10

// Reads the tag and length at `at`.
function header(der, at) {
  let length = der[at + 1];
  let start = at + 2;
  if (length >= 0x80) {
    const size = length & 0x7f;
    length = der.readUIntBE(start, size);
    start += size;
  }
  return { tag: der[at], start, end: start + length };
}

/** The ticket of a session, or undefined. */
function ticketOf(der) {
  const whole = header(der, 0);
  for (let at = whole.start; at < whole.end;) {
    const item = header(der, at);
    if (item.tag === TICKET) {
      const octets = header(der, item.start);
      return der.subarray(octets.start, octets.end);
    }
    at = item.end;
  }
  return undefined;
}

module.exports = { ticketOf };
