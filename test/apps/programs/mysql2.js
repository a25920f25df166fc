'use strict';

// mysql2 against MariaDB, which is asked for TLS inside a connection that began without.

const assert = require('assert');
const { randomBytes } = require('crypto');
const mysql = require('mysql2/promise');
const pki = require('../../support/pki');

const config = {
  host: '127.0.0.1', port: Number(process.env.SERVER_PORT), user: 'app', database: 'app',
  password: process.env.SERVER_PASSWORD, ssl: { ca: pki.ca },
};

async function main() {
  const result = {};
  const connection = await mysql.createConnection(config);
  const [status] = await connection.query('SHOW SESSION STATUS WHERE Variable_name IN (\'Ssl_version\', \'Ssl_cipher\')');
  result.status = status;
  await connection.query('CREATE TEMPORARY TABLE item (id INT PRIMARY KEY, data LONGBLOB)');
  const data = randomBytes(5_000_000);
  await connection.execute('INSERT INTO item VALUES (?, ?)', [1, data]);
  const [[item]] = await connection.execute('SELECT data FROM item WHERE id = ?', [1]);
  assert.ok(item.data.equals(data));
  const [rows] = await connection.query('SELECT seq, MD5(seq) AS hash FROM seq_1_to_50000');
  result.rows = [rows.length, rows.at(-1)];
  await connection.end();

  const pool = mysql.createPool({ ...config, connectionLimit: 6 });
  const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => pool.execute('SELECT ? * 2 AS twice', [i])));
  result.pool = answers.map(([[{ twice }]]) => Number(twice)).join();
  await pool.end();

  const failure = (ssl) => mysql.createConnection({ ...config, ssl }).catch(({ code }) => code);
  result.untrusted = await failure({ ca: pki.read('otherca.pem') });
  result.plain = await failure(undefined);
  return result;
}

main().then((result) => console.log(JSON.stringify(result)));
