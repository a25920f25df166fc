'use strict';

const { execFileSync } = require('node:child_process');
const path = require('node:path');

const KEYS = {
  p256: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  rsa: ['-newkey', 'rsa:2048'],
};

/** Makes a self-signed certificate of every kind in `directory`, as NAME.pem and NAME.key. */
exports.makeCertificates = function makeCertificates(directory) {
  for (const [name, key] of Object.entries(KEYS)) {
    const files = ['-keyout', path.join(directory, `${name}.key`), '-out', path.join(directory, `${name}.pem`)];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    execFileSync('openssl', ['req', '-x509', '-nodes', '-days', '2', ...key, ...subject, ...files], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 30_000,
    });
  }
};
