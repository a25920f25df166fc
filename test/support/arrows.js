'use strict';

// Reads which room imports which, and says what goes against the one-way rule of ARCHITECTURE.md.

const path = require('path').posix;

/** Rooms of src/ and what each may import; `napi` stands for Node-API's crates. */
const RUST = {
  bridge: ['driver', 'engine', 'transport', 'policy', 'credentials', 'framing', 'text', 'error', 'napi'],
  driver: ['engine', 'transport', 'policy', 'credentials', 'framing', 'error'],
  engine: ['credentials', 'error'],
  transport: ['error'],
  policy: ['error'],
  credentials: ['error'],
  framing: ['error'],
  text: ['error'],
  error: [],
};

/** The same for lib/; `root` stands for the files beside package.json, `binding` for the addon's loader. */
const JAVASCRIPT = {
  root: ['core', 'tls', 'https', 'iotjs', 'register', 'control4', 'ipworks'],
  https: ['tls', 'core'],
  register: ['https', 'tls', 'core'],
  iotjs: ['tls', 'core'],
  control4: ['core'],
  ipworks: ['core'],
  tls: ['core'],
  core: [],
};

/** Source without comments and the content of strings; line breaks stay. */
function stripRust(source) {
  const token = new RegExp([
    /\/\/[^\n]*/, /\/\*[\s\S]*?\*\//,
    /b?r(?<hashes>#*)"[\s\S]*?"\k<hashes>/, /[bc]?"(?:[^"\\]|\\[\s\S])*"/,
    /b?'(?:[^'\\\n]|\\[^\n][^'\n]*)'/,
  ].map((part) => part.source).join('|'), 'g');
  return source.replace(token, (found) => found.replace(/[^\n]/g, ' '));
}

/** Where the item that begins at `at` ends: its closing brace, or its semicolon when that comes first. */
function endOfItem(source, at) {
  let depth = 0;
  for (let i = at; i < source.length; i++) {
    const c = source[i];
    if (c === '{' || c === '(' || c === '[') depth++;
    else if (c === '}' || c === ')' || c === ']') {
      depth--;
      if (depth === 0 && c === '}' && !/^\s*;/.test(source.slice(i + 1))) return i + 1;
    } else if (c === ';' && depth === 0) return i + 1;
  }
  return source.length;
}

/** Source without the items that only tests are compiled with. */
function withoutTests(source) {
  const attribute = /#\[cfg\(test\)\]/g;
  let kept = '';
  let from = 0;
  for (let match; (match = attribute.exec(source));) {
    kept += source.slice(from, match.index);
    from = attribute.lastIndex = endOfItem(source, attribute.lastIndex);
  }
  return kept + source.slice(from);
}

/** First names of the paths in `tree`: "a::b" gives a, "{a::b, c}" gives a and c. */
function firstNames(tree) {
  if (!tree.startsWith('{')) return [/^\w+/.exec(tree)?.[0]].filter(Boolean);
  const names = [];
  let depth = 0;
  let part = '';
  for (const c of tree) {
    if (c === '{' && depth++ === 0) continue;
    if (c === '}' && --depth === 0) break;
    if (c === ',' && depth === 1) {
      names.push(...firstNames(part.trim()));
      part = '';
    } else {
      part += c;
    }
  }
  return [...names, ...firstNames(part.trim())];
}

/** How many inline modules enclose the place `at`. */
function moduleDepth(source, at) {
  const scopes = [];
  const token = /\bmod\s+\w+\s*\{|[{}]/g;
  for (let match; (match = token.exec(source)) && match.index < at;) {
    if (match[0] === '}') scopes.pop();
    else scopes.push(match[0] !== '{');
  }
  return scopes.filter(Boolean).length;
}

/** Rooms that a file of src/ imports from, each with the path as it is written. */
function importsOfRust(name, source) {
  const parts = name.replace(/^src\//, '').replace(/\.rs$/, '').split('/');
  if (parts.at(-1) === 'mod' || parts.at(-1) === 'lib') parts.pop();
  const found = [];
  const code = withoutTests(stripRust(source));
  const paths = /(?<![\w:])(?:crate|super(?:\s*::\s*super)*)\s*::\s*(\w+|\{)/g;
  for (let match; (match = paths.exec(code));) {
    const at = match.index + match[0].length - match[1].length;
    if (match[0].startsWith('super')) {
      const up = match[0].match(/super/g).length;
      // Only a path that climbs to the crate leaves the room.
      if (up < parts.length + moduleDepth(code, match.index)) continue;
    }
    for (const to of firstNames(code.slice(at))) found.push({ to, text: match[0] });
  }
  for (const match of code.matchAll(/(?<![\w:.])(napi(?:_derive|_sys)?)\s*(?:::|\(|\])/g)) {
    found.push({ to: 'napi', text: match[0] });
  }
  return found;
}

function isMacroOrRoot(name) {
  return name === 'self' || /^[A-Z]/.test(name);
}

/** Wrong arrows of one Rust file, given as its path from the root and its text. */
function wrongInRust(name, source) {
  const parts = name.split('/');
  if (name === 'src/lib.rs' || parts.includes('tests')) return [];
  const room = parts[1].replace(/\.rs$/, '');
  const allowed = RUST[room] ?? [];
  return importsOfRust(name, source)
    .filter(({ to }) => to !== room && !allowed.includes(to) && !isMacroOrRoot(to))
    .map(({ to, text }) => ({ file: name, from: room, to, text }));
}

function roomOfModule(name) {
  const parts = name.split('/');
  if (parts[0] === 'lib' && parts.length > 1) return parts[1].replace(/\.js$/, '');
  return /^(?:locate-)?binding(?:\.js)?$/.test(name) ? 'binding' : 'root';
}

/** Wrong arrows of one JavaScript file of lib/ or the root. */
function wrongInJavaScript(name, source) {
  const room = roomOfModule(name);
  const allowed = JAVASCRIPT[room] ?? [];
  const wrong = [];
  for (const [text, , literal] of source.matchAll(/(?<![\w.])require\(\s*(?:(['"])(.*?)\1\s*\)|)/g)) {
    if (literal === undefined) {
      wrong.push({ file: name, from: room, to: 'a computed name', text });
      continue;
    }
    if (!literal.startsWith('.')) continue;
    const to = roomOfModule(path.join(path.dirname(name), literal));
    const opensBinding = to === 'binding' && name === 'lib/core/binding.js';
    if (to !== room && !allowed.includes(to) && !opensBinding) wrong.push({ file: name, from: room, to, text });
  }
  return wrong;
}

module.exports = { wrongInRust, wrongInJavaScript };
