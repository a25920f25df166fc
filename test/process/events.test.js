'use strict';

// Between the addon's batches of events and the listeners: errors that listeners throw, promise jobs, async context.

const assert = require('assert');
const { AsyncLocalStorage } = require('async_hooks');
const { once } = require('events');
const { subject: tls } = require('../support/subject');
const { dial, dialSecure, echo, event, serve, serveEcho } = require('../support/net');
const { runNode } = require('../support/node-program');
const { within } = require('../support/time');

describe('a listener that throws', () => {
  // In a process of its own: mocha has a handler of its own for such errors.
  it('reaches uncaughtException; no event behind it is lost, other connections go on', async () => {
    const { code, stdout, stderr } = await runNode(`
      const CLIENTS = 8;
      const BYTES = 200;
      const thrown = [];
      process.on('uncaughtException', (error) => thrown.push(error.message));
      let received = 0;
      let ends = 0;
      let closes = 0;
      const server = tls.createServer(pki.pair('ec'), (socket) => {
        socket.on('data', (chunk) => {
          received += chunk.length;
          throw new Error('data');
        });
        socket.on('end', () => ends++);
        socket.on('close', () => {
          if (++closes === CLIENTS) server.close();
          throw new Error('close');
        });
        throw new Error('secureConnection');
      });
      server.listen(0, '127.0.0.1', () => {
        for (let i = 0; i < CLIENTS; i++) {
          const { port } = server.address();
          const client = tls.connect({ port, servername: 'localhost', ca: pki.ca, allowHalfOpen: true }, async () => {
            for (let n = 0; n < BYTES; n++) {
              client.write('x');
              if (n % 10 === 0) await new Promise(setImmediate);
            }
            client.end();
          });
          client.resume();
        }
      });
      process.on('exit', () => {
        const kinds = {};
        for (const kind of thrown) kinds[kind] = kinds[kind] + 1 || 1;
        const { data, ...rest } = kinds;
        console.log(JSON.stringify({ received, ends, closes, data: data >= CLIENTS, ...rest }));
      });`, { timeout: 10_000 });
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.deepStrictEqual(JSON.parse(stdout), {
      received: 1600, ends: 8, closes: 8, data: true, secureConnection: 8, close: 8,
    });
  });

  it('in a handshake question costs that connection only, and is its tlsClientError', async () => {
    const { code, stdout, stderr } = await runNode(`
      const server = tls.createServer({ ...pki.pair('ec'), handshakeTimeout: 500, SNICallback(name, done) {
        if (name === 'bad.test') throw new Error('question');
        done(null);
      } }, (socket) => socket.end('hello'));
      server.on('tlsClientError', (error) => console.log('failed:', error.message));
      server.listen(0, '127.0.0.1', () => {
        const { port } = server.address();
        tls.connect({ port, servername: 'bad.test', ca: pki.ca }).on('error', () => {}).on('close', () => {
          const good = tls.connect({ port, servername: 'localhost', ca: pki.ca });
          good.on('data', (text) => console.log(String(text))).on('close', () => server.close());
        });
      });`, { timeout: 10_000 });
    assert.deepStrictEqual({ code, stdout, stderr }, { code: 0, stdout: 'failed: question\nhello\n', stderr: '' });
  });
});

describe('promise jobs run between two events of a connection', () => {
  it('so that an await once() loop sees every chunk', async () => {
    const { server, port } = await serve(tls);
    const accepted = event(server, 'secureConnection');
    const client = await dialSecure(tls, port);
    const [socket] = await accepted;
    const texts = Array.from({ length: 300 }, (_, i) => `message ${i};`);
    // Each in a record of its own, many of them in one segment.
    for (const text of texts) client.write(text);
    client.end();
    let seen = '';
    const ended = once(socket, 'end').then(() => 'end');
    for (;;) {
      const next = await within(5000, Promise.race([once(socket, 'data'), ended]), 'the next event');
      if (next === 'end') break;
      seen += next[0];
    }
    assert.strictEqual(seen, texts.join(''));
  });

  it('so that a listener added in a job after secureConnection gets the first data', async () => {
    const { server, port } = await serve(tls);
    const client = dial(tls, port);
    client.end('at once');
    const [socket] = await event(server, 'secureConnection');
    await null;
    const [chunk] = await event(socket, 'data');
    assert.strictEqual(String(chunk), 'at once');
  });

  it('and ticks, promise jobs and events come in the order of Node\'s own sockets', async () => {
    const { server, port } = await serve(tls);
    const accepted = event(server, 'secureConnection');
    const client = await dialSecure(tls, port);
    const [socket] = await accepted;
    const order = [];
    socket.on('data', (chunk) => {
      order.push(`data ${chunk}`);
      process.nextTick(() => order.push('tick'));
      Promise.resolve().then(() => order.push('job'));
    });
    socket.once('end', () => order.push('end'));
    client.end('x');
    await event(socket, 'close');
    assert.deepStrictEqual(order, ['data x', 'tick', 'job', 'end']);
  });
});

describe('AsyncLocalStorage', () => {
  it('keeps a client\'s context in its listeners and callbacks', async () => {
    const { port } = await serveEcho(tls);
    const storage = new AsyncLocalStorage();
    const visit = (name) => storage.run(name, () => new Promise((resolve) => {
      const seen = {};
      const note = (what) => () => {
        seen[what] = storage.getStore();
      };
      const client = dial(tls, port, {}).on('secureConnect', note('secureConnect'));
      client.on('secureConnect', () => client.write('x', note('written')));
      client.on('data', note('data')).once('data', () => client.end(note('finished'))).on('end', note('end'));
      client.on('close', () => {
        note('close')();
        resolve(seen);
      });
    }));
    const names = ['one', 'two', 'three'];
    const all = await within(8000, Promise.all(names.map(visit)), 'the end of the clients');
    all.forEach((seen, i) => {
      for (const [what, store] of Object.entries(seen)) assert.strictEqual(store, names[i], what);
      assert.ok(['secureConnect', 'data', 'end', 'close', 'written'].every((what) => what in seen));
    });
  });

  it('does not leak from one connection of a server into another', async () => {
    const storage = new AsyncLocalStorage();
    let number = 0;
    const { port } = await serve(tls, {}, (socket) => {
      assert.strictEqual(storage.getStore(), undefined);
      storage.run(++number, () => {
        socket.on('error', () => {});
        socket.on('data', async () => {
          await null;
          socket.write(`${storage.getStore() ?? 0}`);
        });
      });
    });
    const first = await dialSecure(tls, port);
    const second = await dialSecure(tls, port);
    const answers = [await echo(first, '?'), await echo(second, '?'), await echo(first, '?')];
    // The events of an accepted socket begin in no context, as with Node's own.
    assert.deepStrictEqual(answers, ['0', '0', '0']);
  });
});
