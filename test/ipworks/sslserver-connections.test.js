'use strict';

// SSLServer's connections: who may come, how long they may stay, how they end, and their sockets.

const assert = require('assert');
const { execFileSync } = require('child_process');
const dns = require('dns');
const net = require('net');
const tls = require('tls');
const { track } = require('../support/cleanup');
const { Recorded, certificateOf, dial, failsWith, listening } = require('../support/ipworks');
const { closed, dialTcp, event, readBytes, relay } = require('../support/net');
const pki = require('../support/pki');
const { itWith } = require('../support/program');
const { itWithSocketOptions, keepAliveAt } = require('../support/socket-options');
const { until, within } = require('../support/time');

const MIB = 1 << 20;

const ending = (recorded, skip) => recorded.first('Disconnected', skip).then((e) => [e.statusCode, e.description]);

/** A plain connection that closes without an error of its own. */
async function dialSilent(port, host = '127.0.0.1') {
  const socket = track(net.connect(port, host));
  socket.on('error', () => {});
  await event(socket, 'connect');
  return socket;
}

/** Sockets of a local port as `ss` shows them, one line each; '' when it is not there. */
function socketsAt(port, ...flags) {
  return execFileSync('ss', ['-Htnm', ...flags, `sport = :${port}`], { encoding: 'utf8' });
}

const hasIPv6 = () => new Promise((resolve) => {
  const server = net.createServer().once('error', () => resolve(false));
  server.listen(0, '::1', () => server.close(() => resolve(true)));
});

