'use strict';

// Imports flow one way (ARCHITECTURE.md). The test reads every import and names each arrow that runs another way.

const assert = require('assert');
const fs = require('fs');
const path = require('path');

const ROOT = path.join(__dirname, '..');

/** Rooms of src/ and what each may import. `error` is the bottom; `bridge` and `driver` compose. */
const RUST = {
  error: [],
  credentials: ['error'],
  engine: ['credentials', 'error'],
  framing: ['error'],
  policy: ['error'],
  transport: ['error'],
  driver: ['transport', 'engine', 'framing', 'policy', 'credentials', 'error'],
  bridge: ['driver', 'transport', 'engine', 'framing', 'policy', 'credentials', 'error'],
};

/** Rooms of the JavaScript side. Faces never import each other; the IoT.js face is Node's with other defaults. */
const JS = {
  'binding': ['locate-binding'],
  'locate-binding': [],
  'lib/core': ['binding'],
  'lib/tls': ['lib/core'],
  'lib/iotjs': ['lib/core', 'lib/tls'],
  'lib/control4': ['lib/core'],
  'lib/ipworks': ['lib/core'],
  'index': ['lib/core', 'lib/tls', 'lib/iotjs', 'lib/control4', 'lib/ipworks'],
  'iotjs': ['lib/iotjs'],
};

/** Crates that only one room may use. */
const CRATES = { napi: ['bridge'], napi_derive: ['bridge'] };

function filesBelow(dir, extension) {
  const full = path.join(ROOT, dir);
  if (!fs.existsSync(full)) return [];
  return fs.readdirSync(full, { recursive: true })
    .filter((name) => name.endsWith(extension))
    .map((name) => path.posix.join(dir, name.split(path.sep).join('/')));
}

