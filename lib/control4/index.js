'use strict';
// Control4's server sockets: the class of driver contexts, and one that is there for whoever needs one only.
const { Driver } = require('./driver');

let shared;

module.exports = {
  Driver,
  /** Made when first asked for; files are looked for in the directory that is the current one then. */
  get C4() { return shared ??= new Driver(); },
};
