'use strict';

// A Chromium that is installed, without a window. playwright-core has no browser of its own and downloads none.

const fs = require('fs');
const path = require('path');
const { track } = require('./cleanup');

const NAMES = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome', 'chrome'];

/** The executable's path: what C4TLS_CHROMIUM names, or the first of NAMES in the PATH; undefined without any. */
function findChromium() {
  if (process.env.C4TLS_CHROMIUM) return process.env.C4TLS_CHROMIUM;
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name))).find((file) => fs.existsSync(file));
}

/**
 * A browser that ends with the test, for programs on loopback, whatever their certificates.
 * @returns {Promise<import('playwright-core').Browser | null>} null: none is installed, or Node is older than 20
 */
async function launchChromium() {
  const executablePath = findChromium();
  // playwright-core ends a process of Node 18.
  const isOld = Number.parseInt(process.versions.node, 10) < 20;
  if (executablePath === undefined || isOld) return null;
  const { chromium } = require('playwright-core');
  const browser = await chromium.launch({
    executablePath,
    chromiumSandbox: process.getuid?.() !== 0,     // root, as in a container, has none
    args: ['--ignore-certificate-errors'],
  });
  track({ terminate: () => browser.close() });
  return browser;
}

module.exports = { launchChromium };
