'use strict';

// SSLServers of a test, which write down what their listeners are told, and clients for them.

const assert = require('assert');
const tls = require('tls');
const { Certificate, CertStoreTypes, SSLServer } = require('../../ipworks');
const { Changes } = require('./changes');
const { track } = require('./cleanup');
const { event } = require('./net');
const pki = require('./pki');
const { start } = require('./program');

/** Events that do not change how a connection is accepted; the others a test listens to itself. */
const NOTED = ['Connected', 'Disconnected', 'DataIn', 'Error', 'ReadyToSend', 'SSLStatus'];

/** The certificate of a leaf with its private key, PEM. */
function certificateOf(name = 'ec') {
  return new Certificate(CertStoreTypes.cstPEMKeyBlob, pki.read(`${name}.key`) + pki.read(`${name}.pem`), '', '*');
}

class Recorded {
  constructor(server = new SSLServer(), noted = NOTED) {
    this.server = server;
    /** What happened so far: [event, its object]. */
    this.events = [];
    this.changes = new Changes();
    for (const name of noted) this.server.on(name, (e) => this.note(name, e));
    track({ terminate: () => this.end() });
  }

  /** Without waiting for anybody. */
  end() {
    this.server.setLinger(false);
    return this.server.shutdown();
  }

  note(name, object) {
    this.events.push([name, object]);
    this.changes.tell();
  }

  get port() { return this.server.getLocalPort(); }

  /** Objects of an event so far. */
  of(name) {
    return this.events.filter(([is]) => is === name).map(([, object]) => object);
  }

  /** Resolves with the first truthy result of `find()`, which is tried now and after every event. */
  async until(find, what) {
    try {
      return await this.changes.until(find, what);
    } catch (error) {
      error.message += `; so far: ${JSON.stringify(this.events)}`;
      throw error;
    }
  }

  /** The object of an event's first occurrence behind `skip` others. */
  first(name, skip = 0) {
    return this.until(() => this.of(name)[skip], `event ${name}`);
  }

  /** [text, EOL] of so many DataIn events. */
  async data(count) {
    await this.until(() => this.of('DataIn').length >= count, `${count} DataIn events`);
    return this.of('DataIn').map(({ text, EOL }) => [text, EOL]);
  }

  /** The Connection of a client. */
  connection(id) {
    return this.server.getConnections().get(id);
  }

  /** A client of Node's `tls`, connected, and what the server says of it: { client, id }. */
  async connect(options) {
    const before = this.of('Connected').length;
    const client = dial(this.port, options);
    await event(client, 'secureConnect');
    const { connectionId: id, statusCode } = await this.first('Connected', before);
    assert.strictEqual(statusCode, 0);
    return { client, id };
  }
}

/** A client of Node's `tls` on its way. */
function dial(port, options = {}) {
  const client = track(tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: pki.ca, ...options }));
  client.on('error', () => {});
  return client;
}

/** A server that listens on a free port with the certificate of a leaf, and writes everything down. */
async function listening(configure, options) {
  return startRecorded(new Recorded(), configure, options);
}

/** The same with what is given. */
async function startRecorded(recorded, configure = () => {}, { settings = [], certificate = 'ec' } = {}) {
  recorded.server.setSSLCert(certificateOf(certificate));
  recorded.server.setLocalHost('127.0.0.1');
  for (const setting of settings) await recorded.server.config(setting);
  await configure(recorded.server);
  await recorded.server.startListening();
  return recorded;
}

/** Rejects with an IPWorksSSLError of that number. */
function failsWith(code, work, pattern = /./) {
  const check = (error) => {
    assert.strictEqual(error.name, 'IPWorksSSLError', error.stack);
    assert.strictEqual(error.code, code, error.stack);
    assert.match(error.message, pattern);
    return true;
  };
  if (typeof work === 'function') {
    assert.throws(work, check);
    return undefined;
  }
  return assert.rejects(work, check);
}

/** `openssl s_client` at a port: its program. It speaks old versions too. */
function sClient(port, ...args) {
  return start('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', 'localhost',
    '-CAfile', pki.path('ca.pem'), '-cipher', 'ALL:@SECLEVEL=0', ...args]);
}

/** What `openssl s_client` says of one handshake: `{ ok, text }`. */
async function report(port, ...args) {
  const { code, stdout, stderr } = await sClient(port, ...args).endInput().ended;
  return { ok: code === 0, text: stdout + stderr };
}

module.exports = { Recorded, certificateOf, dial, failsWith, listening, report, sClient, startRecorded };
