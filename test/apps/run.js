'use strict';

// npm run test:apps: installs the packages of package.json beside this file when they are missing, says which of
// Debian's servers are, and runs apps.test.js. Arguments are mocha's, such as -g pg.

const { execFileSync, spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const { dependencies } = require('./package.json');
const { missing } = require('./support/servers');

const ROOT = path.join(__dirname, '..', '..');
const TEST_TIME = 90_000;      // ms

function isInstalled(name) {
  return fs.existsSync(path.join(__dirname, 'node_modules', name, 'package.json'));
}

function main() {
  const servers = missing();
  if (servers.length > 0) {
    console.error(`Install first: apt-get install --no-install-recommends ${servers.join(' ')}\n` +
      '(the tests start servers of their own; the ones of the system are not needed)');
    return 1;
  }
  if (!Object.keys(dependencies).every(isInstalled)) {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: __dirname, stdio: 'inherit' });
  }
  const { status } = spawnSync(process.execPath, [require.resolve('mocha/bin/mocha.js'), '--no-config',
    '--require', 'test/support/hooks.js', '--timeout', `${TEST_TIME}`, 'test/apps/apps.test.js',
    ...process.argv.slice(2)], { cwd: ROOT, stdio: 'inherit' });
  return status ?? 1;
}

process.exitCode = main();
