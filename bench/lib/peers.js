'use strict';

const fs = require('node:fs');
const path = require('node:path');

const INSTALL = 'npm --prefix bench ci';
const PACKAGES = path.join(__dirname, '..', 'node_modules');

const server = (file) => path.join(__dirname, '..', 'servers', file);
// Garbage is collected before memory is read, so that all peers show what connections hold.
const node = (file) => ({ command: process.execPath, args: ['--expose-gc', server(file)] });

/** The first executable there is of `file` in the packages of `scope`, one for each platform, and `others`; or null. */
function executable(scope, file, ...others) {
  const folder = path.join(PACKAGES, scope);
  const packages = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  const candidates = [...packages.map((name) => path.join(scope, name, file)), ...others];
  return candidates.map((name) => path.join(PACKAGES, name)).find((name) => fs.existsSync(name)) ?? null;
}

const isInstalled = (name) => fs.existsSync(path.join(PACKAGES, name));

/**
 * What can be measured: how to start the server. The certificate directory comes as the last argument. Without a
 * `command` it is not installed. The runtimes are started directly, not by their packages' launchers, because a
 * launcher would be the process that is measured. `group`: it has a part in the phases of that group alone.
 */
const PEERS = {
  'c4tls': node('c4tls.js'),
  'bun': {
    // The install script moves the executable out of the platform's package, if scripts may run.
    command: executable('@oven', 'bin/bun', 'bun/bin/bun.exe'),
    args: ['run', server('bun.js')],
  },
  'deno': {
    command: executable('@deno', 'deno'),
    args: ['run', '--allow-all', '--no-config', '--no-remote', '--v8-flags=--expose-gc', server('deno.mjs')],
    env: { DENO_NO_UPDATE_CHECK: '1' },
  },
  'uwebsockets': {
    ...node('uwebsockets.js'),
    group: 'websocket',
    ...(isInstalled('uwebsockets') ? {} : { command: null }),
  },
  'node-tls': node('node-tls.js'),
};

/** c4tls as the checkout in `directory` has it, with the addon that its scripts/build.js made. */
function checkout(directory) {
  const { command, args } = node('checkout.js');
  return { command, args: [...args, path.resolve(directory)] };
}

/**
 * The peers of a run; ratios are to the last.
 * @param {string} [names] separated by commas, NAME=DIRECTORY for a checkout; without it all that are installed
 * @param {typeof PEERS} [known]
 * @returns {{peers: object[], notice: string | null}} `notice` tells what was left out
 */
function choosePeers(names, known = PEERS) {
  const missing = Object.keys(known).filter((name) => !known[name].command);
  const chosen = names?.split(',') ?? Object.keys(known).filter((name) => !missing.includes(name));
  const seen = new Map();
  const peers = chosen.map((spec) => {
    const [name, directory] = spec.split('=');
    const peer = directory ? checkout(directory) : Object.hasOwn(known, name) && known[name];
    if (!peer) throw new RangeError(`--peers: unknown peer ${name}`);
    if (!peer.command) throw new RangeError(`--peers: ${name} is not installed; to install it: ${INSTALL}`);
    // The same peer twice tells how much of a ratio is noise.
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return { name: count === 1 ? name : `${name}#${count}`, ...peer };
  });
  const left = names === undefined && missing.length > 0;
  return { peers, notice: left ? `left out, not installed: ${missing.join(', ')}; to install: ${INSTALL}` : null };
}

module.exports = { PEERS, choosePeers };
