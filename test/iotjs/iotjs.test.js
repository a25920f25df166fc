'use strict';

// The IoT.js face: rows IOT-01 to IOT-45 of its document, and where its defaults differ from Node's.

const assert = require('assert');
const dns = require('dns');
const net = require('net');
const nodeTls = require('tls');
const { Duplex } = require('stream');
const { promisify } = require('util');
const iotjs = require('../../iotjs');
const c4tls = require('../..');
const pki = require('../support/pki');
const { track } = require('../support/cleanup');
const { closed, dialTcp, event, listen, readAll, readBytes, relay, serve } = require('../support/net');

function connect(...args) {
  return track(iotjs.connect(...args));
}

async function accept(server) {
  const [socket] = await event(server, 'secureConnection');
  return socket;
}

describe('iotjs: limits of small platforms (IOT-45)', () => {
  it('do not apply: more sockets are open at a time than those platforms have', async () => {
    const COUNT = 40;                // NuttX and TizenRT are configured for some 8 to 32
    const { server, port } = await serve(iotjs, {}, (socket) => socket.pipe(socket));
    const clients = Array.from({ length: COUNT }, () => connect({ port, rejectUnauthorized: false }));
    await Promise.all(clients.map((client) => event(client, 'secureConnect')));
    const answers = clients.map((client, i) => {
      client.write(Buffer.alloc(2048, i));          // more than their buffers hold at once
      return readBytes(client, 2048);
    });
    for (const [i, answer] of (await Promise.all(answers)).entries()) assert.ok(answer.every((byte) => byte === i));
    assert.strictEqual(await promisify(server.getConnections).call(server), COUNT);
  });
});

describe('iotjs: the module', () => {
  it('has what the document names, and no more', () => {
    assert.deepStrictEqual(Object.keys(iotjs).sort(),
      ['Server', 'TLSSocket', 'connect', 'createSecureContext', 'createServer']);
  });

  it('has classes of its own that are net.Server, net.Socket and the Node face\'s', () => {
    assert.notStrictEqual(iotjs.Server, c4tls.Server);
    const server = iotjs.createServer();
    assert.ok(server instanceof iotjs.Server && server instanceof c4tls.Server && server instanceof net.Server);
    assert.ok(iotjs.TLSSocket.prototype instanceof c4tls.TLSSocket);
    assert.ok(iotjs.TLSSocket.prototype instanceof net.Socket);
    assert.ok(iotjs.Server() instanceof iotjs.Server);
  });
});

