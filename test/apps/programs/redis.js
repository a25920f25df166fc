'use strict';

// node-redis against Redis with TLS.

const assert = require('assert');
const { randomBytes } = require('crypto');
const { RESP_TYPES, createClient } = require('redis');
const pki = require('../../support/pki');

const config = {
  url: `rediss://127.0.0.1:${process.env.SERVER_PORT}`, password: process.env.SERVER_PASSWORD,
  socket: { ca: pki.ca, reconnectStrategy: false },
};

async function main() {
  const result = {};
  const client = await createClient(config).connect();
  await client.flushAll();
  result.ping = await client.ping();
  const data = randomBytes(5_000_000);
  await client.set('large', data);
  const got = await client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }).get('large');
  assert.ok(got.equals(data));
  result.many = (await Promise.all(Array.from({ length: 5000 }, () => client.incr('count')))).at(-1);

  const subscriber = await createClient(config).connect();
  const heard = [];
  await new Promise((resolve, reject) => {
    subscriber.subscribe('news', (message) => {
      if (heard.push(message) === 100) resolve();
    }).then(async () => {
      for (let i = 0; i < 100; i++) await client.publish('news', `${i}`);
    }).catch(reject);
  });
  result.heard = heard.join();
  await subscriber.close();
  await client.close();

  const stranger = createClient({ ...config, socket: { ...config.socket, ca: pki.read('otherca.pem') } });
  stranger.on('error', () => {});
  result.untrusted = await stranger.connect().then(() => 'connected', ({ code }) => code);
  return result;
}

main().then((result) => console.log(JSON.stringify(result)));
