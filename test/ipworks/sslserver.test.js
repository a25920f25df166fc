'use strict';

// SSLServer as a class: its module, accessors, defaults, settings, errors.

const assert = require('assert');
const { once } = require('events');
const net = require('net');
const { Worker } = require('worker_threads');
const ipworks = require('../../ipworks');
const { track } = require('../support/cleanup');
const { certificateOf, dial, failsWith, listening, Recorded } = require('../support/ipworks');
const { closed, event, listen, readBytes } = require('../support/net');
const { runNode } = require('../support/node-program');
const pki = require('../support/pki');
const { within } = require('../support/time');

const { Certificate, CertStoreTypes, Connection, IPWorksSSLError, SSLServer, SSLServerSSLProviders } = ipworks;

describe('SSLServer', () => {
  it('SSL-G-01: the module has the class under each of its names', () => {
    const { ipworksssl } = require('../..');
    assert.strictEqual(ipworksssl.sslserver, SSLServer);
    assert.strictEqual(ipworks.sslserver, SSLServer);
    assert.ok(new ipworksssl.sslserver() instanceof SSLServer);
    assert.deepStrictEqual({ ...SSLServerSSLProviders }, { sslpAutomatic: 0, sslpPlatform: 1, sslpInternal: 2 });
    assert.ok(CertStoreTypes && Certificate && Connection && IPWorksSSLError.prototype instanceof Error);
  });

  it('SSL-G-02, SSL-E-09, SSL-E-10, SSL-E-12, SSL-M-12, SSL-P-03: the documented program runs', async () => {
    const recorded = new Recorded();
    const { server } = recorded;
    server.setSSLCert(new Certificate(CertStoreTypes.cstPFXFile, pki.path('ec.pfx'), pki.PASSPHRASE, '*'));
    server.setLocalPort(0);
    server.setDefaultEOL('\r\n');
    assert.strictEqual(server.on('DataIn', (e) => server.sendLine(e.connectionId, e.text))
      .on('SSLClientAuthentication', (e) => { e.accept = true; }), server);
    await server.startListening();
    const { client, id } = await recorded.connect();
    client.write('hello\r\n');
    assert.strictEqual(String(await readBytes(client, 7)), 'hello\r\n');
    const [{ connectionId, textB }] = recorded.of('DataIn');
    assert.strictEqual(connectionId, id);
    assert.ok(textB instanceof Uint8Array);
    assert.strictEqual(Buffer.from(textB).toString(), 'hello');
    // Listeners may come later.
    const later = once(server, 'DataIn');
    client.write('more\r\n');
    assert.strictEqual((await later)[0].text, 'more');
  });

  it('SSL-G-03: what an event tells cannot be changed', async () => {
    const recorded = await listening((server) => server.on('ConnectionRequest', (e) => {
      assert.throws(() => { e.address = 'x'; }, TypeError);
      assert.throws(() => { e.port = 1; }, TypeError);
    }));
    const { client } = await recorded.connect();
    client.write('x');
    await recorded.data(1);
    for (const [, object] of recorded.events) {
      for (const field of ['connectionId', 'statusCode', 'description', 'text', 'textB', 'EOL']) {
        if (field in object) assert.throws(() => { object[field] = 0; }, TypeError, field);
      }
    }
    assert.deepStrictEqual({ ...recorded.of('Connected')[0] },
      { connectionId: recorded.of('Connected')[0].connectionId, statusCode: 0, description: 'OK' });
  });

  it('SSL-G-04, SSL-P-06, SSL-P-08, SSL-P-09: properties have getters, setters, and are properties too', () => {
    const server = new SSLServer();
    server.setDefaultSingleLineMode(true);
    assert.strictEqual(server.isDefaultSingleLineMode(), true);
    assert.strictEqual(server.defaultSingleLineMode, true);
    server.keepAlive = true;
    assert.strictEqual(server.isKeepAlive(), true);
    server.setLinger(false);
    assert.strictEqual(server.linger, false);
    server.setDefaultEOL(Buffer.from([0, 10]));
    assert.deepStrictEqual([...server.getDefaultEOL()], [0, 10]);
    assert.ok(server.getDefaultEOL() instanceof Uint8Array);
    server.defaultEOL = '\r\n';
    assert.deepStrictEqual([...server.getDefaultEOL()], [13, 10]);
    server.getDefaultEOL()[0] = 0;
    assert.deepStrictEqual([...server.getDefaultEOL()], [13, 10]);
    failsWith(10022, () => server.setKeepAlive(1));
    failsWith(10022, () => server.setLocalPort(65536));
    failsWith(10022, () => server.setDefaultTimeout(-1));
    failsWith(10022, () => server.setSSLCert({}));
    failsWith(10022, () => server.setDefaultEOL(5));
  });

  it('SSL-P-05: MaxLineLength has 256 bytes at least', () => {
    const server = new SSLServer();
    failsWith(10022, () => server.setDefaultMaxLineLength(255), /256/);
    server.setDefaultMaxLineLength(256);
    assert.strictEqual(server.getDefaultMaxLineLength(), 256);
  });

  it('SSL-P-10, D-35: whether it listens can be read, not set', async () => {
    const { server } = await listening();
    assert.strictEqual(server.isListening(), true);
    assert.strictEqual(server.listening, true);
    assert.throws(() => { server.listening = false; }, TypeError);
    assert.strictEqual(server.setListening, undefined);
    await server.stopListening();
    assert.strictEqual(server.isListening(), false);
  });

  it('SSL-G-05, D-31: failures reject with the number and the text of the documents', async () => {
    const server = new SSLServer();
    const error = await server.disconnect('nobody').catch((reason) => reason);
    assert.ok(error instanceof IPWorksSSLError);
    assert.deepStrictEqual([error.code, error.message], [126, 'Invalid ConnectionId.']);
    for (const call of [
      server.pauseData('0'), server.processData('0'), server.interrupt('0'), server.changeRecordLength('0', 1),
      server.send('0', 'x'), server.sendBytes('0', 'x'), server.sendText('0', 'x'), server.sendLine('0', 'x'),
      server.sendFile('0', 'x'), server.config('SSLNegotiatedVersion[0]'),
    ]) await failsWith(126, call);
    failsWith(126, () => server.getConnections().get('0'));
    failsWith(126, () => server.connections.item('0'));
  });

  it('SSL-G-07: it does not listen without a certificate that has a private key', async () => {
    const server = new SSLServer();
    await failsWith(282, server.startListening());
    server.setSSLCert(new Certificate(Buffer.from(pki.read('ec.pem'))));
    await failsWith(282, server.startListening());
    assert.strictEqual(server.isListening(), false);
  });

  it('SSL-M-15, SSL-P-11, SSL-P-12: what cannot change while it listens says so', async () => {
    const { server } = await listening();
    await failsWith(104, server.startListening());
    failsWith(106, () => server.setLocalPort(1));
    failsWith(107, () => server.setLocalHost('::1'));
    failsWith(270, () => server.setSSLProvider(2));
    await failsWith(108, server.config('MaxConnections=5'));
    assert.strictEqual(await server.config('MaxConnections'), '1000');
    await server.stopListening();
    server.setLocalPort(0);
    await server.config('MaxConnections=5');
  });

  it('SSL-P-12: a port that is taken is error 10048', async () => {
    const taken = await listen(net.createServer());
    const recorded = new Recorded();
    recorded.server.setSSLCert(certificateOf());
    recorded.server.setLocalHost('127.0.0.1');
    recorded.server.setLocalPort(taken);
    await failsWith(10048, recorded.server.startListening());
    assert.strictEqual(recorded.server.isListening(), false);
    assert.strictEqual(recorded.server.getLocalPort(), taken);
  });

  it('SSL-M-02: settings are read and set by name, in any case', async () => {
    const server = new SSLServer();
    assert.strictEqual(await server.config('tcpnodelay'), 'False');
    for (const [given, stored] of [
      ['True', 'True'], ['no', 'False'], ['YES', 'True'], ['0', 'False'], ['1', 'True'], ['false', 'False'],
    ]) {
      assert.strictEqual(await server.config(`TcpNoDelay=${given}`), stored);
      assert.strictEqual(await server.config('TcpNoDelay'), stored);
    }
    await failsWith(10022, server.config('TcpNoDelay=maybe'));
    await failsWith(10022, server.config('NoSuchSetting'), /NoSuchSetting/);
    await failsWith(10022, server.config('NoSuchSetting=1'));
    await failsWith(10022, server.config(''));
    await failsWith(10022, server.config(5));
    await failsWith(10022, server.config('BuildInfo=mine'));
    await failsWith(10022, server.config('SSLNegotiatedVersion'), /connectionId/);
    assert.strictEqual(await server.config('SSLServerCACerts=a=b\r\nc'), 'a=b\r\nc');
    assert.strictEqual(await server.config('SSLEnabledProtocols=0x3c00'), '15360');
  });

  describe('SSL-M-02, WS-M-02: numbers have a range', () => {
    const MOST = 2 ** 31 - 1;
    const ofBoth = Object.entries({
      DefaultConnectionTimeout: [0, 2_073_600], InBufferSize: [0, MOST], KeepAliveInterval: [0, MOST],
      KeepAliveTime: [0, MOST], MaxConnections: [1, 100_000], OutBufferSize: [0, MOST], UseIPv6: [0, 2],
      SSLCipherStrength: [0, 65_536], SSLEnabledProtocols: [0, 65_535], SSLSecurityFlags: [0, 0xffffffff],
      SelectWaitMillis: [0, MOST],
    });
    const ofWebSockets = Object.entries({
      KeepAliveRetryCount: [0, 255], LogLevel: [0, 3], MaxFrameSize: [1, MOST], MaxLineLength: [1, MOST],
      MaxReadTime: [0, MOST], MessageLength: [0, MOST], SSLCheckCRL: [0, 2], SSLCheckOCSP: [0, 2],
    });
    for (const [Class, settings] of [[SSLServer, ofBoth], [ipworks.WSServer, [...ofBoth, ...ofWebSockets]]]) {
      for (const [name, [least, most]] of settings) {
        it(`${Class.name} ${name}: ${least} to ${most}`, async () => {
          const server = new Class();
          for (const value of [least, most]) assert.strictEqual(await server.config(`${name}=${value}`), String(value));
          for (const value of [least - 1, most + 1, '', '1.5', '1e1']) {
            await failsWith(10022, server.config(`${name}=${value}`));
          }
          assert.strictEqual(await server.config(name), String(most));
        });
      }
    }

    it('and properties', () => {
      const server = new SSLServer();
      for (const [name, [least, most]] of Object.entries({
        ConnectionBacklog: [0, MOST], DefaultIdleTimeout: [0, 2_147_483], DefaultMaxLineLength: [256, MOST],
        DefaultTimeout: [0, 2_147_483], LocalPort: [0, 65_535], SSLProvider: [0, 2],
      })) {
        for (const value of [least, most]) {
          server[`set${name}`](value);
          assert.strictEqual(server[`get${name}`](), value);
        }
        for (const value of [least - 1, most + 1, least + 0.5, String(least), undefined]) {
          failsWith(10022, () => server[`set${name}`](value), new RegExp(`${least} to ${most}`));
        }
      }
    });
  });

  it('SSL-M-02: a setting that does not work out while it listens stays as it was', async () => {
    const { server } = await listening();
    await failsWith(270, server.config('SSLEnabledCipherSuites=TLS_AES_128_GCM_SHA256'));
    assert.strictEqual(await server.config('SSLEnabledCipherSuites'), '*');
    await failsWith(270, server.config('SSLEnabledProtocols=48'), /SSLEnabledProtocols/);
    await (async () => {
      const client = dial(server.getLocalPort());
      await event(client, 'secureConnect');
    })();
  });

  it('SSL-C-58, SSL-C-60: what the build and the licence are', async () => {
    const server = new SSLServer();
    assert.match(await server.config('BuildInfo'), /^c4tls \d+\.\d+\.\d+, .*3\.\d/);
    const lines = (await server.config('LicenseInfo')).split('\r\n').map((line) => line.split(':')[0]);
    assert.deepStrictEqual(lines, ['Product', 'Product Key', 'License Source', 'License Type', 'Last Valid Build']);
  });

  it('SSL-M-08, D-38: reset() shuts down, and everything is as at first', async () => {
    const recorded = await listening((server) => server.setDefaultTimeout(5), { settings: ['TcpNoDelay=1'] });
    const { client } = await recorded.connect();
    const gone = event(client, 'close');
    await recorded.server.reset();
    await gone;
    const { server } = recorded;
    assert.deepStrictEqual(
      [server.isListening(), server.getLocalHost(), server.getLocalPort(), server.getDefaultTimeout()], [false, '', 0, 0]);
    assert.strictEqual(await server.config('TcpNoDelay'), 'False');
    assert.strictEqual(server.getSSLCert().getSubject(), '');
    assert.strictEqual(recorded.of('Disconnected').length, 1);
    await failsWith(282, server.startListening());
  });

  it('SSL-M-04, SSL-G-10, D-33: doEvents() waits for an event, or a moment, and lets others run', async () => {
    const recorded = await listening();
    await within(5_000, recorded.server.doEvents(), 'doEvents() without events');
    await recorded.server.config('SelectWaitMillis=60000');
    const waiting = recorded.server.doEvents();
    await recorded.connect();
    await within(5_000, waiting, 'doEvents() with an event');
    await recorded.server.config('SelectWaitMillis=0');
    const timer = { called: false };
    setTimeout(() => { timer.called = true; }, 1);
    for (let i = 0; i < 100_000 && !timer.called; i++) await recorded.server.doEvents();
    assert.ok(timer.called);
  });

  it('SSL-M-04: doEvents() without an event leaves nothing behind', async () => {
    const { stdout, stderr } = await runNode(`
      const { SSLServer } = require(${JSON.stringify(require.resolve('../../ipworks'))});
      const server = new SSLServer();
      const wait = (count) => Promise.all(Array.from({ length: count }, () => server.doEvents()));
      (async () => {
        await server.config('SelectWaitMillis=0');
        await wait(5000);
        global.gc();
        const before = process.memoryUsage().heapUsed;
        for (let i = 0; i < 20; i++) await wait(5000);
        global.gc();
        console.log(process.memoryUsage().heapUsed - before);
      })();
    `, { flags: ['--expose-gc'] });
    assert.strictEqual(stderr, '');
    // Some hundred bytes for each that is remembered.
    assert.ok(Number(stdout) < 10e6, `${stdout.trim()} bytes`);
  });

  it('SSL-M-14, SSL-M-16: stopListening() leaves connections, shutdown() ends them', async () => {
    const recorded = await listening();
    const { server, port } = recorded;
    const { client, id } = await recorded.connect();
    const silent = track(net.connect(port, '127.0.0.1'));
    silent.on('error', () => {});
    await event(silent, 'connect');
    // The system may reset at once what nobody has accepted yet.
    const silenced = closed(silent);
    await server.stopListening();
    const late = track(net.connect(port, '127.0.0.1'));
    assert.strictEqual((await event(late, 'error').catch((error) => [error]))[0].code, 'ECONNREFUSED');
    await server.sendText(id, 'still here');
    assert.strictEqual(String(await readBytes(client, 10)), 'still here');
    const gone = [event(client.resume(), 'close'), silenced];
    await within(8_000, server.shutdown(), 'shutdown()');
    await Promise.all(gone);
    assert.strictEqual(server.getConnections().size, 0);
    assert.deepStrictEqual(recorded.of('Disconnected').map((e) => [e.connectionId, e.statusCode, e.description]),
      [[id, 0, 'OK']]);
    // And again.
    await server.startListening();
    await recorded.connect();
    await server.shutdown();
    await server.shutdown();
  });

  it('stopListening() while it starts stops it', async () => {
    const recorded = new Recorded();
    recorded.server.setSSLCert(certificateOf());
    recorded.server.setLocalHost('localhost');
    const started = recorded.server.startListening();
    assert.strictEqual(recorded.server.isListening(), true);
    await recorded.server.stopListening();
    await started;
    assert.strictEqual(recorded.server.isListening(), false);
  });

  it('what changes while it starts counts', async () => {
    const recorded = new Recorded();
    const { server } = recorded;
    server.setLocalHost('127.0.0.1');
    const starting = server.startListening();
    server.setSSLCert(certificateOf('rsa'));
    server.setDefaultEOL('\n');
    const set = [server.config('SSLEnabledProtocols=12288'), server.config('BlockedClients=127.0.0.1')];
    await starting;
    await Promise.all(set);
    await server.config('BlockedClients=10.*');
    const { client, id } = await recorded.connect();
    assert.deepStrictEqual([client.getProtocol(), client.getPeerCertificate().asn1Curve], ['TLSv1.3', undefined]);
    assert.strictEqual(recorded.connection(id).getEOL(), '\n');
  });

  it('SSL-P-02, SSL-CN-04, SSL-G-06, D-34: Connections has the clients by ConnectionId', async () => {
    const recorded = await listening();
    const { server } = recorded;
    const connections = server.getConnections();
    assert.strictEqual(connections.size, 0);
    const first = await recorded.connect();
    const second = await recorded.connect();
    assert.notStrictEqual(first.id, second.id);
    assert.strictEqual(typeof first.id, 'string');
    assert.deepStrictEqual([...connections.keys()], [first.id, second.id]);
    assert.strictEqual(connections.get(first.id), connections.item(first.id));
    assert.ok(connections.get(first.id) instanceof Connection);
    assert.strictEqual(connections.get(second.id).getConnectionId(), second.id);
    assert.deepStrictEqual([...connections].map(([id]) => id), [first.id, second.id]);
    const visited = [];
    connections.forEach((connection, id) => visited.push([connection.connectionId, id]));
    assert.deepStrictEqual(visited, [[first.id, first.id], [second.id, second.id]]);
    assert.ok(connections.has(first.id) && !connections.has('x'));
    assert.deepStrictEqual([connections.set, connections.delete, connections.clear], [undefined, undefined, undefined]);
    const connection = connections.get(first.id);
    first.client.destroy();
    await recorded.first('Disconnected');
    assert.deepStrictEqual([...connections.values()], [connections.get(second.id)]);
    failsWith(126, () => connection.getRemoteHost());
    failsWith(126, () => connection.isConnected());
    failsWith(126, () => connection.setEOL('\n'));
    failsWith(126, () => connection.getUserData());
  });

  it('SSL-CN-03, SSL-CN-08, SSL-CN-12, 13, 16, 17, SSL-E-15: what a Connection tells', async () => {
    const seen = [];
    const recorded = await listening((server) => server.on('Disconnected', (e) => {
      const connection = server.connections.get(e.connectionId);
      seen.push([connection.remoteHost, connection.remotePort, connection.connected, connection.userData]);
    }));
    const { client, id } = await recorded.connect();
    const connection = recorded.server.connections.get(id);
    const { localPort } = client;
    assert.deepStrictEqual(
      [connection.isConnected(), connection.localAddress, connection.remoteHost, connection.remotePort],
      [true, '127.0.0.1', '127.0.0.1', localPort]);
    connection.setUserData('tête');
    assert.strictEqual(Buffer.from(connection.getUserDataB()).toString(), 'tête');
    connection.userDataB = new Uint8Array([104, 105]);
    assert.strictEqual(connection.getUserData(), 'hi');
    client.end();
    await recorded.first('Disconnected');
    assert.deepStrictEqual(seen, [['127.0.0.1', localPort, false, 'hi']]);
  });

  it('SSL-CN-18: a Connection of the program\'s own has the defaults and no client', () => {
    const connection = new Connection();
    assert.deepStrictEqual({
      acceptData: connection.isAcceptData(), bytesSent: connection.getBytesSent(), connected: connection.isConnected(),
      id: connection.getConnectionId(), eol: connection.getEOL(), idle: connection.getIdleTimeout(),
      local: connection.getLocalAddress(), most: connection.getMaxLineLength(), ready: connection.isReadyToSend(),
      record: connection.getRecordLength(), host: connection.getRemoteHost(), port: connection.getRemotePort(),
      lines: connection.isSingleLineMode(), timeout: connection.getTimeout(), data: connection.getUserData(),
    }, {
      acceptData: true, bytesSent: 0, connected: false, id: '', eol: '', idle: 0, local: '', most: 2048, ready: false,
      record: 0, host: '', port: 0, lines: false, timeout: 0, data: '',
    });
    assert.strictEqual(connection.getEOLB().length, 0);
    failsWith(126, () => connection.setTimeout(5));
  });

  it('`await using` ends it', async () => {
    const recorded = await listening();
    const { client } = await recorded.connect();
    const gone = event(client, 'close');
    await recorded.server[Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]();
    await gone;
    assert.strictEqual(recorded.server.isListening(), false);
  });

  it('it works in a Worker', async () => {
    const worker = track(new Worker(`
      const { parentPort, workerData } = require('worker_threads');
      const { SSLServer, Certificate } = require(workerData.module);
      const server = new SSLServer();
      server.setSSLCert(new Certificate(7, workerData.pem, '', '*'));
      server.setLocalHost('127.0.0.1');
      server.setDefaultEOL('\\n');
      server.on('DataIn', (e) => server.sendLine(e.connectionId, e.text.toUpperCase()));
      server.startListening().then(() => parentPort.postMessage(server.getLocalPort()));
    `, { eval: true, workerData: { module: require.resolve('../../ipworks'), pem: pki.read('ec.key') + pki.read('ec.pem') } }));
    const [port] = await event(worker, 'message');
    const client = dial(port);
    await event(client, 'secureConnect');
    client.write('quiet\n');
    assert.strictEqual(String(await readBytes(client, 7)), 'QUIET\r\n');
  });
});
