'use strict';

// node-postgres: STARTTLS of PostgreSQL's own kind (SSLRequest), with a pool, notifications and channel binding.

const assert = require('assert');
const { randomBytes } = require('crypto');
const { once } = require('events');
const { Client, Pool } = require('pg');
const pki = require('../../support/pki');

const config = {
  host: '127.0.0.1', port: Number(process.env.SERVER_PORT), user: 'app', database: 'postgres',
  password: process.env.SERVER_PASSWORD, ssl: { ca: pki.ca },
};

async function main() {
  const result = {};
  const client = new Client(config);
  await client.connect();
  const { rows: [how] } = await client.query('SELECT version, cipher, bits FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
  result.how = how;
  const data = randomBytes(5_000_000);
  await client.query('CREATE TEMPORARY TABLE item (id int, data bytea)');
  await client.query('INSERT INTO item VALUES (1, $1)', [data]);
  const { rows: [item] } = await client.query('SELECT data FROM item');
  assert.ok(item.data.equals(data));
  const { rows } = await client.query('SELECT i, md5(i::text) AS hash FROM generate_series(1, 50000) AS i');
  result.rows = [rows.length, rows.at(-1)];

  const pool = new Pool({ ...config, max: 6 });
  const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => pool.query('SELECT $1::int * 2 AS twice', [i])));
  result.pool = answers.map(({ rows: [{ twice }] }) => twice).join();
  await client.query('LISTEN news');
  const notified = once(client, 'notification');
  await pool.query('NOTIFY news, \'hello\'');
  result.notified = (await notified)[0].payload;
  await pool.end();
  await client.end();

  const bound = new Client({ ...config, enableChannelBinding: true });
  await bound.connect();
  result.bound = (await bound.query('SELECT 1 AS one')).rows;
  await bound.end();

  const certified = new Client({ ...config, ssl: { ca: pki.ca, ...pki.pair('client') } });
  await certified.connect();
  result.certified = (await certified.query('SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()')).rows;
  await certified.end();

  const failure = (ssl) => new Client({ ...config, ssl }).connect().catch(({ code, message }) => code ?? message);
  result.untrusted = await failure({ ca: pki.read('otherca.pem') });
  result.plain = await failure(false);
  return result;
}

main().then((result) => console.log(JSON.stringify(result)));
