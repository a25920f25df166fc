'use strict';

// The one-way rule of ARCHITECTURE.md ("Rooms"), and the length of files, read from the source itself.

const assert = require('assert');
const fs = require('fs');
const path = require('path');
const arrows = require('./support/arrows');

const ROOT = path.join(__dirname, '..');
const MAX_LINES = 800;

function filesBelow(folder, extension) {
  const found = [];
  for (const entry of fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true })) {
    const name = path.posix.join(folder, entry.name);
    if (entry.name === 'node_modules') continue;
    if (entry.isDirectory()) found.push(...filesBelow(name, extension));
    else if (name.endsWith(extension)) found.push(name);
  }
  return found;
}

function read(name) {
  return fs.readFileSync(path.join(ROOT, name), 'utf8');
}

describe('architecture', () => {
  it('rooms of src/ import one way', () => {
    const files = filesBelow('src', '.rs');
    assert.ok(files.length > 20);
    assert.deepStrictEqual(files.flatMap((name) => arrows.wrongInRust(name, read(name))), []);
  });

  it('the modules of JavaScript require one way', () => {
    const files = ['index.js', 'control4.js', 'https.js', 'iotjs.js', 'ipworks.js', 'register.js', ...filesBelow('lib', '.js')];
    assert.ok(files.length > 10);
    assert.deepStrictEqual(files.flatMap((name) => arrows.wrongInJavaScript(name, read(name))), []);
  });

  // c4tls/register replaces the members of Node's modules by ours, which would then call themselves.
  it('members of Node\'s tls and https are taken once, when this package is loaded', () => {
    const looksUpLater = (name) => /^const \w+ = require\('(node:)?(tls|https)'\)/m.test(read(name));
    assert.deepStrictEqual(filesBelow('lib', '.js').filter(looksUpLater), []);
  });

  it(`no source file is longer than ${MAX_LINES} lines`, () => {
    const folders = ['src', 'lib', 'test', 'bench', 'examples', 'scripts'].filter((name) => fs.existsSync(name));
    const files = ['.rs', '.js'].flatMap((extension) => folders.flatMap((name) => filesBelow(name, extension)));
    const long = files.filter((name) => !name.includes('/target/') && read(name).split('\n').length - 1 > MAX_LINES);
    assert.deepStrictEqual(long, []);
  });
});

