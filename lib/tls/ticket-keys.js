'use strict';
// Keys of single session tickets: the native handshake is parked until the program's
// context.onticketkeycallback(name, iv, enc) => [ret, hmac, aes, newName, newIV] has answered for each.
const { toBytes } = require('../core/bytes');
const { codes } = require('../core/errors');

const { ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE } = codes;

// Bytes of a name, a vector and an AES key.
const PART = 16;
const IGNORE = 0;
const RENEW = 2;

function part(value, name) {
  if (!ArrayBuffer.isView(value)) throw new ERR_INVALID_ARG_TYPE(name, ['Buffer', 'TypedArray', 'DataView'], value);
  if (name !== 'hmac' && value.byteLength !== PART) {
    throw new ERR_INVALID_ARG_VALUE(name, value.byteLength, `must be exactly ${PART} bytes`);
  }
  return toBytes(value);
}

// { ret, key }, the key as the native side takes it, undefined for a ticket that does not count.
function ask(context, name, iv, enc) {
  const answer = context.onticketkeycallback(name, iv, enc);
  if (!Array.isArray(answer)) throw new ERR_INVALID_ARG_TYPE('ret', 'Array', answer);
  const [ret, hmac, aes, newName, newIV] = answer;
  if (!Number.isInteger(ret) || ret < IGNORE) throw new ERR_INVALID_ARG_VALUE('ret[0]', ret);
  if (ret === IGNORE) return { ret };
  const head = enc ? [part(newName, 'name'), part(newIV, 'iv')] : [name, iv];
  return { ret, key: Buffer.concat([...head, part(aes, 'aes'), part(hmac, 'hmac')]) };
}

// The first of the tickets shown that counts.
function open(context, shown) {
  for (const head of shown) {
    const bytes = Buffer.from(head, 'hex');
    const found = ask(context, bytes.subarray(0, PART), bytes.subarray(PART), false);
    if (found.ret !== IGNORE) return found;
  }
  return { ret: IGNORE };
}

/**
 * Answers { shown, fresh }, the native side's question.
 * @returns {*} what the callback threw, undefined when all went well
 */
function answerTicketKeys(native, context, asked) {
  let opened;
  const made = [];
  try {
    opened = open(context, asked.shown);
    // A ticket that counts may still be too old, or forged: one key is at hand for that too.
    for (let left = opened.ret === IGNORE ? asked.fresh : 1; left > 0; left--) {
      const { key } = ask(context, Buffer.alloc(PART), Buffer.alloc(PART), true);
      if (key === undefined) break;
      made.push(key);
    }
  } catch (error) {
    native.answerTicketKeys();
    return error;
  }
  native.answerTicketKeys(made, opened.key, opened.ret === RENEW);
  return undefined;
}

module.exports = { answerTicketKeys };
