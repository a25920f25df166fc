'use strict';

// c4tls/register: what of a program it reaches, in which ways it is loaded, and how it is switched off.

const assert = require('assert');
const path = require('path');
const { pkiEnv } = require('../support/node-program');
const { run } = require('../support/program');
const { stock } = require('../support/subject');

const ROOT = path.join(__dirname, '..', '..');
const hasImport = process.allowedNodeEnvironmentFlags.has('--import');

const REQUIRED = ['-r', 'c4tls/register'];
const IMPORTED = ['--import', 'c4tls/register'];

const PRELUDE = `
const c4tls = require('c4tls');
const pki = require('./test/support/pki');
const { once } = require('events');
async function listen(server) {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server.address().port;
}
let ours = 0;      // handshakes
const { emit } = c4tls.TLSSocket.prototype;
c4tls.TLSSocket.prototype.emit = function(event, ...args) {
  if (event === 'secure') ours++;
  return Reflect.apply(emit, this, [event, ...args]);
};
`;

const IMPORTS = `
  import { createRequire } from 'node:module';
  const require = createRequire(${JSON.stringify(path.join(ROOT, 'index.js'))});
`;

/** Runs a program in this package with these flags; what it prints is JSON. */
async function program(flags, source, { env, args = [] } = {}) {
  const { code, stdout, stderr } = await run(process.execPath, [...flags, ...args, '-e', source],
    { cwd: ROOT, env: { ...pkiEnv(), ...env } });
  assert.strictEqual(code, 0, stderr);
  return JSON.parse(stdout);
}

const asScript = (flags, source, options) => program(flags, `${PRELUDE}(async () => {
  console.log(JSON.stringify(await (async () => {${source}})()));
})();`, options);

const WAYS = `
  const https = require('./https.js');
  console.log(JSON.stringify([
    require('tls').connect === c4tls.connect,
    require('node:tls').createServer === c4tls.createServer,
    require('https').Agent === https.Agent,
    require('https').globalAgent === https.globalAgent,
    require('node:https').request === https.request,
    process.getBuiltinModule ? process.getBuiltinModule('tls').TLSSocket === c4tls.TLSSocket : ISOURS,
  ]));
`;

const MODULE_WAYS = `${IMPORTS}
  import tls, { connect, TLSSocket } from 'tls';
  import * as all from 'node:tls';
  import { Agent, get as httpsGet } from 'node:https';
  const c4tls = require('c4tls');
  const https = require('./https.js');
  console.log(JSON.stringify([
    tls.Server === c4tls.Server, connect === c4tls.connect, TLSSocket === c4tls.TLSSocket,
    all.createSecureContext === c4tls.createSecureContext, (await import('tls')).connect === c4tls.connect,
    Agent === https.Agent, httpsGet === https.get,
  ]));
`;

