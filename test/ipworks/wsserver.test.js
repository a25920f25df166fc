'use strict';

// WSServer as a class: its module, accessors, defaults, settings, errors.

const assert = require('assert');
const fs = require('fs');
const path = require('path');
const ipworks = require('../../ipworks');
const { certificateOf, failsWith } = require('../support/ipworks');
const pki = require('../support/pki');
const { until } = require('../support/time');
const { RecordedWebSockets, dial, webSockets } = require('../support/websocket');

const { Certificate, CertStoreTypes, IPWorksSSLError, WSConnection, WSServer } = ipworks;

describe('WSServer', () => {
  it('WS-G-01: the module has the class under each of its names', () => {
    const { ipworksssl } = require('../..');
    assert.strictEqual(ipworksssl.wsserver, WSServer);
    assert.strictEqual(ipworks.wsserver, WSServer);
    assert.ok(new ipworksssl.wsserver() instanceof WSServer);
    assert.deepStrictEqual({ ...ipworks.WebSocketDataFormats },
      { dfAutomatic: 0, dfText: 1, dfBinary: 2, dfPing: 9, dfPong: 10 });
  });

  it('WS-G-02: the functions of the PHP edition are not offered', () => {
    for (const name of ['ipworksssl_wsserver_open', 'ipworksssl_wsserver_get', 'ipworksssl_wsserver_do_send']) {
      assert.strictEqual(ipworks[name], undefined);
    }
  });

  it('WS-P-01, WS-P-02, WS-P-25 to 34: the defaults', () => {
    const server = new WSServer();
    assert.strictEqual(server.getConnectionBacklog(), 5);
    assert.strictEqual(server.getWSConnectionCount(), 0);
    assert.strictEqual(server.getConnections().size, 0);
    assert.strictEqual(server.getWSConnections(), server.getConnections());
    assert.strictEqual(server.getDefaultTimeout(), 0);
    assert.strictEqual(server.isListening(), false);
    assert.strictEqual(server.getLocalHost(), '');
    assert.strictEqual(server.getLocalPort(), 0);
    assert.strictEqual(server.isSSLAuthenticateClients(), false);
    assert.strictEqual(server.getSSLCertEncoded(), '');
    assert.strictEqual(server.getSSLCertStore(), 'MY');
    assert.strictEqual(server.getSSLCertStorePassword(), '');
    assert.strictEqual(server.getSSLCertStoreType(), 0);
    assert.strictEqual(server.getSSLCertSubject(), '');
    assert.strictEqual(server.isUseSSL(), true);
    assert.strictEqual(server.useSSL, true);
  });

  it('WS-P-03 to 24: a WSConnection of the program\'s own has the defaults and no client', () => {
    const connection = new WSConnection();
    const found = Object.fromEntries(['BytesSent', 'ConnectionId', 'DataFormat', 'Host', 'LocalAddress', 'Origin',
      'RemoteHost', 'RemotePort', 'RequestHeaders', 'RequestURI', 'SubProtocols', 'Timeout']
      .map((name) => [name, connection[`get${name}`]()]));
    assert.deepStrictEqual(found, {
      BytesSent: 0, ConnectionId: '', DataFormat: 0, Host: '', LocalAddress: '', Origin: '', RemoteHost: '', RemotePort: 0,
      RequestHeaders: '', RequestURI: '', SubProtocols: '', Timeout: 0,
    });
    assert.deepStrictEqual(['AcceptData', 'Connected', 'LineMode', 'ReadyToSend'].map((name) => connection[`is${name}`]()),
      [true, false, false, false]);
    assert.strictEqual(connection.getDataToSend, undefined);
    failsWith(126, () => connection.setDataToSend('x'));
    failsWith(126, () => connection.setAcceptData(false));
    failsWith(126, () => connection.setDataFormat(1));
    failsWith(126, () => connection.setTimeout(1));
    failsWith(126, () => connection.setConnected(false));
    for (const name of ['setBytesSent', 'setHost', 'setLineMode', 'setReadyToSend']) {
      assert.strictEqual(connection[name], undefined);
    }
  });

  it('WS-G-04, D-61: with UseSSL it wants a certificate, without it does not', async () => {
    const server = new WSServer();
    await failsWith(282, server.startListening());
    server.setUseSSL(false);
    assert.strictEqual(await server.config('UseSSL'), 'False');
    server.setLocalHost('127.0.0.1');
    await server.startListening();
    await failsWith(104, server.config('UseSSL=true'));
    failsWith(104, () => server.setUseSSL(true));
    await server.stopListening();
    await server.config('UseSSL=Yes');
    assert.strictEqual(server.useSSL, true);
    await failsWith(282, server.startListening());
  });

  it('WS-G-03, WS-M-03 to 10, WS-M-14: nobody\'s ConnectionId is error 126', async () => {
    const server = new WSServer();
    const error = await server.ping('nobody').catch((reason) => reason);
    assert.ok(error instanceof IPWorksSSLError);
    assert.deepStrictEqual([error.code, error.message], [126, 'Invalid ConnectionId.']);
    for (const call of [
      server.changeLineMode('0', true), server.disconnect('0'), server.interrupt('0'), server.send('0', 'x'),
      server.sendBytes('0', 'x'), server.sendText('0', 'x'), server.sendFile('0', 'x'), server.pauseData('0'),
      server.processData('0'), server.config('MaxLineLength[0]'), server.config('MessageLength[0]=5'),
      server.config('ConnectionUID[0]'), server.config('SSLNegotiatedVersion[0]'),
    ]) await failsWith(126, call);
    for (const read of [
      () => server.getWSConnectionHost('0'), () => server.setWSConnectionDataFormat('0', 1),
      () => server.getConnections().get('0'),
    ]) failsWith(126, read);
  });

  it('WS-P-26, D-35: Listening can be set', async () => {
    const recorded = new RecordedWebSockets();
    const { server } = recorded;
    server.setUseSSL(false);
    server.setLocalHost('127.0.0.1');
    server.listening = true;
    assert.strictEqual(server.isListening(), true);
    await failsWith(104, server.startListening());
    await until(() => server.getLocalPort() > 0, 6_000, 'a port');
    const port = server.getLocalPort();
    server.setListening(false);
    await server.doEvents();
    assert.strictEqual(server.isListening(), false);
    await assert.rejects(dial({ url: () => `ws://127.0.0.1:${port}/` }).opened, /ECONNREFUSED/);
    // What goes wrong cannot be thrown.
    server.setUseSSL(true);
    server.setListening(true);
    const { errorCode, connectionId } = await recorded.first('Error');
    assert.deepStrictEqual([errorCode, connectionId], [282, '']);
  });

  it('WS-P-27, WS-P-28, WS-M-12, WS-M-13: where it listens, and that it stops', async () => {
    const recorded = await webSockets();
    const { server } = recorded;
    assert.strictEqual(server.getLocalHost(), '127.0.0.1');
    const port = server.getLocalPort();
    assert.ok(port > 0);
    failsWith(106, () => server.setLocalPort(1));
    failsWith(107, () => server.setLocalHost('::1'));
    await failsWith(108, server.config('MaxConnections=5'));
    const other = new WSServer();
    other.setUseSSL(false);
    other.setLocalHost('127.0.0.1');
    other.setLocalPort(port);
    await failsWith(10048, other.startListening());
    const { client } = await recorded.connect();
    await server.stopListening();
    await assert.rejects(dial({ url: () => `ws://127.0.0.1:${port}/` }).opened, /ECONNREFUSED/);
    client.send('still there');
    assert.deepStrictEqual(await recorded.data(1), [['still there', 1, true, false]]);
  });

  it('WS-P-30 to 34: the certificate by its parts', async () => {
    const server = new WSServer();
    server.setSSLCertStoreType(CertStoreTypes.cstPFXFile);
    server.setSSLCertStore(pki.path('ec.pfx'));
    server.setSSLCertStorePassword(pki.PASSPHRASE);
    server.setSSLCertSubject('*');
    assert.match(server.getSSLCertSubject(), /CN=/);
    assert.match(server.getSSLCertEncoded(), /BEGIN CERTIFICATE/);
    assert.strictEqual(server.getSSLCert().isPrivateKeyAvailable(), true);
    server.setSSLCertSubject('no such subject');
    assert.strictEqual(server.getSSLCertSubject(), '');
    // A certificate whose private key is in the store.
    server.setSSLCertEncoded(pki.read('ec.pem'));
    assert.match(server.getSSLCertSubject(), /CN=/);
    server.setSSLCertEncoded(Buffer.from(pki.read('rsa.pem')));
    assert.strictEqual(server.getSSLCertSubject(), '');
    failsWith(271, () => {
      server.setSSLCertStore(pki.path('missing.pfx'));
      server.setSSLCertSubject('*');
    });
  });

  it('WS-P-34: a certificate set by its parts is shown, while it listens too', async () => {
    const recorded = await webSockets(() => {}, { tls: true, certificate: 'rsa' });
    const { server } = recorded;
    const serialOf = async () => (await recorded.connect()).client.ws._socket.getPeerCertificate().serialNumber;
    const before = await serialOf();
    failsWith(282, () => server.setSSLCert(new Certificate()));
    server.setSSLCertStoreType(CertStoreTypes.cstPEMKeyBlob);
    server.setSSLCertStore(pki.read('ec.key') + pki.read('ec.pem'));
    server.setSSLCertSubject('*');
    assert.notStrictEqual(await serialOf(), before);
  });

  it('WS-M-02, D-68: settings have their defaults, and keep what is set', async () => {
    const rows = {
      BufferMessage: ['False', 'True'],
      DisconnectStatusCode: ['1000', '4001'],
      DisconnectStatusDescription: ['', 'bye'],
      EnablePermessageDeflate: ['True', 'False'],
      MaxFrameSize: ['16384', '1000'],
      MaxLineLength: ['2048', '10'],
      MessageLength: ['0', '0'],
      WaitForCloseResponse: ['True', 'False'],
      AllowedClients: ['*', '127.0.0.1'],
      BindExclusively: ['True', 'False'],
      BlockedClients: ['', '10.0.0.*'],
      DefaultConnectionTimeout: ['0', '5'],
      InBufferSize: ['0', '65536'],
      KeepAliveInterval: ['1000', '2000'],
      KeepAliveRetryCount: ['0', '5'],
      KeepAliveTime: ['7200000', '1000'],
      MaxConnections: ['1000', '100000'],
      MaxReadTime: ['50', '10'],
      OutBufferSize: ['0', '65536'],
      TcpNoDelay: ['False', 'True'],
      UseIOCP: ['False', 'True'],
      UseIPv6: ['0', '2'],
      UseWindowsMessages: ['False', 'True'],
      LogSSLPackets: ['False', 'True'],
      OpenSSLCADir: ['', '/ca'],
      OpenSSLCAFile: ['', '/ca.pem'],
      OpenSSLCipherList: ['DEFAULT', 'HIGH'],
      OpenSSLPrngSeedData: ['', 'seed'],
      ReuseSSLSession: ['False', 'True'],
      SSLCACerts: ['', pki.read('ca.pem')],
      SSLCACertFilePaths: ['/etc/ssl/ca-bundle.pem;/etc/pki/tls/certs/ca-bundle.crt;' +
        '/etc/ssl/certs/ca-certificates.crt;/etc/pki/tls/cacert.pem', '/a;/b'],
      SSLCheckCRL: ['0', '1'],
      SSLCheckOCSP: ['0', '1'],
      SSLCipherStrength: ['0', '128'],
      SSLEnabledCipherSuites: ['*', 'TLS_AES_128_GCM_SHA256'],
      SSLEnabledProtocols: ['3072', '4032'],
      SSLEnableRenegotiation: ['False', 'True'],
      SSLIncludeCertChain: ['False', 'True'],
      SSLKeyLogFile: ['', '/keys'],
      SSLSecurityFlags: ['0', '16'],
      SSLServerCACerts: ['', pki.read('ca.pem')],
      TLS12SupportedGroups: ['ecdhe_secp256r1,ecdhe_secp384r1,ecdhe_secp521r1', 'ecdhe_secp256r1'],
      CodePage: ['65001', '1252'],
      MaskSensitive: ['True', 'False'],
      MaskSensitiveData: ['False', 'True'],      // another name of the one before
      ProcessIdleEvents: ['True', 'False'],
      SelectWaitMillis: ['20', '1'],
      UseInternalSecurityAPI: ['False', 'True'],
      LogLevel: ['1', '3'],
      UseSSL: ['True', 'False'],
    };
    const server = new WSServer();
    for (const [name, [initial, other]] of Object.entries(rows)) {
      assert.strictEqual(await server.config(name), initial, name);
      assert.strictEqual(await server.config(`${name}=${other}`), other, name);
      assert.strictEqual(await server.config(name.toUpperCase()), other, name);
    }
    await server.reset();
    for (const [name, [initial]] of Object.entries(rows)) {
      if (name !== 'MaskSensitiveData') assert.strictEqual(await server.config(name), initial, name);
    }
  });

  it('WS-C-02, WS-C-03, WS-C-05, WS-C-62: what a setting cannot be is refused', async () => {
    const server = new WSServer();
    for (const setting of [
      'DisconnectStatusCode=1005', 'DisconnectStatusCode=1006', 'DisconnectStatusCode=999', 'DisconnectStatusCode=2999',
      'DisconnectStatusCode=5000', `DisconnectStatusDescription=${'é'.repeat(62)}`, 'MaxFrameSize=0', 'MaxLineLength=0',
      'LogLevel=4', 'BufferMessage=maybe', 'SSLCheckCRL=3', 'BuildInfo=x', 'LicenseInfo=x', 'NoSuchSetting=1',
      'MessageLength=x', 'UseIPv6=3',
    ]) await failsWith(10022, server.config(setting));
    for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 4999]) {
      assert.strictEqual(await server.config(`DisconnectStatusCode=${code}`), String(code));
    }
    assert.match(await server.config('BuildInfo'), /c4tls/);
    assert.match(await server.config('LicenseInfo'), /MIT/);
  });

  it('WS-C-22, WS-C-24: UseIOCP turns UseWindowsMessages off', async () => {
    const server = new WSServer();
    await server.config('UseWindowsMessages=True');
    await server.config('UseIOCP=True');
    assert.strictEqual(await server.config('UseWindowsMessages'), 'False');
  });

  it('WS-C-33, WS-C-34, WS-C-60: what cannot be had says so', async () => {
    const recorded = new RecordedWebSockets();
    for (const name of ['SSLCheckCRL', 'SSLCheckOCSP']) {
      assert.strictEqual(await recorded.server.config(`${name}=2`), '2');
      const { errorCode, description } = recorded.of('Error').pop();
      assert.strictEqual(errorCode, 10045);
      assert.match(description, new RegExp(name));
    }
    await failsWith(10045, recorded.server.config('UseFIPSCompliantAPI=True'), /FIPS/);
    assert.strictEqual(await recorded.server.config('UseFIPSCompliantAPI=False'), 'False');
  });

  it('WS-P-01 to 24, WS-C-12, D-60: what a WSConnection tells, by itself and by ConnectionId', async () => {
    const recorded = await webSockets((server) => server.setDefaultTimeout(7));
    const { server } = recorded;
    const { client, id } = await recorded.connect({
      path: '/chat?room=1', protocols: ['a', 'b'], headers: { 'Origin': 'http://localhost', 'X-Own': 'mine' },
    });
    const connection = server.getConnections().get(id);
    assert.ok(connection instanceof WSConnection);
    assert.strictEqual(server.getWSConnectionCount(), 1);
    assert.strictEqual(await server.config('ConnectionUID[0]'), id);
    await failsWith(126, server.config('ConnectionUID[1]'));
    const wanted = {
      AcceptData: true, BytesSent: 0, Connected: true, ConnectionId: id, DataFormat: 0, Host: `localhost:${recorded.port}`,
      LineMode: false, LocalAddress: '127.0.0.1', Origin: 'http://localhost', ReadyToSend: true, RemoteHost: '127.0.0.1',
      RemotePort: client.ws._socket.localPort, RequestURI: '/chat?room=1', SubProtocols: 'a,b', Timeout: 7,
    };
    for (const [name, value] of Object.entries(wanted)) {
      const verb = typeof value === 'boolean' ? 'is' : 'get';
      assert.strictEqual(connection[`${verb}${name}`](), value, name);
      assert.strictEqual(server[`getWSConnection${name}`](id), value, name);
    }
    assert.match(connection.getRequestHeaders(), /^X-Own: mine\r$/m);
    assert.strictEqual(connection.requestHeaders, server.getWSConnectionRequestHeaders(id));
    server.setWSConnectionTimeout(id, 3);
    assert.strictEqual(connection.timeout, 3);
    failsWith(10022, () => connection.setDataFormat(3));
    failsWith(10022, () => connection.setTimeout(-1));
    connection.userData = 'nick';
    assert.strictEqual(connection.getUserData(), 'nick');
  });

  it('WS-G-05, WS-E-01: the events of a client come in order', async () => {
    const order = [];
    const recorded = await webSockets((server) => {
      for (const name of ['ConnectionRequest', 'SSLConnectionRequest', 'SSLStatus', 'WebSocketOpenRequest', 'Connected',
        'ReadyToSend', 'DataIn', 'Disconnected']) {
        server.on(name, () => { order.push(name); });
      }
    }, { tls: true });
    const { client } = await recorded.connect();
    client.send('x');
    await recorded.data(1);
    client.ws.close();
    await recorded.first('Disconnected');
    assert.deepStrictEqual(order, ['ConnectionRequest', 'SSLConnectionRequest', 'SSLStatus', 'WebSocketOpenRequest',
      'Connected', 'ReadyToSend', 'DataIn', 'Disconnected']);
  });

  it('WS-G-06, WS-C-18: above MaxConnections a client is closed, and an Error says so', async () => {
    const recorded = await webSockets(() => {}, { settings: ['MaxConnections=1'] });
    await recorded.connect();
    await assert.rejects(dial(recorded).opened);
    const { errorCode } = await recorded.first('Error');
    assert.strictEqual(errorCode, 10024);
  });

  it('WS-G-07, WS-M-04, WS-C-59: doEvents() waits for an event, or a moment', async () => {
    const recorded = await webSockets(() => {}, { settings: ['SelectWaitMillis=60000'] });
    const { client } = await recorded.connect();
    const waiting = recorded.server.doEvents();
    client.send('x');
    await waiting;
    await recorded.server.config('SelectWaitMillis=1');
    await recorded.server.doEvents();
  });

  it('WS-E-20 to 24, WS-C-62: the log tells as much as LogLevel says', async () => {
    const logs = [];
    const recorded = await webSockets((server) => server.on('Log', (e) => logs.push(e)), { settings: ['LogLevel=0'] });
    const levels = () => [...new Set(logs.splice(0).map(({ logLevel, logType }) => `${logLevel} ${logType}`))];
    const visit = async () => {
      const { client } = await recorded.connect({ path: '/logged', headers: { Authorization: 'Basic secret' } });
      client.send('x');
      client.ws.close(1000);
      await client.closed;
    };
    await visit();
    assert.deepStrictEqual(levels(), []);
    await recorded.server.config('LogLevel=1');
    await visit();
    assert.ok(logs.some(({ message }) => message.includes('GET /logged HTTP/1.1: 101')));
    assert.ok(logs.every(({ connectionId }) => connectionId !== ''));
    assert.deepStrictEqual(levels(), ['1 Info']);
    await recorded.server.config('LogLevel=2');
    await visit();
    const headers = logs.find(({ logType }) => logType === 'Verbose').message;
    assert.match(headers, /^Authorization: \*\*\*$/m);
    assert.deepStrictEqual(levels(), ['1 Info', '2 Verbose']);
    await recorded.server.config('LogLevel=3');
    await recorded.server.config('MaskSensitive=False');
    await visit();
    assert.ok(logs.some(({ message }) => message.includes('Basic secret')));
    assert.deepStrictEqual(levels(), ['1 Info', '2 Verbose', '3 Debug']);
  });

  it('its public modules name it', async () => {
    const root = path.join(__dirname, '..', '..');
    const module = await import('../../ipworks.mjs');
    assert.strictEqual(module.WSServer, WSServer);
    assert.strictEqual(module.WSConnection, WSConnection);
    assert.deepStrictEqual(Object.keys(ipworks).filter((name) => !(name in module)), []);
    assert.ok(fs.existsSync(path.join(root, 'ipworks.d.ts')));
    assert.ok(certificateOf() instanceof Certificate);
  });
});
