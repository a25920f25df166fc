'use strict';

// ioredis against Redis with TLS.

const assert = require('assert');
const { randomBytes } = require('crypto');
const { once } = require('events');
const Redis = require('ioredis');
const pki = require('../../support/pki');

const config = {
  host: '127.0.0.1', port: Number(process.env.SERVER_PORT), password: process.env.SERVER_PASSWORD,
  tls: { ca: pki.ca }, retryStrategy: null,
};

async function main() {
  const result = {};
  const client = new Redis(config);
  await client.flushall();
  result.ping = await client.ping();
  result.encrypted = client.stream.encrypted;
  const data = randomBytes(5_000_000);
  await client.set('large', data);
  assert.ok((await client.getBuffer('large')).equals(data));
  const pipeline = client.pipeline();
  for (let i = 0; i < 5000; i++) pipeline.incr('count');
  result.many = (await pipeline.exec()).at(-1);

  const subscriber = new Redis(config);
  await subscriber.subscribe('news');
  const heard = once(subscriber, 'message');
  await client.publish('news', 'hello');
  result.heard = await heard;

  // A connection that the server closes is made again.
  const stubborn = new Redis({ ...config, retryStrategy: () => 10 });
  const id = await stubborn.client('ID');
  await client.client('KILL', 'ID', id);
  await once(stubborn, 'ready');
  result.again = await stubborn.ping();
  await Promise.all([stubborn.quit(), subscriber.quit(), client.quit()]);

  const stranger = new Redis({ ...config, tls: { ca: pki.read('otherca.pem') }, maxRetriesPerRequest: 0 });
  result.untrusted = (await once(stranger, 'error'))[0].code;
  return result;
}

main().then((result) => console.log(JSON.stringify(result)));
