'use strict';
// Node's command-line settings for TLS that no public API shows: --trace-tls and --tls-keylog=FILE.
const { appendFile } = require('fs');

// As Node reads NODE_OPTIONS: separated by spaces, but for those in double quotes; there a backslash escapes.
function fromEnvironment() {
  const list = (process.env.NODE_OPTIONS ?? '').match(/(?:"(?:\\.|[^"\\])*"|[^ "])+/gs) ?? [];
  const unquote = (quoted, inner) => inner.replace(/\\(.)/gs, '$1');
  return list.map((word) => word.replace(/"((?:\\.|[^"\\])*)"/gs, unquote));
}

// A name may have underscores in place of dashes.
const withDashes = (word) => word.replace(/^--[^=]*/, (name) => name.replaceAll('_', '-'));

const words = [...fromEnvironment(), ...process.execArgv].map(withDashes);

// The last one wins.
function valueOf(name) {
  const at = words.findLastIndex((word) => word === name || word.startsWith(`${name}=`));
  if (at < 0) return '';
  return words[at] === name ? words[at + 1] ?? '' : words[at].slice(name.length + 1);
}

/** Whether the program was started with `flag`. */
function has(flag) {
  return words.includes(flag);
}

const keylogFile = valueOf('--tls-keylog');
const tracing = words.lastIndexOf('--trace-tls') > words.lastIndexOf('--no-trace-tls');
let traceWarned = false;
let keylogWarned = false;
let keylogFailed = false;

function traceTls() {
  if (tracing && !traceWarned) {
    traceWarned = true;
    process.emitWarning('Enabling --trace-tls can expose sensitive data in the resulting log.');
  }
  return tracing;
}

/** Writes the socket's key material to the --tls-keylog file, if there is one. */
function attachKeylog(socket) {
  if (!keylogFile) return;
  if (!keylogWarned) {
    keylogWarned = true;
    process.emitWarning('Using --tls-keylog makes TLS connections insecure by writing secret key material to ' +
                        `file ${keylogFile}`);
  }
  socket.on('keylog', (line) => {
    appendFile(keylogFile, line, { mode: 0o600 }, (error) => {
      if (!error || keylogFailed) return;
      keylogFailed = true;
      process.emitWarning(`Failed to write TLS keylog (this warning will not be repeated): ${error}`);
    });
  });
}

module.exports = { attachKeylog, has, logsKeys: keylogFile !== '', traceTls, tracing };
