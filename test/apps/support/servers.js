'use strict';

// Debian's servers with TLS on a free port of 127.0.0.1, each in a folder of its own with copies of the test's
// certificates. They refuse to be root, so root starts them as nobody.

const { execFileSync } = require('child_process');
const fs = require('fs');
const net = require('net');
const os = require('os');
const path = require('path');
const { once } = require('events');
const pki = require('../../support/pki');
const { run, start } = require('../../support/program');

const NOBODY = 65534;
const LIFETIME = 120_000;     // ms, of a server at most
const PATIENCE = 30_000;      // ms, until it is ready

const isRoot = process.getuid?.() === 0;
const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
const PASSWORD = 'open sesame';

/** Debian's package of each program, and where it puts programs outside PATH. */
const PACKAGES = {
  'postgres': 'postgresql', 'initdb': 'postgresql', 'mariadbd': 'mariadb-server', 'mariadb-install-db': 'mariadb-server',
  'redis-server': 'redis-server', 'mosquitto': 'mosquitto',
};

function folders() {
  const postgres = '/usr/lib/postgresql';
  const versions = fs.existsSync(postgres) ? fs.readdirSync(postgres) : [];
  return [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin',
    ...versions.map((version) => path.join(postgres, version, 'bin'))];
}

/** Path of an installed program, or undefined. */
function find(name) {
  return folders().map((folder) => path.join(folder, name)).find((file) => fs.existsSync(file));
}

/** Debian's packages that must be installed first. */
function missing() {
  return [...new Set(Object.keys(PACKAGES).filter((name) => !find(name)).map((name) => PACKAGES[name]))];
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

function makeFolder() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-server-'));
  for (const name of ['ca.pem', 'rsa.pem', 'rsa.key']) {
    fs.copyFileSync(pki.path(name), path.join(dir, name));
    fs.chmodSync(path.join(dir, name), 0o600);
  }
  return dir;
}

// What was put into the folder belongs to the server's user.
function giveAway(dir) {
  if (isRoot) execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, dir]);
}

/**
 * Starts a server, gives `use` its port, and ends it.
 * @param {{name: string, ready: RegExp, prepare?: function(string): Promise<void>,
 *   args: function(string, number): string[]}} server args of its folder and port
 */
async function withServer({ name, ready, prepare, args }, use) {
  const dir = makeFolder();
  let program;
  try {
    giveAway(dir);
    await prepare?.(dir);
    giveAway(dir);
    const port = await freePort();
    program = start(find(name), args(dir, port), { cwd: dir, timeout: LIFETIME, ...user });
    await program.waitFor(ready, PATIENCE);
    return await use(port);
  } finally {
    program?.signal('SIGTERM');
    await program?.ended.catch(() => {});
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

async function must(file, args, options) {
  const { code, stdout, stderr } = await run(file, args, { timeout: PATIENCE, ...user, ...options });
  if (code !== 0) throw new Error(`${file} ended with ${code}\n${stdout}${stderr}`);
}

const postgres = {
  name: 'postgres',
  ready: /database system is ready to accept connections/,
  async prepare(dir) {
    fs.writeFileSync(path.join(dir, 'password'), PASSWORD);
    giveAway(dir);
    await must(find('initdb'), ['-D', 'data', '-U', 'app', '-A', 'scram-sha-256', '--pwfile=password', '--no-locale',
      '-E', 'UTF8', '--no-sync'], { cwd: dir });
    fs.writeFileSync(path.join(dir, 'data', 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 scram-sha-256\n');
  },
  args: (dir, port) => ['-D', 'data', ...Object.entries({
    port, listen_addresses: '127.0.0.1', unix_socket_directories: '', fsync: 'off', ssl: 'on',
    ssl_cert_file: `${dir}/rsa.pem`, ssl_key_file: `${dir}/rsa.key`, ssl_ca_file: `${dir}/ca.pem`,
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
};

const mariadb = {
  name: 'mariadbd',
  ready: /ready for connections/,
  async prepare(dir) {
    fs.writeFileSync(path.join(dir, 'init.sql'), [
      'CREATE DATABASE app;', `CREATE USER app@'127.0.0.1' IDENTIFIED BY '${PASSWORD}' REQUIRE SSL;`,
      'GRANT ALL ON app.* TO app@\'127.0.0.1\';', ''].join('\n'));
    await must(find('mariadb-install-db'), ['--no-defaults', `--datadir=${dir}/data`, '--skip-test-db',
      '--auth-root-authentication-method=normal'], { cwd: dir });
  },
  args: (dir, port) => ['--no-defaults', `--datadir=${dir}/data`, `--port=${port}`, '--bind-address=127.0.0.1',
    `--socket=${dir}/socket`, `--pid-file=${dir}/pid`, `--init-file=${dir}/init.sql`, '--skip-name-resolve',
    '--innodb-flush-log-at-trx-commit=0', '--max-allowed-packet=64M',
    `--ssl-ca=${dir}/ca.pem`, `--ssl-cert=${dir}/rsa.pem`, `--ssl-key=${dir}/rsa.key`],
};

const redis = {
  name: 'redis-server',
  ready: /Ready to accept connections/,
  args: (dir, port) => ['--port', '0', '--tls-port', `${port}`, '--bind', '127.0.0.1', '--dir', dir, '--save', '',
    '--tls-cert-file', 'rsa.pem', '--tls-key-file', 'rsa.key', '--tls-ca-cert-file', 'ca.pem',
    '--tls-auth-clients', 'optional', '--requirepass', PASSWORD],
};

/** Clients are known by their certificates. */
const mosquitto = {
  name: 'mosquitto',
  ready: /mosquitto version \S+ running/,
  async prepare(dir) {
    fs.writeFileSync(path.join(dir, 'tls.conf'), [
      `cafile ${dir}/ca.pem`, `certfile ${dir}/rsa.pem`, `keyfile ${dir}/rsa.key`, 'require_certificate true',
      'use_identity_as_username true', ''].join('\n'));
  },
  args(dir, port) {
    const own = fs.readFileSync(path.join(dir, 'tls.conf'), 'utf8');
    fs.writeFileSync(path.join(dir, 'server.conf'), `listener ${port} 127.0.0.1\n${own}`);
    return ['-c', path.join(dir, 'server.conf')];
  },
};

module.exports = { PASSWORD, mariadb, missing, mosquitto, postgres, redis, withServer };
