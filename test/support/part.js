'use strict';

// Programs of a test that answer each JSON line with one of their own (see lines.js), as processes of their own.

const { pkiEnv } = require('./node-program');
const { start } = require('./program');

/**
 * Starts `file`; `ask(question, ms)` resolves with its answer. One question at a time.
 * @param {{flags?: string[], args?: string[], timeout: number}} options node's flags, the program's arguments, its
 *   longest life in milliseconds
 */
function startPart(file, { flags = [], args = [], timeout }) {
  const program = start(process.execPath, [...flags, file, ...args], { env: pkiEnv(), timeout });
  return {
    program,
    async ask(question, ms = 60_000) {
      program.stdout = '';      // earlier answers, which are done with
      program.write(`${JSON.stringify(question)}\n`);
      const [answer] = await program.waitFor(/^.+\n/, ms);
      if (program.stderr) throw new Error(program.stderr);
      return JSON.parse(answer);
    },
  };
}

module.exports = { startPart };
