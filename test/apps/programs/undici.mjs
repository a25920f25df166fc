// undici's client, and the fetch that Node has inside, against an https and an HTTP/2 server.
import { once } from 'node:events';
import http2 from 'node:http2';
import https from 'node:https';
import { Agent, Pool, fetch as undiciFetch, request } from 'undici';
import pki from '../../support/pki.js';

const LARGE = Buffer.alloc(5_000_000, 'large');

function answer(incoming, response) {
  if (incoming.url === '/large') response.end(LARGE);
  else incoming.pipe(response.writeHead(200, { 'x-version': incoming.httpVersion }));
}

const server = https.createServer({ ...pki.pair('rsa'), ca: pki.ca, requestCert: true, rejectUnauthorized: false }, answer);
server.listen(0);
await once(server, 'listening');
const url = `https://localhost:${server.address().port}`;

const result = {};
const agent = new Agent({ connect: { ca: pki.ca, ...pki.pair('client') }, pipelining: 4, connections: 2 });
const posted = await request(`${url}/`, { method: 'POST', body: 'hello', dispatcher: agent });
result.request = [posted.statusCode, await posted.body.text()];
const large = await request(`${url}/large`, { dispatcher: agent });
result.large = Buffer.from(await large.body.arrayBuffer()).equals(LARGE);
result.many = (await Promise.all(Array.from({ length: 100 }, async (_, i) => {
  const { body } = await request(`${url}/`, { method: 'PUT', body: `${i}`, dispatcher: agent });
  return body.text();
}))).join();
result.fetch = await (await undiciFetch(url, { method: 'POST', body: 'undici', dispatcher: agent })).text();
await agent.close();

// Node's own: trusts NODE_EXTRA_CA_CERTS.
result.global = await (await fetch(url, { method: 'POST', body: 'global' })).text();

const stranger = new Pool(url, { connect: { ca: pki.read('otherca.pem') } });
result.untrusted = await stranger.request({ path: '/', method: 'GET' }).catch(({ code }) => code);
await stranger.destroy();
server.close();
server.closeAllConnections();

const second = http2.createSecureServer(pki.pair('ec'), answer);
second.listen(0);
await once(second, 'listening');
const modern = new Agent({ allowH2: true, connect: { ca: pki.ca } });
const h2 = await request(`https://localhost:${second.address().port}/`, { method: 'POST', body: 'h2', dispatcher: modern });
result.http2 = [h2.headers['x-version'], await h2.body.text()];
await modern.close();
second.close();
console.log(JSON.stringify(result));
