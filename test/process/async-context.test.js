'use strict';

// In which AsyncLocalStorage context listeners and callbacks run, and what becomes of their promises: the same programs
// under Node's tls and under ours.

const assert = require('assert');
const { runBoth } = require('../support/node-program');

/** Runs the program under both; it prints one JSON value: [stock, ours]. */
async function reports(source, options) {
  const results = await runBoth(source, { timeout: 10_000, ...options });
  for (const { code, stderr } of results) assert.strictEqual(code, 0, stderr);
  return results.map(({ stdout }) => JSON.parse(stdout));
}

/** Notes the store in which everything runs that a server and its clients call. */
const VISITS = `
  const { AsyncLocalStorage } = require('async_hooks');
  const { constants } = require('crypto');
  const net = require('net');
  const storage = new AsyncLocalStorage();
  const seen = {};
  const note = (what) => { (seen[what] ??= new Set()).add(storage.getStore() ?? 'none'); };
  const noted = (what, then) => (...args) => {
    note(what);
    return then?.(...args);
  };

  const CLIENT_EVENTS = ['lookup', 'connect', 'ready', 'secureConnect', 'data', 'end', 'session', 'keylog',
    'OCSPResponse', 'timeout', 'error', 'close', 'finish'];
  // A client made in the context \`where\`; resolves when it has closed.
  const visit = (where, options, use) => new Promise((resolve) => storage.run(where, () => {
    const client = tls.connect({ host: '127.0.0.1', servername: 'localhost', ca: pki.ca, ...options },
      noted('connect callback'));
    for (const name of CLIENT_EVENTS) client.on(name, noted('client ' + name));
    use(client);
    client.on('close', () => resolve());
  }));

  const sessions = new Map();
  const server = storage.run('server', () => tls.createServer({
    ...pki.pair('ec'), maxVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_TICKET,
    SNICallback: noted('SNICallback', (name, done) => done(null)),
    ALPNCallback: noted('ALPNCallback', ({ protocols }) => protocols[0]),
  }));
  storage.run('listeners', () => {
    server.on('secureConnection', noted('secureConnection', (socket) => {
      storage.run('inner listeners', () => {
        for (const name of ['data', 'end', 'timeout', 'finish', 'close']) socket.on(name, noted('server ' + name));
        socket.on('data', (data) => socket.write(data, noted('server write callback')));
        socket.on('error', () => {});
      });
    }));
    server.on('newSession', noted('newSession', (id, data, done) => {
      sessions.set(id.toString('hex'), data);
      done();
    }));
    server.on('resumeSession', noted('resumeSession', (id, done) => done(null, sessions.get(id.toString('hex')) ?? null)));
    server.on('OCSPRequest', noted('OCSPRequest', (certificate, issuer, done) => done(null, Buffer.from('x'))));
    for (const name of ['connection', 'keylog', 'tlsClientError', 'listening', 'close']) {
      server.on(name, noted('server event ' + name));
    }
  });

  (async () => {
    await new Promise((resolve) => storage.run('listen', () => {
      server.listen(0, '127.0.0.1', noted('listen callback', resolve));
    }));
    const { port } = server.address();
    let session;
    await visit('first', { port, ALPNProtocols: ['a'], requestOCSP: true }, (client) => {
      client.on('session', (made) => { session = made; });
      client.write('x', noted('write callback before the connection'));
      client.once('data', () => storage.run('inside', () => {
        client.write('y', noted('write callback'));
        client.setTimeout(20, noted('timeout callback', () => client.end('z', noted('end callback'))));
      }));
    });
    await visit('second', { port, session }, (client) => client.on('secureConnect', () => {
      note(client.isSessionReused() ? 'resumed' : 'not resumed');
      client.end();
    }));
    await visit('third', { port, host: 'localhost', family: 4 }, (client) => client.on('secureConnect', () => {
      client.renegotiate({}, noted('renegotiate callback', () => client.destroy()));
    }));
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' };
    await visit('wrong version', { port, ...old }, () => {});
    await visit('refused', { port: 1 }, () => {});
    const raw = net.connect(port, '127.0.0.1');
    await visit('over a socket', { socket: raw }, (client) => client.on('secureConnect', () => client.end()));
    storage.run('server.close', () => server.close(noted('server.close callback', () => setImmediate(() => {
      for (const what of Object.keys(seen)) seen[what] = [...seen[what]].sort();
      console.log(JSON.stringify(seen));
    }))));
  })();`;

describe('AsyncLocalStorage, as in Node\'s tls', () => {
  it('every listener and callback runs in the context that it has there', async () => {
    const [theirs, ours] = await reports(VISITS);
    // Where Node's own socket has lost the context, ours has it still.
    for (const [report, expected] of [[theirs, 'none'], [ours, 'listen']]) {
      assert.deepStrictEqual(report['server close'], [expected]);
      delete report['server close'];
    }
    assert.deepStrictEqual(ours, theirs);
    assert.ok('resumed' in ours && Object.keys(ours).length >= 30, Object.keys(ours).join());
  });

  it('a write\'s callback runs in the context of the write, however long that waits', async () => {
    const [theirs, ours] = await reports(`
      const { AsyncLocalStorage } = require('async_hooks');
      const storage = new AsyncLocalStorage();
      const seen = [];
      const server = tls.createServer(pki.pair('ec'), (socket) => setTimeout(() => socket.resume(), 50));
      server.listen(0, '127.0.0.1', () => {
        const { port } = server.address();
        const client = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: pki.ca });
        client.on('secureConnect', () => {
          // Far more than the kernel's buffers take.
          storage.run('large', () => client.write(Buffer.alloc(16 << 20), () => seen.push(storage.getStore())));
          storage.run('end', () => client.end(() => seen.push(storage.getStore())));
        });
        client.resume().on('close', () => server.close(() => console.log(JSON.stringify(seen))));
      });`);
    assert.deepStrictEqual(ours, theirs);
    assert.strictEqual(ours[0], 'large');
  });
});

