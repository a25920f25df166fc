// The types of `c4tls/https` in a CommonJS program. Checked by tsc, never run.

import * as http from 'node:http';
import * as nodeHttps from 'node:https';
import c4tls = require('c4tls');
import https = require('c4tls/https');

const pair = c4tls.generateCertificate();
const server: https.Server = https.createServer({ ...pair, requestTimeout: 1_000, ALPNProtocols: ['http/1.1'] },
  (request, response) => {
    const url: string | undefined = request.url;
    response.end(url);
  });
const asNode: nodeHttps.Server = server;
const asTls: c4tls.Server = server;
server.keepAliveTimeout = 1_000;
server.closeIdleConnections();
server.on('clientError', (error, socket) => console.log(error, socket));
https.createServer((request: http.IncomingMessage, response) => response.end(request.method));
// @ts-expect-error milliseconds are a number
https.createServer({ keepAliveTimeout: '5s' });

const agent: https.Agent = new https.Agent({ keepAlive: true, maxCachedSessions: 10, ca: pair.cert });
const asHttp: http.Agent = agent;
const name: string = agent.getName({ host: 'localhost' });
const sent: http.ClientRequest = https.request('https://localhost', { agent }, (response) => response.resume());
https.get(new URL('https://localhost'), (response) => console.log(response.statusCode));
https.get({ host: 'localhost', servername: 'localhost', checkServerIdentity: () => undefined });
https.globalAgent.maxSockets = 4;
// @ts-expect-error a url, or options
https.get(443);

export { asHttp, asNode, asTls, name, sent };
