'use strict';

// Unmodified packages of npm with c4tls in the place of Node's TLS, talking to Debian's servers and to themselves.
// npm run test:apps (run.js) runs this with what it needs.

const assert = require('assert');
const pki = require('../support/pki');
const { compare } = require('./support/run-program');
const servers = require('./support/servers');

const both = { client: true, server: true };
const asClient = { client: true };

/** Runs a client program against a server of Debian's. */
function against(server, name) {
  return servers.withServer(server, (port) => compare(name, asClient, {
    SERVER_PORT: `${port}`, SERVER_PASSWORD: servers.PASSWORD,
  }));
}

describe('existing programs [issue 4]', () => {
  before(() => pki.path('ca.pem'));

  it('express', async () => {
    const { plain, certified } = await compare('express.js', both);
    assert.strictEqual(plain.secure, true);
    assert.strictEqual(certified.client, 'good client');
  });

  it('fastify: https and HTTP/2', async () => {
    const { http2 } = await compare('fastify.mjs', both, { NODE_EXTRA_CA_CERTS: pki.path('ca.pem') });
    assert.strictEqual(http2.alpn, 'h2');
  });

  it('ws', () => compare('ws.js', both));

  it('undici, and Node\'s fetch', () => compare('undici.mjs', both, { NODE_EXTRA_CA_CERTS: pki.path('ca.pem') }));

  it('socket.io', () => compare('socket.io.js', both));

  it('nodemailer: STARTTLS to smtp-server', () => compare('nodemailer.js', both));

  it('pg: PostgreSQL', () => against(servers.postgres, 'pg.js'));

  it('mysql2: MariaDB', () => against(servers.mariadb, 'mysql2.js'));

  it('redis: Redis', () => against(servers.redis, 'redis.js'));

  it('ioredis: Redis', () => against(servers.redis, 'ioredis.js'));

  it('mqtt: Mosquitto', () => against(servers.mosquitto, 'mqtt.js'));
});
