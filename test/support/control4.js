'use strict';

// Control4 drivers of a test, which write down what their callbacks are told.

const assert = require('assert');
const net = require('net');
const { Driver } = require('../../control4');
const { Changes } = require('./changes');
const { track } = require('./cleanup');
const { event } = require('./net');

const CALLBACKS = {
  OnServerStatusChanged: 'server', OnServerConnectionStatusChanged: 'connection', OnServerDataIn: 'data',
};
const DIAGNOSTICS = ['limit', 'handshakeError', 'connectionError', 'callbackError'];

class Recorded {
  constructor(options) {
    this.driver = new Driver(options);
    /** What happened so far: ['server' | 'connection' | 'data' | a diagnostic event, ...arguments]. */
    this.calls = [];
    this.changes = new Changes();
    for (const [callback, name] of Object.entries(CALLBACKS)) {
      this.driver[callback] = (...args) => this.note(name, args);
    }
    for (const name of DIAGNOSTICS) this.driver.on(name, (...args) => this.note(name, args));
    track({ destroy: () => this.driver.DestroyServer() });
  }

  note(name, args) {
    this.calls.push([name, ...args]);
    this.changes.tell();
  }

  /** Calls of a name, without it. */
  of(name) {
    return this.calls.filter(([is]) => is === name).map(([, ...args]) => args);
  }

  /** All data of a connection, or of all of them, as one text each call. */
  texts(handle) {
    return this.of('data').filter(([of]) => handle === undefined || of === handle).map(([, data]) => String(data));
  }

  /** Resolves with the first truthy result of `find()`, which is tried now and after every call. */
  async until(find, what) {
    try {
      return await this.changes.until(find, what);
    } catch (error) {
      error.message += `; so far: ${this.calls.map((call) => call.join(' ')).join(', ')}`;
      throw error;
    }
  }

  /** The arguments of the first call of `name` for which `test` holds. */
  first(name, test = () => true) {
    return this.until(() => this.of(name).find(test), `a '${name}' call`);
  }

  /** Resolves when so many calls of `name` have come, with their arguments. */
  count(name, number) {
    return this.until(() => this.of(name).length >= number && this.of(name), `${number} '${name}' calls`);
  }

  /** Waits for the ONLINE of what `create(driver)` has just created; resolves with its port. */
  async online(create) {
    const before = this.of('server').length;
    assert.deepStrictEqual(create(this.driver), [true]);
    const [port, status] = await this.until(() => this.of('server')[before], 'ONLINE');
    assert.strictEqual(status, 'ONLINE');
    return port;
  }

  /** Resolves with the handle of the next connection behind the first `before` ones. */
  async handle(before = 0) {
    const online = () => this.of('connection').filter(([, , status]) => status === 'ONLINE');
    return (await this.until(() => online()[before], 'a connection'))[0];
  }

  /** Resolves when the connection, or the server at that port, is OFFLINE. */
  offline(name, number) {
    return this.until(() => this.of(name).some((args) => args[0] === number && args.includes('OFFLINE')),
      `OFFLINE of ${number}`);
  }
}

/** A driver that writes everything down. */
function makeDriver(options) {
  return new Recorded(options);
}

/** A plain connection to `port` at `host`. */
async function dialAt(port, host = '127.0.0.1') {
  const socket = track(net.connect(port, host));
  socket.on('error', () => {});
  await event(socket, 'connect');
  return socket;
}

module.exports = { makeDriver, dialAt };
