'use strict';

// Takes one JSON line after another from stdin, and answers each with one on stdout.

const readline = require('readline');

/** @param {Record<string, (question: object) => object | Promise<object>>} deeds by the question's `do` */
function answerLines(deeds) {
  const lines = readline.createInterface({ input: process.stdin });
  lines.on('line', async (line) => {
    const question = JSON.parse(line);
    process.stdout.write(`${JSON.stringify(await deeds[question.do](question))}\n`);
  });
  lines.on('close', () => process.exit());
}

module.exports = { answerLines };