describe('captureRejections, as in Node\'s tls', () => {
  for (const [title, flag, options] of [
    ['for a server that asks for it', '', '{ captureRejections: true }'],
    ['for all emitters', 'require("events").captureRejections = true;', '{}'],
  ]) {
    it(`an async listener's failure has the same end ${title}`, async () => {
      const [theirs, ours] = await reports(`
        ${flag}
        process.on('unhandledRejection', (error) => seen.push('unhandled ' + error.message));
        const seen = [];
        const run = (event, asyncListener) => new Promise((resolve) => {
          const server = tls.createServer({ ...pki.pair('ec'), ...${options} }, (socket) => {
            socket.on('error', (error) => seen.push(event + ': socket ' + error.message));
            socket.on('close', () => { seen.push(event + ': closed'); setImmediate(() => server.close(resolve)); });
            asyncListener('secureConnection', event);
            if (event === 'data') socket.on('data', async () => { asyncListener('data', event); throw new Error('data'); });
            else socket.resume();
            setTimeout(() => socket.destroy(), 100);
          });
          if (event === 'secureConnection') {
            server.on('secureConnection', async () => { throw new Error('secureConnection'); });
          }
          if (event === 'listening') server.on('listening', async () => { throw new Error('listening'); });
          server.on('error', (error) => seen.push(event + ': server ' + error.message));
          server.on('tlsClientError', (error) => seen.push(event + ': tlsClientError'));
          server.listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            const client = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: pki.ca });
            client.on('error', () => {});
            client.on('secureConnect', () => client.write('x'));
            client.resume();
          });
        });
        (async () => {
          for (const event of ['secureConnection', 'data', 'listening']) {
            await run(event, (name, at) => { if (name === at) seen.push(at + ' heard'); });
          }
          console.log(JSON.stringify(seen));
        })();`);
      assert.deepStrictEqual(ours, theirs);
      // Older Nodes do not pass the option on.
      if (flag !== '') assert.ok(ours.includes('secureConnection: socket secureConnection'), ours.join());
    });
  }
});

describe('diagnostics_channel, as in Node\'s net', () => {
  it('servers, accepted and connecting sockets are published, by listeners of their events too', async () => {
    const [theirs, ours] = await reports(`
      const diagnostics = require('diagnostics_channel');
      const net = require('net');
      const seen = [];
      const show = (value) => {
        if (value instanceof Error) return value.code;
        if (value instanceof tls.TLSSocket) return 'TLSSocket';
        if (value instanceof net.Socket) return 'Socket';
        return value instanceof tls.Server ? 'Server' : typeof value;
      };
      const listen = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map((name) => 'tracing:net.server.listen:' + name);
      for (const name of ['net.client.socket', 'net.server.socket', ...listen]) {
        diagnostics.subscribe(name, (message) => {
          seen.push([name, ...Object.entries(message).map(([key, value]) => key + ' ' + show(value))]);
        });
      }
      const server = tls.createServer(pki.pair('ec'), (socket) => {
        seen.push('secureConnection');
        socket.end();
      });
      const client = (options) => new Promise((resolve) => {
        tls.connect({ host: '127.0.0.1', servername: 'localhost', ca: pki.ca, ...options }).resume().on('close', resolve);
      });
      server.listen(0, '127.0.0.1', async () => {
        const { port } = server.address();
        await client({ port });
        server.on('connection', () => seen.push('connection'));
        await client({ port });
        const raw = net.connect(port, '127.0.0.1');
        await client({ socket: raw });
        const second = tls.createServer();
        second.on('error', (error) => {
          seen.push(error.code);
          server.close(() => console.log(JSON.stringify(seen)));
        });
        second.listen(port, '127.0.0.1');
      });`);
    assert.deepStrictEqual(ours, theirs);
    assert.ok(ours.length >= 8, ours.join('\n'));
  });

  it('who subscribes while a server listens sees the next connections', async () => {
    const [theirs, ours] = await reports(`
      const diagnostics = require('diagnostics_channel');
      const server = tls.createServer(pki.pair('ec'), (socket) => socket.end());
      const seen = [];
      const visit = (port) => new Promise((resolve) => {
        tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: pki.ca }).resume().on('close', resolve);
      });
      server.listen(0, '127.0.0.1', async () => {
        const { port } = server.address();
        await visit(port);
        diagnostics.subscribe('net.server.socket', ({ socket }) => seen.push(socket.remoteAddress));
        await visit(port);
        await visit(port);
        server.close(() => console.log(JSON.stringify(seen)));
      });`);
    assert.deepStrictEqual(ours, theirs);
    assert.deepStrictEqual(ours, ['127.0.0.1', '127.0.0.1']);
  });
});
