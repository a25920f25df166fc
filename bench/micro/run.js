'use strict';

// npm run bench:micro [-- rust|js [arguments]]: the micro-benchmarks, both parts or one of them. See README.md.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.join(__dirname, '..', '..');

/** Runs to its end and gives whether it worked. */
function run(command, args, options) {
  const { error, status } = spawnSync(command, args, { stdio: 'inherit', cwd: ROOT, ...options });
  if (error) console.error(`${command} does not start: ${error.message}`);
  return status === 0;
}

const parts = {
  rust: (args) => run('cargo', ['bench', '-p', 'c4tls-micro', '--', ...args]),
  js(args) {
    // A shell, because npm is a script on Windows.
    const install = () => run('npm ci --no-audit --no-fund', [], { cwd: __dirname, shell: true });
    const installed = fs.existsSync(path.join(__dirname, 'node_modules', 'tinybench')) || install();
    return installed && run(process.execPath, [path.join(__dirname, 'dispatch.js'), ...args]);
  },
};

const [part, ...args] = process.argv.slice(2);
if (part !== undefined && !Object.hasOwn(parts, part)) {
  console.error('npm run bench:micro [-- rust|js [arguments]]');
  process.exitCode = 1;
} else {
  const wanted = part === undefined ? Object.values(parts) : [parts[part]];
  if (!wanted.every((play) => play(args))) process.exitCode = 1;
}