describe('SSLServer, connections', () => {
  it('SSL-E-14 to 17: how a connection ended', async () => {
    const recorded = await listening();
    (await recorded.connect()).client.end();
    assert.deepStrictEqual(await ending(recorded, 0), [0, 'OK']);
    const { id } = await recorded.connect();
    await recorded.server.disconnect(id);
    assert.deepStrictEqual(await ending(recorded, 1), [0, 'OK']);
    const raw = await dialTcp(recorded.port);
    const wrapped = track(tls.connect({ socket: raw, ca: pki.ca, servername: 'localhost' })).on('error', () => {});
    await event(wrapped, 'secureConnect');
    await recorded.first('Connected', 2);
    raw.resetAndDestroy();
    assert.deepStrictEqual(await ending(recorded, 2), [10054, '[10054] Connection reset by peer.']);
    assert.strictEqual(recorded.of('Disconnected')[2].connectionId, recorded.of('Connected')[2].connectionId);
  });

  it('SSL-M-03, SSL-P-09: disconnect() lets go what is queued, and returns at once', async () => {
    const recorded = await listening();
    const { server } = recorded;
    const { client, id } = await recorded.connect();
    const sent = Buffer.alloc(MIB, 'abc');
    const given = [server.send(id, sent).catch((error) => error)];
    const { bytesSent } = recorded.connection(id);
    await server.disconnect(id);
    await Promise.all(given);
    const chunks = [];
    client.on('data', (chunk) => chunks.push(chunk));
    await event(client, 'end');
    assert.ok(Buffer.concat(chunks).equals(sent.subarray(0, bytesSent)));
    assert.deepStrictEqual(await ending(recorded), [0, 'OK']);
    await failsWith(126, server.disconnect(id));
  });

  it('SSL-P-09: without Linger a client is reset, which counts for connections that come later', async () => {
    const recorded = await listening();
    const { server } = recorded;
    const early = await recorded.connect();
    server.setLinger(false);
    const late = await recorded.connect();
    const [before, after] = [closed(early.client), closed(late.client)];
    early.client.resume();
    await server.disconnect(early.id);
    await server.disconnect(late.id);
    assert.strictEqual(await before, undefined);
    assert.strictEqual((await after)?.code, 'ECONNRESET');
    assert.deepStrictEqual(await Promise.all([ending(recorded, 0), ending(recorded, 1)]), [[0, 'OK'], [0, 'OK']]);
  });

  it('SSL-X-284, SSL-E-16: a record that was changed on its way ends the connection', async () => {
    const recorded = await listening();
    const between = await relay(recorded.port);
    const client = dial(between.port);
    await event(client, 'secureConnect');
    await recorded.first('Connected');
    between.far().write(Buffer.from('17030300200000000000000000000000000000000000000000000000000000000000000000', 'hex'));
    const [status, description] = await ending(recorded);
    assert.strictEqual(status, 284);
    assert.match(description, /^Error decrypting data\. ./);
  });

  it('a client that half-closes behind its questions gets every answer', async () => {
    const recorded = await listening((server) => {
      server.setDefaultEOL('\n');
      server.on('DataIn', (e) => server.sendLine(e.connectionId, e.text));
    });
    const client = dial(recorded.port, { allowHalfOpen: true });
    await event(client, 'secureConnect');
    const questions = Array.from({ length: 300 }, (_, i) => i);
    client.end(questions.map((i) => `${i}\n`).join(''));
    let text = '';
    client.setEncoding('latin1').on('data', (chunk) => { text += chunk; });
    await event(client, 'end');
    assert.strictEqual(text, questions.map((i) => `${i}\r\n`).join(''));
  });

  it('a client that half-closes while it is paused still gets its answer', async () => {
    const recorded = await listening((server) => {
      server.setDefaultEOL('\n');
      server.on('DataIn', (e) => server.sendLine(e.connectionId, `re: ${e.text}`));
    });
    const client = dial(recorded.port, { allowHalfOpen: true });
    await event(client, 'secureConnect');
    const { connectionId } = await recorded.first('Connected');
    const pauseOnce = () => recorded.server.pauseData(connectionId);
    recorded.server.once('DataIn', pauseOnce);
    client.end('1\n2\n3\nrest');
    await recorded.data(1);
    for (let i = 0; i < 5; i++) await recorded.server.doEvents();
    await recorded.server.processData(connectionId);
    let text = '';
    client.setEncoding('latin1').on('data', (chunk) => { text += chunk; });
    await event(client, 'end');
    assert.strictEqual(text, 're: 1\r\nre: 2\r\nre: 3\r\nre: rest\r\n');
    assert.deepStrictEqual(await ending(recorded), [0, 'OK']);
  });

  it('a client that takes nothing does not end a program that does not look at its sends', async () => {
    const recorded = await listening();
    const { client, id } = await recorded.connect();
    const unhandled = [];
    const onUnhandled = (reason) => unhandled.push(reason);
    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', onUnhandled);
    try {
      client.pause();
      for (let i = 0; i < 200; i++) recorded.server.send(id, Buffer.alloc(100_000));
      client.destroy();
      await recorded.first('Disconnected');
      recorded.server.sendText(id, 'to nobody');
      await recorded.server.doEvents();
      assert.deepStrictEqual(unhandled, []);
    } finally {
      process.off('unhandledRejection', onUnhandled);
      for (const listener of others) process.on('unhandledRejection', listener);
    }
  });

  it('a client that half-closes still gets what was sent', async () => {
    const recorded = await listening((server) => {
      server.setDefaultEOL('\n');
      server.on('DataIn', (e) => server.sendText(e.connectionId, 'x'.repeat(10_000)));
    });
    const client = dial(recorded.port, { allowHalfOpen: true });
    await event(client, 'secureConnect');
    client.end('question\n');
    let length = 0;
    client.on('data', (chunk) => { length += chunk.length; });
    await event(client, 'end');
    assert.strictEqual(length, 10_000);
  });

  it('SSL-P-04, SSL-CN-07: a client that neither sends nor receives goes after its idle time', async () => {
    const recorded = await listening((server) => server.setDefaultIdleTimeout(1));
    const { server } = recorded;
    const idle = await recorded.connect();
    const spared = await recorded.connect();
    const busy = await recorded.connect();
    assert.strictEqual(recorded.connection(idle.id).getIdleTimeout(), 1);
    recorded.connection(spared.id).setIdleTimeout(0);
    const timer = setInterval(() => busy.client.write('.'), 100);
    try {
      const gone = await within(6_000, recorded.first('Disconnected'), 'the end of the idle client');
      assert.deepStrictEqual({ ...gone },
        { connectionId: idle.id, statusCode: 10060, description: '[10060] Connection timed out.' });
      assert.deepStrictEqual([...server.connections.keys()], [spared.id, busy.id]);
    } finally {
      clearInterval(timer);
    }
    await recorded.first('Disconnected', 1);
    assert.deepStrictEqual([...server.connections.keys()], [spared.id]);
    recorded.connection(spared.id).setIdleTimeout(1);
    assert.strictEqual((await ending(recorded, 2))[0], 10060);
  });

  it('SSL-C-04: a client that is silent in its handshake fails', async () => {
    const recorded = await listening(undefined, { settings: ['DefaultConnectionTimeout=1'] });
    const silent = await dialSilent(recorded.port);
    const gone = event(silent, 'close');
    const { connectionId, ...failed } = await recorded.first('Connected');
    assert.deepStrictEqual(failed, { statusCode: 10060, description: '[10060] Connection timed out.' });
    assert.strictEqual(typeof connectionId, 'string');
    await gone;
    // Who has connected may be silent, for longer than another one that has not.
    const { id } = await recorded.connect();
    await dialSilent(recorded.port);
    assert.strictEqual((await recorded.first('Connected', 2)).statusCode, 10060);
    assert.deepStrictEqual([...recorded.server.connections.keys()], [id]);
    assert.strictEqual(recorded.of('Disconnected').length, 0);
  });

  it('SSL-E-01 to 04, SSL-X-276, D-32: a failed handshake is Connected with its number, and no Disconnected', async () => {
    const recorded = await listening();
    const garbage = await dialSilent(recorded.port);
    garbage.end('GET / HTTP/1.0\r\n\r\n');
    const failed = await recorded.first('Connected');
    assert.strictEqual(failed.statusCode, 276);
    assert.match(failed.description, /^Error during handshake\. .+/);
    const old = dial(recorded.port, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
    await closed(old);
    assert.strictEqual((await recorded.first('Connected', 1)).statusCode, 276);
    (await dialSilent(recorded.port)).destroy();
    assert.strictEqual((await recorded.first('Connected', 2)).statusCode, 10054);
    await recorded.connect();
    assert.deepStrictEqual([recorded.of('Disconnected').length, recorded.server.connections.size], [0, 1]);
  });

  it('SSL-E-18 to 21, SSL-C-08, D-45: above MaxConnections a client is refused, and Error says so', async () => {
    const recorded = await listening(undefined, { settings: ['MaxConnections=2'] });
    const first = await recorded.connect();
    await recorded.connect();
    const refused = dial(recorded.port);
    await closed(refused);
    const error = await recorded.first('Error');
    assert.deepStrictEqual([error.connectionId, error.errorCode], ['', 10024]);
    assert.match(error.description, /^\[10024\] Too many open files\. 127\.0\.0\.1 /);
    first.client.destroy();
    await recorded.first('Disconnected');
    await recorded.connect();
    assert.strictEqual(recorded.server.connections.size, 2);
    for (const bad of ['0', '100001', '-1', 'many']) await failsWith(10022, new Recorded().server.config(`MaxConnections=${bad}`));
    assert.strictEqual(await new Recorded().server.config('MaxConnections=100000'), '100000');
  });

  it('SSL-E-18: without listeners an Error is nobody\'s', async () => {
    const recorded = await listening(undefined, { settings: ['MaxConnections=1'] });
    recorded.server.removeAllListeners('Error');
    await recorded.connect();
    await closed(dial(recorded.port));
    assert.strictEqual(recorded.server.connections.size, 1);
  });

  it('SSL-C-08: connections of before count after listening anew', async () => {
    const recorded = await listening(undefined, { settings: ['MaxConnections=1'] });
    const { client } = await recorded.connect();
    await recorded.server.stopListening();
    recorded.server.setLocalPort(0);
    await recorded.server.startListening();
    await closed(dial(recorded.port));
    assert.strictEqual((await recorded.first('Error')).errorCode, 10024);
    client.destroy();
    await recorded.first('Disconnected');
    await recorded.connect();
  });

  it('SSL-C-08: the end of a connection of before costs no new configuration', async () => {
    const recorded = await listening();
    const clients = [];
    for (let i = 0; i < 3; i++) clients.push((await recorded.connect()).client);
    await recorded.server.stopListening();
    recorded.server.setLocalPort(0);
    await recorded.server.startListening();
    const { server } = recorded;
    let configured = 0;
    server._configure = (...args) => {
      configured++;
      return Object.getPrototypeOf(server)._configure.apply(server, args);
    };
    for (const client of clients) client.destroy();
    await recorded.first('Disconnected', 2);
    assert.strictEqual(configured, 0);
  });

  for (const [settings, works, ...unknown] of [
    [['AllowedClients=10.*,192.168.1.1'], false],
    [['AllowedClients=10.*, 127.0.*'], true],
    [['AllowedClients=*.0.0.1'], true],
    [['AllowedClients=localhost'], true],
    [['AllowedClients='], false],
    [['BlockedClients=127.0.0.1'], false],
    [['BlockedClients=127.0.0.2,10.*'], true],
    [['BlockedClients=localhost'], false],
    [['AllowedClients=*', 'BlockedClients=127.*'], false],
    [['AllowedClients=127.0.0.1', 'BlockedClients=*'], false],
    [['AllowedClients=no-such-host.invalid'], false, 'AllowedClients: no-such-host.invalid'],
    [['AllowedClients=cafe.fade'], false, 'AllowedClients: cafe.fade'],
    [['AllowedClients=::1,fe80:*,127*'], true],
    [['BlockedClients=*.invalid'], true, 'BlockedClients: *.invalid'],
  ]) {
    it(`SSL-C-01, SSL-C-03: ${settings.join(', ')} ${works ? 'lets a client in' : 'keeps a client out'}`, async () => {
      const recorded = await listening(undefined, { settings });
      if (works) {
        await recorded.connect();
      } else {
        await closed(dial(recorded.port));
        await recorded.server.config('AllowedClients=*');
        await recorded.server.config('BlockedClients=');
        await recorded.connect();
        assert.strictEqual(recorded.of('Connected').length, 1);
      }
      assert.deepStrictEqual(recorded.of('Disconnected'), []);
      assert.deepStrictEqual(recorded.of('Error').map(({ errorCode, description }) => [errorCode, description]),
        unknown.map((what) => [11001, `[11001] Host not found. ${what}`]));
    });
  }

  it('SSL-E-08, SSL-C-01, SSL-C-03: the lists preset ConnectionRequest\'s accept, which has the last word', async () => {
    const presets = [];
    let answer;
    const recorded = await listening((server) => server.on('ConnectionRequest', (e) => {
      presets.push(e.accept);
      if (answer !== undefined) e.accept = answer;
    }), { settings: ['BlockedClients=127.*'] });
    await closed(dial(recorded.port));
    answer = true;
    await recorded.connect();
    await recorded.server.config('BlockedClients=');
    answer = undefined;
    await recorded.connect();
    answer = false;
    await closed(dial(recorded.port));
    assert.deepStrictEqual(presets, [false, false, true, true]);
    assert.strictEqual(recorded.of('Connected').length, 2);
    assert.deepStrictEqual([recorded.of('Error'), recorded.of('Disconnected')], [[], []]);
  });

  it('SSL-P-11, SSL-P-12, D-36: LocalHost is an address, a name, or all interfaces', async () => {
    const recorded = await listening((server) => server.setLocalHost('localhost'));
    const { address } = await dns.promises.lookup('localhost', { family: 4 });
    assert.strictEqual(recorded.server.getLocalHost(), address);
    assert.ok(recorded.port > 0);
    await recorded.connect();
    await recorded.server.reset();
    const all = await listening((server) => server.setLocalHost(''));
    assert.ok(net.isIPv4(all.server.getLocalHost()) && all.server.getLocalHost() !== '0.0.0.0');
    await all.connect();
    await all.server.stopListening();
    assert.strictEqual(all.server.getLocalHost(), '');
    const lost = new Recorded();
    lost.server.setSSLCert(certificateOf());
    lost.server.setLocalHost('no-such-host.invalid');
    await assert.rejects(lost.server.startListening(), ({ code }) => [11001, 11002].includes(code));
    lost.server.setLocalHost('192.0.2.1');
    await failsWith(10049, lost.server.startListening());
  });

  it('SSL-C-11: UseIPv6', async function () {
    if (!await hasIPv6()) this.skip();
    const reaches = async (port, host) => {
      const client = track(tls.connect({ port, host, ca: pki.ca, servername: 'localhost' }));
      return await closed(Object.assign(client, client.once('secureConnect', () => client.destroy()))) === undefined;
    };
    const listenOn = (mode, host = '') => listening((server) => server.setLocalHost(host), { settings: [`UseIPv6=${mode}`] });
    for (const [mode, v4, v6] of [[0, true, false], [1, false, true], [2, true, true]]) {
      const { port } = await listenOn(mode);
      assert.deepStrictEqual([await reaches(port, '127.0.0.1'), await reaches(port, '::1')], [v4, v6], `UseIPv6=${mode}`);
    }
    const both = await listenOn(2);
    await both.connect();
    assert.strictEqual(both.connection(both.of('Connected')[0].connectionId).getRemoteHost(), '127.0.0.1');
    const six = await listenOn(1, '::1');
    assert.strictEqual(six.server.getLocalHost(), '::1');
    await assert.rejects(listenOn(0, '::1'), { code: 10047 });
    await assert.rejects(listenOn(1, '127.0.0.1'), { code: 10047 });
    await failsWith(10022, both.server.config('UseIPv6=3'));
  });

  it('SSL-C-02: BindExclusively=False shares the port with another that does', async function () {
    const first = await listening(undefined, { settings: ['BindExclusively=False'] });
    const other = new Recorded();
    other.server.setSSLCert(certificateOf());
    other.server.setLocalHost('127.0.0.1');
    other.server.setLocalPort(first.port);
    await failsWith(10048, other.server.startListening());
    if (process.platform === 'win32') this.skip();
    await other.server.config('BindExclusively=False');
    await other.server.startListening();
    await first.server.stopListening();
    await other.connect();
  });

  itWith('ss', 'SSL-P-01: ConnectionBacklog is that of the socket', async () => {
    const recorded = await listening((server) => server.setConnectionBacklog(7));
    assert.strictEqual(recorded.server.getConnectionBacklog(), 7);
    assert.match(socketsAt(recorded.port, '-l'), /^LISTEN\s+\d+\s+7\s/);
    failsWith(10022, () => recorded.server.setConnectionBacklog(-1));
  });

  itWith('ss', 'SSL-P-08, SSL-C-06, SSL-C-07: keep-alive of connections that come later', async () => {
    const recorded = await listening(undefined, { settings: ['KeepAliveTime=600000', 'KeepAliveInterval=3000'] });
    const { server, port } = recorded;
    await recorded.connect();
    assert.doesNotMatch(socketsAt(port, '-o'), /keepalive/);
    server.setKeepAlive(true);
    const { client } = await recorded.connect();
    const shown = () => socketsAt(port, '-o').split('\n').find((line) => line.includes(`:${client.localPort} `)) ?? '';
    // Behind that of what is not acknowledged yet.
    await until(() => /timer:\(keepalive,(10min|9min\d+sec),/.test(shown()), 6_000, 'a keep-alive timer of ten minutes');
  });

  itWithSocketOptions('SSL-P-08, SSL-C-06, SSL-C-07: when keep-alive asks, and how often, in whole seconds', async () => {
    const recorded = await listening((server) => server.setKeepAlive(true));
    const { server, port } = recorded;
    const found = async () => {
      const { client } = await recorded.connect();
      const { on, idle, interval } = (await keepAliveAt(port))[client.localPort];
      return [on, idle, interval];
    };
    assert.deepStrictEqual(await found(), [true, 7200, 1]);
    await server.config('KeepAliveTime=600000');
    await server.config('KeepAliveInterval=2500');
    assert.deepStrictEqual(await found(), [true, 600, 3]);
    await server.config('KeepAliveTime=1');
    await server.config('KeepAliveInterval=1');
    assert.deepStrictEqual(await found(), [true, 1, 1]);
    server.setKeepAlive(false);
    assert.strictEqual((await found())[0], false);
  });

  itWith('ss', 'SSL-C-05, SSL-C-09: sizes of the socket\'s buffers', async () => {
    const recorded = await listening();
    const buffers = async () => {
      const { client } = await recorded.connect();
      const shown = socketsAt(recorded.port).split(/\n(?=\S)/).find((entry) => entry.includes(`:${client.localPort}\n`));
      const [, rb, tb] = /skmem:\(r\d+,rb(\d+),t\d+,tb(\d+)/.exec(shown);
      return [Number(rb), Number(tb)];
    };
    const plain = await buffers();
    await recorded.server.config('InBufferSize=20000');
    await recorded.server.config('OutBufferSize=30000');
    // Linux doubles them.
    assert.deepStrictEqual(await buffers(), [40000, 60000]);
    await recorded.server.config('InBufferSize=0');
    await recorded.server.config('OutBufferSize=0');
    assert.ok((await buffers()).every((size, i) => size > [40000, 60000][i]), String(plain));
  });

  itWith('ss', 'SSL-C-10, D-46: TcpNoDelay sends every small piece at once, which Nagle gathers', async () => {
    const segments = [];
    for (const setting of ['False', 'True']) {
      const recorded = await listening(undefined, { settings: [`TcpNoDelay=${setting}`] });
      const { client, id } = await recorded.connect();
      for (let i = 0; i < 100; i++) {
        await recorded.server.sendText(id, '.');
        await new Promise(setImmediate);
      }
      await readBytes(client, 100);
      const shown = socketsAt(recorded.port, '-i').split(/\n(?=\S)/).find((entry) => entry.includes(`:${client.localPort}`));
      segments.push(Number(/data_segs_out:(\d+)/.exec(shown)[1]));
    }
    assert.ok(segments[0] < segments[1], segments.join());
  });

  it('SSL-M-16: listening anew, with clients of before', async () => {
    const recorded = await listening();
    const { server } = recorded;
    const early = await recorded.connect();
    for (let i = 0; i < 3; i++) {
      await server.stopListening();
      await server.stopListening();
      server.setLocalPort(0);
      await server.startListening();
      await recorded.connect();
    }
    assert.strictEqual(server.connections.size, 4);
    early.client.write('from before');
    assert.strictEqual((await recorded.data(1))[0][0], 'from before');
    await server.shutdown();
    assert.strictEqual(recorded.of('Disconnected').length, 4);
  });

  it('SSL-M-14: shutdown() ends clients that do not read', async () => {
    const recorded = await listening((server) => server.setLinger(false));
    const { client, id } = await recorded.connect();
    client.pause();
    await recorded.server.send(id, Buffer.alloc(32 * MIB)).catch(() => {});
    await within(6_000, recorded.server.shutdown(), 'shutdown()');
    assert.strictEqual(recorded.of('Disconnected').length, 1);
  });

  it('SSL-G-06: no ConnectionId comes twice', async () => {
    const recorded = await listening();
    const ids = new Set();
    for (let i = 0; i < 20; i++) {
      const { client, id } = await recorded.connect();
      assert.ok(!ids.has(id));
      ids.add(id);
      client.destroy();
    }
    await until(() => recorded.server.connections.size === 0, 6_000, 'the end of all');
    assert.strictEqual(recorded.of('Disconnected').length, 20);
  });

  it('what a listener throws is the process\'s, and the connection goes on', async () => {
    const recorded = await listening((server) => server.setDefaultEOL('\n'));
    const { client } = await recorded.connect();
    const thrown = new Error('of the listener');
    recorded.server.on('DataIn', (e) => { if (e.text === 'bad') throw thrown; });
    const mocha = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const uncaught = new Promise((resolve) => { process.once('uncaughtException', resolve); });
    try {
      client.write('bad\ngood\n');
      assert.strictEqual(await within(6_000, uncaught, 'the error'), thrown);
    } finally {
      for (const listener of mocha) process.on('uncaughtException', listener);
    }
    assert.deepStrictEqual(await recorded.data(2), [['bad', true], ['good', true]]);
  });
});
