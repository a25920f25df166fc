'use strict';

// A driver with a TLS server whose key is encrypted. The password comes over stdin as raw bytes, so that no string of
// this process ever holds it. What secrets.test.js then finds in this process's memory is what the server left there.
//
// Arguments: a JSON of { passwordLength, certificate, privateKey, keyAsText, base, keep }. Says ONLINE, or what
// CreateTLSServer says.

const fs = require('fs');
const path = require('path');
const { Driver } = require('../../control4');

const { passwordLength, certificate, privateKey = '', keyAsText, base, keep } = JSON.parse(process.argv[2]);

/** Straight into the buffer: a stream of Node's would leave chunks behind. */
function readPassword() {
  const buffer = Buffer.allocUnsafeSlow(passwordLength);
  for (let at = 0; at < passwordLength;) at += fs.readSync(0, buffer, at, passwordLength - at);
  return buffer;
}

const driver = new Driver({ c4zDir: base });
driver.OnServerStatusChanged = (port, status) => process.stdout.write(`${status}\n`);

const password = readPassword();
const key = keyAsText ? fs.readFileSync(path.join(base, privateKey)) : privateKey;
const [ok, message] = driver.CreateTLSServer(0, '', 0, 0, '', certificate, key, password);
if (keep !== 'password') password.fill(0);
const kept = keep === 'key' ? fs.readFileSync(path.join(base, 'plain.key')) : undefined;
process.on('message', () => process.exit(kept && password ? 0 : 1));
if (!ok) process.stdout.write(`${message}\n`);