/** Source without comments, string contents and tests of its own, so that only real paths are left. */
function rustCode(source) {
  return source
    .replace(/\/\*[^]*?\*\//g, '')
    .replace(/\/\/.*$/gm, '')
    .replace(/b?"(?:\\[^]|[^"\\])*"/g, '""')
    .split(/#\[cfg\(test\)\]\s*mod \w+ \{/)[0];
}

/** Names that follow `crate::` in `code`, in braces too: `use crate::{engine::Session, error}` has engine and error. */
function cratePaths(code) {
  const names = [];
  for (const match of code.matchAll(/\bcrate::(?:(\w+)|\{)/g)) {
    if (match[1]) {
      names.push(match[1]);
      continue;
    }
    // The first identifier at the outer level of the braces, and each after a comma there.
    let depth = 1;
    let expecting = true;
    for (const token of code.slice(match.index + match[0].length).matchAll(/\w+|[{},]/g)) {
      if (token[0] === '{') depth++;
      else if (token[0] === '}') depth--;
      else if (token[0] === ',') expecting ||= depth === 1;
      else if (expecting && depth === 1) {
        names.push(token[0]);
        expecting = false;
      }
      if (depth === 0) break;
    }
  }
  return names;
}

/** Wrong arrows of one Rust file, as text. */
function checkRust(file, source) {
  const room = /^src\/(\w+)/.exec(file)[1];
  if (room === 'lib') return [];
  if (!(room in RUST)) return [`${file}: src/${room} is no room of ARCHITECTURE.md`];
  const code = rustCode(source);
  const wrong = cratePaths(code)
    .filter((target) => target in RUST && target !== room && !RUST[room].includes(target))
    .map((target) => `${file}: ${room} must not import ${target}`);
  for (const [crate, rooms] of Object.entries(CRATES)) {
    if (!rooms.includes(room) && new RegExp(`\\b${crate}::`).test(code)) {
      wrong.push(`${file}: ${room} must not use ${crate}`);
    }
  }
  return wrong;
}

function jsRoom(file) {
  const plain = file.replace(/\.m?js$/, '');
  return /^lib\/\w+/.exec(plain)?.[0] ?? plain;
}

/** Wrong arrows of one JavaScript file, as text. */
function checkJs(file, source) {
  const room = jsRoom(file);
  if (!(room in JS)) return [`${file}: ${room} is no room of ARCHITECTURE.md`];
  const code = source.replace(/\/\*[^]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
  const wrong = [];
  for (const [, request] of code.matchAll(/(?:\brequire\(|\bfrom |\bimport\()\s*['"]([^'"]+)['"]/g)) {
    if (!request.startsWith('.')) continue;
    const target = jsRoom(path.posix.normalize(path.posix.join(path.posix.dirname(file), request)));
    if (target === 'package.json' || target === room) continue;
    if (!JS[room].includes(target)) wrong.push(`${file}: ${room} must not import ${target}`);
  }
  return wrong;
}

function read(file) {
  return fs.readFileSync(path.join(ROOT, file), 'utf8');
}

describe('architecture', () => {
  it('Rust rooms import one way', () => {
    const files = filesBelow('src', '.rs');
    assert.ok(files.length > 10);
    assert.deepStrictEqual(files.flatMap((file) => checkRust(file, read(file))), []);
  });

  it('JavaScript rooms import one way', () => {
    const files = [...filesBelow('lib', '.js'), 'index.js', 'iotjs.js', 'binding.js', 'locate-binding.js'];
    assert.ok(files.length > 10);
    assert.deepStrictEqual(files.flatMap((file) => checkJs(file, read(file))), []);
  });

  it('no source file passes 800 lines', () => {
    const files = [
      ...filesBelow('src', '.rs'), ...['lib', 'test', 'scripts', 'bench', 'examples'].flatMap((dir) => filesBelow(dir, '.js')),
    ];
    const long = files.filter((file) => !file.includes('node_modules/')).filter((file) => read(file).split('\n').length > 800);
    assert.deepStrictEqual(long, []);
  });

  describe('the check itself', () => {
    it('sees a wrong Rust arrow in every form', () => {
      for (const source of [
        'use crate::driver::Task;',
        'use crate::{error::Error, driver::Task};',
        'use crate::{\n    error::{self, Error},\n    driver::{Task, server::Server},\n};',
        'fn f() { crate::driver::start(); }',
        'pub(crate) use crate::driver;',
      ]) {
        assert.deepStrictEqual(checkRust('src/engine/session.rs', source),
          ['src/engine/session.rs: engine must not import driver'], source);
      }
      assert.deepStrictEqual(checkRust('src/engine/x.rs', 'use napi::Env; napi::bindgen_prelude::x();'),
        ['src/engine/x.rs: engine must not use napi']);
      assert.deepStrictEqual(checkRust('src/attic/x.rs', ''), ['src/attic/x.rs: src/attic is no room of ARCHITECTURE.md']);
    });

    it('lets right Rust arrows, comments, strings and tests pass', () => {
      for (const source of [
        'use crate::{credentials::Identity, engine::state, error::Error};',
        '// use crate::driver::Task;\n/* crate::driver */\n/// as crate::driver does',
        'let s = "crate::driver";',
        'use crate::error::Error;\n#[cfg(test)]\nmod tests {\n    use crate::driver::Task;\n}',
        'use super::driver;',
      ]) assert.deepStrictEqual(checkRust('src/engine/session.rs', source), [], source);
    });

    it('sees wrong JavaScript arrows', () => {
      assert.deepStrictEqual(checkJs('lib/core/dispatch.js', 'const { Server } = require(\'../tls/server\');'),
        ['lib/core/dispatch.js: lib/core must not import lib/tls']);
      assert.deepStrictEqual(checkJs('lib/tls/server.js', 'require("../../binding.js"); require(\'../iotjs\');'),
        ['lib/tls/server.js: lib/tls must not import binding', 'lib/tls/server.js: lib/tls must not import lib/iotjs']);
      assert.deepStrictEqual(checkJs('lib/tls/server.js', 'import x from \'../../index.js\';'),
        ['lib/tls/server.js: lib/tls must not import index']);
      assert.deepStrictEqual(checkJs('lib/tls/server.js', 'require(\'tls\'); require(\'../core/errors\'); require(\'./face\');'), []);
    });
  });
});
