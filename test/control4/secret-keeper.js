'use strict';

// A server's TLS context made from an encrypted key, whose password comes over stdin as raw bytes, so that no string of
// this process ever holds it. What secrets.test.js then finds in this process's memory is what the addon left there.
//
// Arguments: a JSON of { passwordLength, certificate, privateKey, keyAsText, base, keep }.

const fs = require('fs');
const path = require('path');
const binding = require('../../lib/core/binding');

const { passwordLength, certificate, privateKey = '', keyAsText, base, keep } = JSON.parse(process.argv[2]);

/** Straight into the buffer: a stream of Node's would leave chunks behind. */
function readPassword() {
  const buffer = Buffer.allocUnsafeSlow(passwordLength);
  for (let at = 0; at < passwordLength;) at += fs.readSync(0, buffer, at, passwordLength - at);
  return buffer;
}

const password = readPassword();
const keyArgument = keyAsText ? fs.readFileSync(path.join(base, privateKey)) : Buffer.from(privateKey);
let result = 'loaded';
let identity;
try {
  identity = binding.loadIdentity({
    certificate: Buffer.from(certificate), privateKey: keyArgument, password,
    bases: [{ name: 'C4Z', path: base }],
  });
  const context = new binding.SecureContext(null, 0, 0);
  identity.applyTo(context);
  process.on('exit', () => context.close());      // it lives as long as the process
} catch (error) {
  result = JSON.stringify({ code: error.code, text: `${error.message} ${error.stack} ${JSON.stringify(error)}` });
}
if (keep !== 'password') password.fill(0);
const kept = keep === 'key' ? fs.readFileSync(path.join(base, 'plain.key')) : undefined;
process.on('message', () => process.exit(kept && password ? 0 : 1));
process.stdout.write(`${result}\n`);
