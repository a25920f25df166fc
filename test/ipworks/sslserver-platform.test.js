'use strict';

// SSLServer with the operating system's TLS.

const assert = require('assert');
const { SSLServerSSLProviders } = require('../../ipworks');
const { Recorded, certificateOf, failsWith, listening, report } = require('../support/ipworks');
const { closed, readBytes } = require('../support/net');
const pki = require('../support/pki');

const { sslpAutomatic, sslpInternal, sslpPlatform } = SSLServerSSLProviders;
const platform = (configure, options) => listening((server) => {
  server.setSSLProvider(sslpPlatform);
  configure?.(server);
}, options);

describe('SSLServer, providers', () => {
  it('SSL-P-15: all of them speak TLS, and Automatic is the first', async () => {
    const { server } = new Recorded();
    assert.strictEqual(server.getSSLProvider(), sslpAutomatic);
    failsWith(10022, () => server.setSSLProvider(3));
    for (const provider of [sslpAutomatic, sslpPlatform, sslpInternal]) {
      const recorded = await listening((one) => {
        one.setSSLProvider(provider);
        one.setDefaultEOL('\n');
        one.on('DataIn', (e) => one.sendLine(e.connectionId, e.text.toUpperCase()));
      });
      const { client, id } = await recorded.connect();
      client.write('hel');
      client.write('lo\nbye\n');
      assert.strictEqual(String(await readBytes(client, 12)), 'HELLO\r\nBYE\r\n');
      const big = Buffer.alloc(300_000, 'x');
      await recorded.server.send(id, big).catch(() => {});
      await readBytes(client, recorded.connection(id).getBytesSent());
      await recorded.server.disconnect(id);
      await recorded.first('Disconnected');
    }
  });

  it('SSL-P-15: Platform has the versions that the system has', async () => {
    const { port } = await platform();
    assert.match((await report(port, '-tls1_2')).text, /^New, TLSv1.2/m);
    assert.ok(!(await report(port, '-tls1_1')).ok);
    assert.ok(!(await report(port, '-tls1_3')).ok);
    const recorded = new Recorded();
    recorded.server.setSSLCert(certificateOf());
    recorded.server.setSSLProvider(sslpPlatform);
    await recorded.server.config('SSLEnabledProtocols=12288');
    if (process.platform !== 'win32') await failsWith(270, recorded.server.startListening(), /TLS 1\.3/);
    await recorded.server.config('SSLEnabledProtocols=3264');
    await failsWith(270, recorded.server.startListening(), /SSLEnabledProtocols/);
  });

  it('SSL-P-15, D-37: what Platform cannot do is refused, by name', async () => {
    for (const setting of [
      'LogSSLPackets=True', 'OpenSSLCAFile=x', 'OpenSSLCADir=x', 'OpenSSLCipherList=HIGH', 'ReuseSSLSession=True',
      'SSLCipherStrength=128', 'SSLClientCACerts=x', 'SSLEnabledCipherSuites=TLS_RSA_WITH_AES_128_CBC_SHA',
      'SSLEnableRenegotiation=True', 'SSLKeyLogFile=x', 'TLS12SignatureAlgorithms=sha256-rsa',
      'TLS12SupportedGroups=ecdhe_secp256r1', 'TLS13SignatureAlgorithms=ed25519', 'TLS13SupportedGroups=ecdhe_x25519',
    ]) {
      const name = setting.split('=')[0];
      await assert.rejects(platform(undefined, { settings: [setting] }),
        ({ code, message }) => code === 270 && message.includes(`${name} is not supported with SSLProvider sslpPlatform`), name);
    }
    await assert.rejects(platform((server) => server.setSSLAuthenticateClients(true)),
      { code: 270, message: /SSLAuthenticateClients/ });
    const { server } = await platform();
    await failsWith(270, server.config('SSLKeyLogFile=x'), /SSLKeyLogFile/);
    assert.strictEqual(await server.config('SSLKeyLogFile'), '');
    failsWith(270, () => server.setSSLAuthenticateClients(true));
    assert.strictEqual(server.isSSLAuthenticateClients(), false);
  });

  it('SSL-E-32, D-37: Platform does not ask for another certificate, and asks whether to accept', async () => {
    const asked = [];
    const recorded = await platform((server) => {
      server.on('SSLConnectionRequest', () => asked.push('certificate'));
      server.on('ConnectionRequest', () => asked.push('connection'));
    });
    await recorded.connect();
    assert.deepStrictEqual(asked, ['connection']);
  });

  it('SSL-C-19: Platform shows SSLCACerts, and chains of a store', async () => {
    const { text } = await report((await platform(undefined,
      { certificate: 'deep', settings: [`SSLCACerts=${pki.read('intermediate.pem')}`] })).port);
    assert.match(text, /Verify return code: 0 \(ok\)/);
  });

  it('SSL-E-03: a failed handshake of Platform is Connected with its number', async () => {
    const recorded = await platform();
    const client = require('net').connect(recorded.port, '127.0.0.1').on('error', () => {});
    client.end('GET / HTTP/1.0\r\n\r\n');
    await closed(client);
    assert.strictEqual((await recorded.first('Connected')).statusCode, 276);
  });
});
