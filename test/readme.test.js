'use strict';

// What README.md shows works: its program, its links, its commands.

const assert = require('assert');
const fs = require('fs');
const path = require('path');
const tls = require('tls');
const WebSocket = require('ws');
const { track } = require('./support/cleanup');
const { dialSecure, echo, event, freePorts } = require('./support/net');
const pki = require('./support/pki');
const { run, start } = require('./support/program');

const ROOT = path.join(__dirname, '..');
const README = fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8');

/** The first program below a heading. */
function programOf(heading) {
  const [, program] = new RegExp(`\n#+ ${heading}\n[^]+?\`\`\`js\n([^]+?)\`\`\``).exec(README);
  return program;
}

describe('README.md', () => {
  it('its program runs', async () => {
    const program = programOf('A program');
    assert.strictEqual(program.match(/8443/g).length, 2);
    const [port] = await freePorts(1);
    const { code, stdout, stderr } = await run(process.execPath, ['-e', program.replaceAll('8443', port)], { cwd: ROOT });
    assert.deepStrictEqual({ code, stdout, stderr }, { code: 0, stdout: 'hello over TLSv1.3\n', stderr: '' });
  });

  for (const [heading, flags, behind, use] of [
    ['c4tls/ipworks', [], '', async (port) => {
      const client = await dialSecure(tls, port);
      assert.strictEqual(await echo(client, 'hello\r\n'), 'hello\r\n');
    }],
    ['WSServer', ['--input-type=module'], 'console.log(\'listening\');', async (port) => {
      const dial = (target) => track(new WebSocket(`wss://127.0.0.1:${port}${target}`,
        { ca: pki.ca, servername: 'localhost' }).on('error', () => {}));
      const [, response] = await event(dial('/else'), 'unexpected-response');
      assert.strictEqual(response.statusCode, 404);
      const client = dial('/chat');
      await event(client, 'open');
      client.send('to all');
      assert.strictEqual(String((await event(client, 'message'))[0]), 'to all');
    }],
  ]) {
    it(`its program of ${heading} runs`, async () => {
      const [port] = await freePorts(1);
      let program = programOf(heading) + behind;
      for (const [shown, value] of [['8443', port], ['\'server.pfx\'', pki.path('ec.pfx')], ['\'password\'', pki.PASSPHRASE]]) {
        assert.ok(program.includes(shown), shown);
        program = program.replace(shown, JSON.stringify(value));
      }
      const server = start(process.execPath, [...flags, '-e', program], { cwd: ROOT });
      await server.waitFor(/^listening/m);
      await use(port);
      await server.kill();
      assert.strictEqual(server.stderr, '');
    });
  }

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
