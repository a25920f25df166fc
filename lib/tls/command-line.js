'use strict';
// Node's command-line settings for TLS that no public API shows: --trace-tls and --tls-keylog=FILE.
const { appendFile } = require('fs');

function words() {
  const fromEnvironment = (process.env.NODE_OPTIONS ?? '').split(/\s+/).filter(Boolean);
  return [...fromEnvironment, ...process.execArgv];
}

// The last one wins.
function valueOf(name) {
  const list = words();
  for (let i = list.length - 1; i >= 0; i--) {
    if (list[i].startsWith(`${name}=`)) return list[i].slice(name.length + 1);
    if (list[i] === name) return list[i + 1] ?? '';
  }
  return '';
}

/** Whether the program was started with `flag`. */
function has(flag) {
  return words().includes(flag);
}

const keylogFile = valueOf('--tls-keylog');
const tracing = has('--trace-tls');
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
