'use strict';

// The numbered errors: their texts, and the system's errors that become them.

const assert = require('assert');
const { IPWorksSSLError } = require('../../ipworks');
const { describe: textOf, numbered } = require('../../lib/ipworks/errors');
const { rowsOf } = require('../support/rows');

describe('IPWorks errors', () => {
  for (const { id, item, message, system } of rowsOf('SSL-X')) {
    const code = Number(item);
    const from = system.filter((name) => name !== '');
    it(`${id}: ${code}${from.length > 0 ? `, out of ${from.join(' and ')}` : ''}`, () => {
      assert.strictEqual(textOf(code), message);
      const error = new IPWorksSSLError(code);
      assert.deepStrictEqual([error.code, error.message, error.name], [code, message, 'IPWorksSSLError']);
      for (const name of from) {
        const cause = Object.assign(new Error(`it is ${name}`), { code: name });
        const found = numbered(cause, 1);
        assert.deepStrictEqual([found.code, found.message, found.cause], [code, message, cause]);
      }
    });
  }

  it('what has no number of its own gets the one of its place, and says what it was', () => {
    const cause = Object.assign(new Error('odd'), { code: 'EODD' });
    const error = numbered(cause, 276);
    assert.deepStrictEqual([error.code, error.message, error.cause], [276, 'Error during handshake. odd', cause]);
    assert.strictEqual(numbered(error, 1), error);
    assert.strictEqual(textOf(0), 'OK');
  });
});
