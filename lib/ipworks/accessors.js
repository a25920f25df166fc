'use strict';
// Properties of the components, from a table: getX() or isX(), setX(), and a plain property beside them.

/** `SSLCert` -> `sslCert`, `LocalPort` -> `localPort`, `EOL` -> `eol`. */
function camelCase(name) {
  const lead = /^[A-Z]+(?=[A-Z][a-z]|$)|^[A-Z]/.exec(name)[0];
  return lead.toLowerCase() + name.slice(lead.length);
}

/**
 * Defines properties on a class.
 * @param {Function} Class
 * @param {Record<string, { get?(): any, set?(value: any): void, flag?: boolean }>} table by name; `flag`: a boolean, so
 *   that its getter is isX(). Without `set` it can only be read, without `get` only be set
 */
function defineAccessors(Class, table) {
  for (const [name, { get, set, flag = false }] of Object.entries(table)) {
    const methods = {};
    if (get !== undefined) methods[`${flag ? 'is' : 'get'}${name}`] = { value() { return get.call(this); } };
    if (set !== undefined) methods[`set${name}`] = { value(value) { set.call(this, value); } };
    for (const method of Object.values(methods)) Object.assign(method, { configurable: true, writable: true });
    Object.defineProperties(Class.prototype, {
      ...methods,
      [camelCase(name)]: { get, set, configurable: true, enumerable: true },
    });
  }
}

module.exports = { camelCase, defineAccessors };
