'use strict';

// How a measured server talks with run.js, in every runtime: one JSON line when it listens,
// `{"event":"ready","ports":{"echo":40001,...},"versions":{...}}`, and one for every command that comes as a line on
// standard input. It ends when standard input ends, and after LIFETIME at the latest.

const fs = require('node:fs');
const path = require('node:path');
const process = require('node:process');
const readline = require('node:readline');
const { measureDelay } = require('./delay');

/** Milliseconds. */
const LIFETIME = 15 * 60 * 1000;

/** Key and certificate of a kind, `p256` or `rsa`, from the directory that is the last argument. */
function credentials(kind) {
  const read = (extension) => fs.readFileSync(path.join(process.argv.at(-1), `${kind}.${extension}`), 'utf8');
  return { key: read('key'), cert: read('pem') };
}

/**
 * Says that the server is ready and serves run.js from then on.
 * @param {object} server
 * @param {Record<string, number>} server.ports by service
 * @param {Record<string, string>} server.versions of what is measured
 * @param {() => void} server.collectGarbage
 */
function control({ ports, versions, collectGarbage }) {
  let endDelay;
  const commands = {
    'usage': () => ({ cpu: process.cpuUsage() }),
    'memory': () => {
      collectGarbage();
      return { rss: process.memoryUsage.rss() };
    },
    'delay-begin': () => {
      endDelay = measureDelay();
      return {};
    },
    'delay-end': () => endDelay(),
  };
  const say = (object) => process.stdout.write(`${JSON.stringify(object)}\n`);
  readline
    .createInterface({ input: process.stdin })
    .on('line', (command) => say({ event: command, ...commands[command]() }))
    .on('close', () => process.exit());
  setTimeout(() => process.exit(3), LIFETIME).unref();
  say({ event: 'ready', ports, versions });
}

module.exports = { control, credentials };
