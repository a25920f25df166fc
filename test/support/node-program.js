'use strict';

// Runs a piece of JavaScript in a node of its own, with the module under test as `tls` and the test certificates as
// `pki` (those of this process: nothing is made again).

const path = require('path');
const pki = require('./pki');
const { moduleName } = require('./subject');
const { start } = require('./program');

const ROOT = path.join(__dirname, '..', '..');

/** The module under test as an expression that any file of this machine can evaluate. */
const requireSubject = moduleName.startsWith('.') ?
  `require(${JSON.stringify(path.resolve(__dirname, moduleName))})` : `require(${JSON.stringify(moduleName)})`;

/** Beginning of a program with the module that the expression gives as `tls`. */
const prelude = (module) => `
const tls = ${module};
const pki = require(${JSON.stringify(require.resolve('./pki'))});
`;
const PRELUDE = prelude(requireSubject);

/** Environment in which ./pki finds this process's certificates. */
function pkiEnv() {
  return { ...process.env, C4TLS_TEST_PKI: path.dirname(pki.path('ca.pem')) };
}

/** Starts `source`; options as spawn's, and `node` (the binary), `flags`, `module` (an expression), `timeout`. */
function startNode(source, { node = process.execPath, flags = [], module = requireSubject, env, ...options } = {}) {
  const program = start(node, [...flags, '-e', prelude(module) + source], {
    cwd: ROOT, env: { ...pkiEnv(), ...env }, ...options,
  });
  program.name = 'node -e';
  return program;
}

/** Runs `source` to its end: {code, signal, stdout, stderr}. */
function runNode(source, options) {
  return startNode(source, options).endInput().ended;
}

/** The same under Node's own tls and under the module under test: [stock, ours]. */
function runBoth(source, options) {
  return Promise.all(['require("tls")', requireSubject].map((module) => runNode(source, { ...options, module })));
}

module.exports = { startNode, runBoth, runNode, requireSubject, pkiEnv, PRELUDE };
