'use strict';

// Every program in examples/ runs, prints what it promises, and ends by itself.

const assert = require('assert');
const fs = require('fs');
const path = require('path');
const { run } = require('./support/program');

const DIR = path.join(__dirname, '..', 'examples');

const EXPECTED = {
  'alpn.js': /^let us speak chat\/2\nnothing in common: ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL\n$/,
  'client.js': /^TLSv1\.3 TLS_\w+\ncertificate of localhost until .* GMT\nreceived good day\nrefused: DEPTH_ZERO_SELF_SIGNED_CERT\n$/,
  'echo-server.js': /^the server sent back: echo\n$/,
  'https-server.js': /^200 you asked for \/news over TLSv1\.3\n$/,
  'iotjs.js': /^authorized: true\nhello, thing\n$/,
  'mutual-tls.js': /welcome, friend\.example\n[^]*the stranger got: ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED\n/,
  'sni.js': /^localhost is .* localhost\nshop\.example is .* shop\.example\nblog\.example is .* blog\.example\n$/,
  'starttls.js': /^in clear text: STARTTLS\ngot the password in secret\n$/,
  'workers.js': /^(worker [012] answers\n){3}$/,
};

describe('examples', () => {
  it('are all tested and listed in their README', () => {
    const programs = fs.readdirSync(DIR).filter((name) => name.endsWith('.js'));
    assert.deepStrictEqual(programs, Object.keys(EXPECTED));
    const readme = fs.readFileSync(path.join(DIR, 'README.md'), 'utf8');
    for (const name of programs) assert.ok(readme.includes(`\`${name}\``), name);
  });

  for (const [name, expected] of Object.entries(EXPECTED)) {
    it(name, async () => {
      const { code, stdout, stderr } = await run(process.execPath, [path.join(DIR, name)]);
      assert.match(stdout, expected);
      assert.deepStrictEqual([code, stderr], [0, '']);
    });
  }
});