describe('the checker of arrows', () => {
  const rust = (name, source) => arrows.wrongInRust(name, source).map(({ to }) => to);
  const js = (name, source) => arrows.wrongInJavaScript(name, source).map(({ to }) => to);

  it('lets the arrows of the plan pass', () => {
    assert.deepStrictEqual(rust('src/bridge/a.rs', 'use napi::Env;\nuse crate::driver::X;\nuse crate::error::E;'), []);
    assert.deepStrictEqual(rust('src/driver/a.rs', 'use crate::{engine::X, policy, transport::{A, B}};'), []);
    assert.deepStrictEqual(rust('src/engine/a.rs', 'use crate::credentials::Secret;\nuse crate::engine::ffi;'), []);
    assert.deepStrictEqual(rust('src/engine/mod.rs', 'pub use self::a::B;\npub use super::error::E;'), []);
    assert.deepStrictEqual(js('lib/tls/a.js', 'require(\'../core/b\'); require(\'./c\'); require(\'net\');'), []);
    assert.deepStrictEqual(js('lib/iotjs/a.js', 'require(\'../tls/b\'); require(\'../core/b\');'), []);
    assert.deepStrictEqual(js('lib/https/a.js', 'require(\'../tls\'); require(\'../core/b\'); require(\'http\');'), []);
    assert.deepStrictEqual(js('lib/register/a.js', 'require(\'../https\'); require(\'../tls\');'), []);
    assert.deepStrictEqual(js('lib/core/binding.js', 'require(\'../../binding.js\');'), []);
    assert.deepStrictEqual(js('index.js', 'require(\'./lib/tls\'); require(\'./lib/core/binding\');'), []);
  });

  it('finds leaf rooms that import each other', () => {
    assert.deepStrictEqual(rust('src/transport/a.rs', 'use crate::engine::X;'), ['engine']);
    assert.deepStrictEqual(rust('src/credentials/a.rs', 'use crate::engine::X;'), ['engine']);
    assert.deepStrictEqual(rust('src/policy/a.rs', 'fn f(x: &crate::transport::Stream) {}'), ['transport']);
    assert.deepStrictEqual(rust('src/engine/a/b.rs', 'use crate::{\n  error::E,\n  policy::limits,\n};'), ['policy']);
  });

  it('finds rooms that import upwards', () => {
    assert.deepStrictEqual(rust('src/driver/a.rs', 'use crate::bridge::X;'), ['bridge']);
    assert.deepStrictEqual(rust('src/engine/a.rs', 'use crate::driver as d;'), ['driver']);
    assert.deepStrictEqual(rust('src/error.rs', 'use crate::policy::X;'), ['policy']);
  });

  it('finds paths through super', () => {
    assert.deepStrictEqual(rust('src/transport/mod.rs', 'use super::engine::X;'), ['engine']);
    assert.deepStrictEqual(rust('src/transport/a.rs', 'use super::super::engine::X;'), ['engine']);
    assert.deepStrictEqual(rust('src/transport/a.rs', 'use super::engine::X;'), []);     // transport::engine
    assert.deepStrictEqual(rust('src/transport/a.rs', 'mod x {\n  use super::super::super::engine::X;\n}'), ['engine']);
  });

  it('finds Node-API outside the bridge', () => {
    assert.deepStrictEqual(rust('src/driver/a.rs', 'use napi::bindgen_prelude::*;'), ['napi']);
    assert.deepStrictEqual(rust('src/engine/a.rs', '#[napi_derive::napi]\nfn f() {}'), ['napi']);
    assert.deepStrictEqual(rust('src/error.rs', 'impl From<E> for napi::Error {}'), ['napi']);
  });

  it('knows rooms that nobody planned', () => {
    assert.deepStrictEqual(rust('src/bridge/a.rs', 'use crate::helpers::X;'), ['helpers']);
    assert.deepStrictEqual(rust('src/helpers/a.rs', 'use crate::error::X;'), ['error']);
  });

  it('leaves tests, comments and strings alone', () => {
    assert.deepStrictEqual(rust('src/engine/tests/a.rs', 'use crate::driver::X;'), []);
    assert.deepStrictEqual(rust('src/engine/testing.rs', 'use crate::driver::X;'), ['driver']);
    assert.deepStrictEqual(rust('src/engine/a.rs', '#[cfg(test)]\nmod tests {\n use crate::driver::X;\n}\n'), []);
    assert.deepStrictEqual(rust('src/engine/a.rs', '#[cfg(test)]\nuse crate::driver::X;\nuse crate::bridge::Y;'), ['bridge']);
    assert.deepStrictEqual(rust('src/engine/a.rs', '// as crate::driver::X does\n/* crate::driver */ let s = "napi::x";'), []);
    assert.deepStrictEqual(rust('src/engine/a.rs', 'let a = \'"\'; use crate::driver::X; let b = \'"\';'), ['driver']);
  });

  it('finds JavaScript that requires the other way', () => {
    assert.deepStrictEqual(js('lib/core/a.js', 'const x = require(\'../tls/socket\');'), ['tls']);
    assert.deepStrictEqual(js('lib/core/a.js', 'const x = require("../../index.js");'), ['root']);
    assert.deepStrictEqual(js('lib/core/a.js', 'const x = require(\'../../binding\');'), ['binding']);
    assert.deepStrictEqual(js('lib/tls/a.js', 'const x = require(\'../iotjs\');'), ['iotjs']);
    assert.deepStrictEqual(js('lib/tls/a.js', 'const x = require(\'../https\');'), ['https']);
    assert.deepStrictEqual(js('lib/https/a.js', 'const x = require(\'../iotjs\');'), ['iotjs']);
    assert.deepStrictEqual(js('lib/https/a.js', 'const x = require(\'../register\');'), ['register']);
    assert.deepStrictEqual(js('lib/tls/a.js', 'const x = require(\'../..\');'), ['root']);
    assert.deepStrictEqual(js('lib/tls/a.js', 'const x = require(\'../../binding\');'), ['binding']);
    assert.deepStrictEqual(js('lib/control4/a.js', 'const x = require(\'../tls\');'), ['tls']);
    assert.deepStrictEqual(js('lib/tls/a.js', 'const x = require(name);'), ['a computed name']);
  });
});
