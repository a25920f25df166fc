'use strict';

// What README.md shows works: its program, its links, its commands.

const assert = require('assert');
const fs = require('fs');
const net = require('net');
const path = require('path');
const { listen } = require('./support/net');
const { run } = require('./support/program');

const ROOT = path.join(__dirname, '..');
const README = fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8');

describe('README.md', () => {
  it('its program runs', async () => {
    const [, program] = /```js\n([^]+?)```/.exec(README);
    assert.strictEqual(program.match(/8443/g).length, 2);
    // A port that was free a moment ago.
    const probe = net.createServer();
    const port = await listen(probe);
    await new Promise((resolve) => {
      probe.close(resolve);
    });
    const { code, stdout, stderr } = await run(process.execPath, ['-e', program.replaceAll('8443', port)], { cwd: ROOT });
    assert.deepStrictEqual({ code, stdout, stderr }, { code: 0, stdout: 'hello over TLSv1.3\n', stderr: '' });
  });

  it('its links lead somewhere', () => {
    for (const document of ['README.md', 'CHANGELOG.md', 'ARCHITECTURE.md']) {
      const text = fs.readFileSync(path.join(ROOT, document), 'utf8');
      for (const [, target] of text.matchAll(/\]\((?!https:)([^)#]+)/g)) {
        assert.ok(fs.existsSync(path.join(ROOT, target)), `${document}: ${target}`);
      }
    }
  });

  it('its npm commands exist', () => {
    const { scripts } = require('../package.json');
    for (const [, name] of README.matchAll(/npm run ([\w:]+)/g)) assert.ok(name in scripts, name);
  });
});
