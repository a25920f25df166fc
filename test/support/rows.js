'use strict';

// The documented items of the IPWorks face, test/ipworks/rows.json and ws-rows.json, and which of them the tests name.

const fs = require('fs');
const path = require('path');
const ROWS = [...require('../ipworks/rows.json'), ...require('../ipworks/ws-rows.json')];

const TESTS = path.join(__dirname, '..', 'ipworks');

const groupOf = (id) => id.slice(0, id.lastIndexOf('-'));
const number = (id) => Number(id.slice(id.lastIndexOf('-') + 1));

/** The rows of a group, `SSL-CS`. A file that calls this has a test for each of them. */
function rowsOf(group) {
  return ROWS.filter(({ id }) => groupOf(id) === group);
}

/** `SSLCert` -> `sslCert`. */
function plainName(name) {
  const lead = /^[A-Z]+(?=[A-Z][a-z]|$)|^[A-Z]/.exec(name)[0];
  return lead.toLowerCase() + name.slice(lead.length);
}

/** The fields of an event's object, getters of its classes among them: field -> [value, writable]. */
function fieldsOf(object) {
  const fields = new Map();
  for (let owner = object; owner !== Object.prototype; owner = Object.getPrototypeOf(owner)) {
    for (const [field, { writable, set }] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
      if (typeof object[field] !== 'function') fields.set(field, [object[field], writable === true || set !== undefined]);
    }
  }
  return fields;
}

/** Ids in a text: `SSL-CT-01 to 07, 09` names eight. */
function idsIn(text) {
  const ids = [];
  for (const [, group, list] of text.matchAll(/((?:SSL|WS)-[A-Z]+)-(\d+(?:(?: to |, | and )\d+(?![\w-]))*)/g)) {
    let last = NaN;
    for (const [, joint, digits] of list.matchAll(/( to |, | and |^)(\d+)/g)) {
      const at = Number(digits);
      for (const row of rowsOf(group)) {
        const here = number(row.id);
        if (joint === ' to ' ? here > last && here <= at : here === at) ids.push(row.id);
      }
      last = at;
    }
  }
  return ids;
}

/** Ids that a test file names outside its comments, and those of the groups that it goes through. */
function idsTestedIn(source) {
  const code = source.split('\n').filter((line) => !/^\s*(\/\/|\/?\*)/.test(line)).join('\n');
  const groups = [...code.matchAll(/\browsOf\('((?:SSL|WS)-[A-Z]+)'\)/g)].map(([, group]) => group);
  return [...idsIn(code), ...groups.flatMap((group) => rowsOf(group).map(({ id }) => id))];
}

/** Ids that some test of the face other than those of `except` names. */
function testedIds(...except) {
  const files = fs.readdirSync(TESTS).filter((name) => name.endsWith('.test.js') && !except.includes(name));
  return new Set(files.flatMap((name) => idsTestedIn(fs.readFileSync(path.join(TESTS, name), 'utf8'))));
}

module.exports = { ROWS, fieldsOf, idsIn, idsTestedIn, plainName, rowsOf, testedIds };