describe('iotjs: createSecureContext', () => {
  for (const options of [{ key: 0 }, { cert: null }, { key: false, cert: 7 }, { ca: true }]) {
    it(`throws for ${JSON.stringify(options)}, and so does createServer`, () => {
      assert.throws(() => iotjs.createSecureContext(options), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
      assert.throws(() => iotjs.createServer(options), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    });
  }

  it('throws for a key without a certificate', () => {
    assert.throws(() => iotjs.createSecureContext({ key: pki.pair('ec').key }), { code: 'ERR_INVALID_ARG_VALUE' });
  });

  it('makes a context that can be used again and again', async () => {
    const secureContext = iotjs.createSecureContext(pki.pair('ec'));
    for (let i = 0; i < 2; i++) {
      const { port } = await serve(iotjs, { secureContext, key: undefined, cert: undefined });
      await event(connect({ port }), 'secureConnect');
    }
  });

  it('without a certificate, handshakes fail with tlsClientError and the server goes on', async () => {
    const server = iotjs.createServer();
    const port = await listen(server);
    for (let i = 0; i < 2; i++) {
      const failure = event(server, 'tlsClientError');
      const end = closed(connect({ port }));
      const [error, socket] = await failure;
      assert.ok(error instanceof Error);
      assert.ok(socket instanceof iotjs.TLSSocket);
      assert.ok(await end instanceof Error);
    }
  });
});

describe('iotjs: connect', () => {
  it('does not verify by default, and says so', async () => {
    const { port } = await serve(iotjs, pki.pair('untrusted'));
    const client = connect({ port });
    await event(client, 'secureConnect');
    assert.strictEqual(client.authorized, false);
    assert.strictEqual(typeof client.authorizationError, 'string');
  });

  it('verifies when asked, against ca alone', async () => {
    const { port } = await serve(iotjs);
    const good = connect({ port, rejectUnauthorized: true, ca: pki.ca });
    await event(good, 'secureConnect');
    assert.strictEqual(good.authorized, true);
    assert.ok(!good.authorizationError);
    const bad = connect({ port, rejectUnauthorized: true });
    const error = await closed(bad);
    assert.strictEqual(error.code, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  it('takes every combination of port, host, options and callback', async () => {
    const { port } = await serve(iotjs);
    const forms = [
      (done) => connect({ port }, done),
      (done) => connect({ port, host: '127.0.0.1' }, done),
      (done) => connect(port, done),
      (done) => connect(port, '127.0.0.1', done),
      (done) => connect(port, {}, done),
      (done) => connect(port, '127.0.0.1', {}, done),
      // Options beat the positional arguments.
      (done) => connect(1, 'nowhere.invalid', { port, host: '127.0.0.1' }, done),
    ];
    for (const form of forms) {
      await new Promise((resolve, reject) => {
        const socket = form(resolve);
        assert.ok(socket instanceof iotjs.TLSSocket);
        socket.on('error', reject);
      });
    }
  });

  it('asks for host as servername, but never for an IP address', async () => {
    const { server, port } = await serve(iotjs, { host: undefined });
    const lookup = (host, options, callback) => dns.lookup('127.0.0.1', options, callback);
    let accepted = accept(server);
    connect({ port, host: 'c4tls.test', lookup });
    assert.strictEqual((await accepted).servername, 'c4tls.test');
    accepted = accept(server);
    connect({ port, host: '127.0.0.1' });
    assert.strictEqual((await accepted).servername, false);
  });

  it('has 443 as port and localhost as host', async () => {
    const seen = [];
    const client = connect({
      lookup(host, options, callback) {
        seen.push(host);
        callback(new Error('far enough'));
      },
    });
    assert.strictEqual((await closed(client)).message, 'far enough');
    assert.deepStrictEqual(seen, ['localhost']);
    const refused = connect({ host: '127.0.0.1', localAddress: '127.0.0.1' });
    const [address, port] = await event(refused, 'connectionAttempt');
    assert.deepStrictEqual([address, port], ['127.0.0.1', 443]);
    await closed(refused);
  });

  it('runs over a socket or a Duplex that is given', async () => {
    const { port } = await serve(iotjs, {}, (socket) => socket.end('hello'));
    const raw = await dialTcp(port);
    const client = connect({ socket: raw });
    assert.strictEqual((await readAll(client)).toString(), 'hello');
    const wire = await dialTcp(port);
    const duplex = Duplex.from({ readable: wire, writable: wire });
    assert.strictEqual((await readAll(connect({ socket: duplex }))).toString(), 'hello');
  });

  it('resumes a session, and takes one that means nothing', async () => {
    const { server, port } = await serve(iotjs, { maxVersion: 'TLSv1.2' });
    const first = connect({ port });
    await event(first, 'secureConnect');
    const session = first.getSession();
    first.end();
    const again = connect({ port, session });
    await event(again, 'secureConnect');
    assert.strictEqual(again.isSessionReused(), true);
    const accepted = accept(server);
    const odd = connect({ port, session: Buffer.from('no session') });
    await event(odd, 'secureConnect');
    assert.strictEqual(odd.isSessionReused(), false);
    await accepted;
  });
});

describe('iotjs: TLSSocket', () => {
  it('getProtocol: unknown, then the version, null for servers and after the end', async () => {
    const { server, port } = await serve(iotjs);
    const accepted = accept(server);
    const client = connect({ port });
    assert.strictEqual(client.getProtocol(), 'unknown');
    await event(client, 'secureConnect');
    assert.strictEqual(client.getProtocol(), 'TLSv1.3');
    const socket = await accepted;
    assert.strictEqual(socket.getProtocol(), null);
    client.destroy();
    await closed(client);
    assert.strictEqual(client.getProtocol(), null);
  });

  it('has encrypted, addresses and ports as properties', async () => {
    const { server, port } = await serve(iotjs);
    const accepted = accept(server);
    const client = connect({ port, host: '127.0.0.1' });
    await event(client, 'secureConnect');
    const socket = await accepted;
    assert.strictEqual(client.encrypted, true);
    assert.strictEqual(client.remoteAddress, '127.0.0.1');
    assert.strictEqual(client.remoteFamily, 'IPv4');
    assert.strictEqual(client.remotePort, port);
    assert.strictEqual(client.localPort, socket.remotePort);
    assert.deepStrictEqual(client.address(), { address: '127.0.0.1', family: 'IPv4', port: client.localPort });
  });

  it('wraps a socket, starts by itself, and shows it as _socket', async () => {
    const { port } = await serve(iotjs, {}, (socket) => socket.end('hello'));
    const raw = await dialTcp(port);
    const client = track(new iotjs.TLSSocket(raw));
    assert.strictEqual(client._socket, raw);
    const text = readAll(client);
    await event(client, 'secureConnect');
    assert.strictEqual((await text).toString(), 'hello');
  });

  it('plays the server when isServer says so', async () => {
    const accepting = net.createServer();
    const port = await listen(accepting);
    const connection = event(accepting, 'connection');
    const client = track(nodeTls.connect({ port, ca: pki.ca }));
    const [raw] = await connection;
    const server = track(new iotjs.TLSSocket(raw, { isServer: true, ...pki.pair('ec') }));
    server.end('hello');
    assert.strictEqual((await readAll(client)).toString(), 'hello');
  });

  it('refuses a socket that is taken', async () => {
    const { port } = await serve(iotjs);
    const raw = await dialTcp(port);
    track(new iotjs.TLSSocket(raw));
    assert.throws(() => new iotjs.TLSSocket(raw), { message: 'Socket already bound' });
  });

  it('pause holds data back until resume', async () => {
    const { port } = await serve(iotjs, {}, (socket) => socket.write('hello'));
    const client = connect({ port });
    let text = '';
    client.setEncoding('utf8').on('data', (chunk) => { text += chunk; });
    client.pause();
    await event(client, 'secureConnect');
    const { port: other } = await serve(iotjs, {}, (socket) => socket.end('x'));
    await readAll(connect({ port: other }));
    assert.strictEqual(text, '');
    client.resume();
    await event(client, 'data');
    assert.strictEqual(text, 'hello');
  });

  it('end sends close_notify; events come in the order finish, end, close', async () => {
    const { server, port } = await serve(iotjs, {}, (socket) => socket.resume());
    const accepted = accept(server);
    const client = connect({ port });
    const order = [];
    for (const name of ['finish', 'end', 'close']) client.on(name, () => order.push(name));
    client.resume();
    await event(client, 'secureConnect');
    const socket = await accepted;
    const ends = Promise.all([closed(client), closed(socket)]);
    client.end('bye');
    await ends;
    assert.deepStrictEqual(order, ['finish', 'end', 'close']);
  });

  it('a truncated stream is an error, for either side', async () => {
    const { server, port } = await serve(iotjs);
    const wire = await relay(port);
    const accepted = accept(server);
    const client = connect({ port: wire.port });
    await event(client, 'secureConnect');
    const socket = await accepted;
    client.resume();
    socket.resume();
    const ends = Promise.all([closed(client), closed(socket)]);
    wire.near().end();
    wire.far().end();
    for (const error of await ends) assert.ok(error instanceof Error);
  });
});