describe('c4tls/register [issue 4]', () => {
  before(function () {
    if (stock) this.skip();
  });

  const loadings = [['-r', REQUIRED], ['--import', IMPORTED], ['-r and --import', [...REQUIRED, ...IMPORTED]]];
  for (const [title, flags] of loadings) {
    const perhaps = hasImport || flags === REQUIRED ? it : it.skip;

    for (const disabled of [false, true]) {
      const env = disabled ? { C4TLS_DISABLE: '1' } : {};

      perhaps(`${title}: ${disabled ? 'C4TLS_DISABLE=1 leaves' : 'replaces'} what require() gives`, async () => {
        const ways = await program(flags, `const c4tls = require('c4tls'); ${WAYS.replace('ISOURS', String(!disabled))}`, { env });
        assert.deepStrictEqual(ways, ways.map(() => !disabled));
      });

      perhaps(`${title}: ${disabled ? 'C4TLS_DISABLE=1 leaves' : 'replaces'} what import gives`, async () => {
        const ways = await program([...flags, '--input-type=module'], MODULE_WAYS, { env });
        assert.deepStrictEqual(ways, ways.map(() => !disabled));
      });
    }
  }

  it('a program may load it itself', async () => {
    assert.deepStrictEqual(await asScript([], `
      require('c4tls/register');
      return require('tls').connect === c4tls.connect;`), true);
  });

  it('https, Node\'s fetch and http2 of a program go through c4tls', async () => {
    const result = await asScript(REQUIRED, `
      const answer = (request, response) => response.end(request.httpVersion);
      const server = require('https').createServer(pki.pair('ec'), answer);
      const port = await listen(server);
      const [response] = await once(require('https').get({ host: 'localhost', port, ca: pki.ca, agent: false }), 'response');
      const got = (await response.toArray()).join('');
      const afterGet = ours;
      const fetched = await (await fetch('https://localhost:' + port)).text();
      const afterFetch = ours;
      server.close();
      server.closeAllConnections();

      const http2 = require('http2');
      const second = http2.createSecureServer(pki.pair('ec'), answer);
      const session = http2.connect('https://localhost:' + await listen(second), { ca: pki.ca });
      const text = (await session.request().toArray()).join('');
      const { alpnProtocol } = session;
      session.close();
      second.close();
      return { got, fetched, text, alpnProtocol, afterGet, afterFetch, ours, kind: second instanceof c4tls.Server };
    `, { env: { NODE_EXTRA_CA_CERTS: require('../support/pki').path('ca.pem') } });
    assert.deepStrictEqual(result, {
      got: '1.1', fetched: '1.1', text: '2.0', alpnProtocol: 'h2', afterGet: 2, afterFetch: 4, ours: 6, kind: true,
    });
  });

  it('http2 that was loaded before is reached, too', async () => {
    const kind = await asScript(['-r', 'http2', ...REQUIRED], `
      return require('http2').createSecureServer(pki.pair('ec')) instanceof c4tls.Server;`);
    assert.strictEqual(kind, true);
  });

  it('what a program assigns counts', async () => {
    const result = await asScript(REQUIRED, `
      const tls = require('tls');
      const https = require('https');
      tls.DEFAULT_MAX_VERSION = 'TLSv1.2';
      const server = tls.createServer(pki.pair('ec'), (socket) => socket.end());
      const port = await listen(server);
      const client = tls.connect({ port, host: 'localhost', ca: pki.ca });
      await once(client, 'secureConnect');
      const version = client.getProtocol();
      client.destroy();
      server.close();
      https.globalAgent = new https.Agent({ maxSockets: 3 });
      return [version, c4tls.DEFAULT_MAX_VERSION, require('./https.js').globalAgent.maxSockets];`);
    assert.deepStrictEqual(result, ['TLSv1.2', 'TLSv1.2', 3]);
  });

  it('functions that rest on Node\'s own of the same name still reach those', async () => {
    const result = await asScript(REQUIRED, `
      const tls = require('tls');
      tls.setDefaultCACertificates?.([pki.ca]);
      return [tls.checkServerIdentity('localhost', { subject: {}, subjectaltname: 'DNS:localhost' }) === undefined,
        tls.rootCertificates.length > 100, tls.getCACertificates?.('default').length ?? 1];`);
    assert.deepStrictEqual(result, [true, true, 1]);
  });

  it('reaches Workers, forks, and with NODE_OPTIONS every child', async () => {
    const check = 'require(\'tls\').connect === require(\'c4tls\').connect';
    const result = await asScript(REQUIRED, `
      const { Worker } = require('worker_threads');
      const { execFileSync, fork } = require('child_process');
      const [inWorker] = await once(new Worker(\`require('worker_threads').parentPort.postMessage(${check})\`,
        { eval: true }), 'message');
      const child = fork('-e', [\`process.send(${check})\`], { execArgv: [...process.execArgv] });
      const [inFork] = await once(child, 'message');
      const inChild = execFileSync(process.execPath, ['-p', \`${check}\`],
        { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '-r c4tls/register' } });
      return [inWorker, inFork, inChild.trim()];`);
    assert.deepStrictEqual(result, [true, true, 'true']);
  });
});
