// fastify over https, and over HTTP/2 with TLS, asked by fetch and http2.connect.
import { once } from 'node:events';
import http2 from 'node:http2';
import { get } from 'node:https';
import fastify from 'fastify';
import pki from '../../support/pki.js';

const ROUTES = (app) => {
  app.get('/', async (request) => ({ protocol: request.protocol, version: request.raw.httpVersion }));
  app.post('/echo', async (request) => request.body);
  app.get('/large', async (request, reply) => reply.type('text/plain').send('x'.repeat(3_000_000)));
};

async function asFetch() {
  const app = fastify({ https: pki.pair('ec') });
  app.register(async (scope) => ROUTES(scope));
  await app.listen({ port: 0, host: '127.0.0.1' });
  const url = `https://localhost:${app.server.address().port}`;
  const body = JSON.stringify({ list: Array.from({ length: 1000 }, (_, i) => i) });
  const result = {
    home: await (await fetch(`${url}/`)).json(),
    echo: JSON.stringify(await (await fetch(`${url}/echo`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body,
    })).json()) === body,
    large: (await (await fetch(`${url}/large`)).text()).length,
  };
  await app.close();
  return result;
}

function textOf(stream) {
  return new Promise((resolve, reject) => {
    let text = '';
    stream.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    stream.on('end', () => resolve(text)).on('error', reject);
  });
}

async function asHttp2() {
  const app = fastify({ http2: true, https: { ...pki.pair('ec'), allowHTTP1: true } });
  app.register(async (scope) => ROUTES(scope));
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address();
  const client = http2.connect(`https://localhost:${port}`, { ca: pki.ca });
  await once(client, 'connect');
  const result = {
    alpn: client.alpnProtocol, encrypted: client.encrypted, authorized: client.socket.authorized,
    home: JSON.parse(await textOf(client.request({ ':path': '/' }))),
    many: (await Promise.all(Array.from({ length: 20 }, () => textOf(client.request({ ':path': '/large' }))))).map(
      (text) => text.length).join(),
    http1: JSON.parse(await new Promise((resolve, reject) => {
      get({ port, host: 'localhost', ca: pki.ca, agent: false }, (response) => {
        textOf(response).then(resolve, reject);
      }).on('error', reject);
    })),
  };
  client.close();
  await app.close();
  return result;
}

console.log(JSON.stringify({ https: await asFetch(), http2: await asHttp2() }));
