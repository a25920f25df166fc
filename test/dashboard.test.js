'use strict';

// The page of `npm start` in a real browser: charts that move, a feed for our page alone, and that it connects again.

const assert = require('assert');
const https = require('https');
const path = require('path');
const { once } = require('events');
const { launchChromium } = require('./support/chromium');
const { start } = require('./support/program');

const START = path.join(__dirname, '..', 'scripts', 'start.js');

/** Milliseconds for what the page takes some seconds to. */
const PATIENCE = 15_000;

// npm start always serves c4tls itself.
const options = { env: { ...process.env, NODE_OPTIONS: '' }, timeout: 60_000 };

/** npm start with what it prints: the page's address, and the ports of the page and of its feed. */
async function startDashboard(...args) {
  const program = start(process.execPath, [START, ...args], options);
  await program.waitFor(/^Ctrl-C/m);
  const [, page, pagePort] = /^page +(https:.*:(\d+)\/)$/m.exec(program.stdout);
  const [, feedPort] = /^feed +wss:.*:(\d+)\/$/m.exec(program.stdout);
  return { program, page, pagePort, feedPort };
}

async function stop({ program }) {
  program.signal('SIGTERM');
  assert.deepStrictEqual(await program.ended.then(({ code, stderr }) => ({ code, stderr })), { code: 0, stderr: '' });
}

/** The status of the answer to a WebSocket's opening request. */
async function upgrade(port, headers) {
  const request = https.get({
    host: '127.0.0.1', port, rejectUnauthorized: false, agent: false,
    headers: {
      'connection': 'upgrade', 'upgrade': 'websocket', 'sec-websocket-version': 13,
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', ...headers,
    },
  });
  const response = await Promise.race([
    once(request, 'response').then(([answer]) => answer),
    once(request, 'upgrade').then(([answer, socket]) => {
      socket.destroy();
      return answer;
    }),
  ]);
  request.destroy();
  return response.statusCode;
}

describe('the page of npm start', () => {
  it('has a feed for itself and for no page of others', async () => {
    const served = await startDashboard();
    assert.strictEqual(await upgrade(served.feedPort, { origin: served.page.slice(0, -1) }), 101);
    for (const headers of [{ origin: 'https://example.com' }, { origin: 'null' }, {}]) {
      assert.strictEqual(await upgrade(served.feedPort, headers), 403);
    }
    await stop(served);
  });

  describe('in Chromium', () => {
    let browser;

    beforeEach(async function () {
      browser = await launchChromium();
      if (browser === null) this.skip();
    });

    /** The page, with all that it complained of in `problems`. */
    async function open(address) {
      const page = await browser.newPage();
      page.setDefaultTimeout(PATIENCE);
      const problems = [];
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(message.text());
      });
      await page.goto(address);
      return { page, problems };
    }

    const figure = (page, title) => page.locator('figure', { hasText: title });

    it('shows what goes on, and draws it', async () => {
      const served = await startDashboard();
      const { page, problems } = await open(served.page);
      await page.locator('#state[data-state=live]').waitFor();
      await page.getByRole('button', { name: 'Make traffic' }).click();
      // Each request for traffic is a handshake of its own, with 8 KiB one way and 32 KiB the other.
      for (const name of [
        /^Connections .*: open [1-9]/,
        /^Handshakes a second .*: done .*, greatest [1-9].*; failed 0, greatest 0$/,
        /^Bytes a second .*: received .*, greatest [\d.]+ [kM]B; sent .*, greatest [\d.]+ [kM]B$/,
        /^Event-loop delay of the last [2-9] seconds: at most [\d.]+ ms/,
        /^Handshakes by version: TLSv1\.3 [1-9]\d*$/,
      ]) await page.getByRole('img', { name }).waitFor();
      const points = await figure(page, 'Connections').locator('path.line').getAttribute('d');
      assert.match(points, /^M\d+,[\d.]+(L\d+,[\d.]+)+$/);
      await page.locator('summary').click();
      await page.locator('tbody tr').first().waitFor();
      assert.deepStrictEqual(problems, []);
      await stop(served);
    });

    it('connects again by itself, and shows the new servers\' figures', async () => {
      const first = await startDashboard();
      const ports = ['--https-port', first.pagePort, '--wss-port', first.feedPort];
      const { page } = await open(first.page);
      await page.locator('#state[data-state=live]').waitFor();
      await stop(first);
      await page.locator('#state[data-state=lost]').waitFor();
      const second = await startDashboard(...ports);
      await page.locator('#state[data-state=live]').waitFor();
      await figure(page, 'Connections').locator('strong', { hasText: /^[1-9]/ }).waitFor();
      assert.strictEqual(await page.locator('#hint').isHidden(), true);
      await stop(second);
    });

    it('tells what to do when the browser does not trust the feed', async () => {
      const served = await startDashboard();
      const page = await browser.newPage();
      page.setDefaultTimeout(PATIENCE);
      await page.routeWebSocket(/./, (socket) => socket.close());
      await page.goto(served.page);
      await page.locator('#hint').waitFor({ state: 'visible' });
      const link = await page.locator('#trust').getAttribute('href');
      assert.strictEqual(link, `https://127.0.0.1:${served.feedPort}/`);
      await stop(served);
    });
  });
});
