'use strict';
// What the servers of one driver share: settings, handles, and the way to the driver's callbacks.

/** The names of the callbacks, which are those of the events too. */
const STATUS = 'OnServerStatusChanged';
const CONNECTION = 'OnServerConnectionStatusChanged';
const DATA = 'OnServerDataIn';

class Context {
  /**
   * @param {EventEmitter} driver has the callbacks
   * @param {object} settings encoding (null: Buffers), limits, bases, delimiterTimeout, directorQuirks
   */
  constructor(driver, settings) {
    this.driver = driver;
    Object.assign(this, settings);
    this.servers = new Set();      // not destroyed, the oldest first
    this.ends = new Map();         // connections and UDP peers by handle, as long as the driver may use that
    this.targets = new Set();      // all that has native events
    this.paced = false;            // somebody listens with on(): promise jobs run between two events
    this.wantsRef = true;
    this.whenIdle = [];
  }

  // ---- native objects

  add(target) {
    this.targets.add(target);
    target.paced = this.paced;
    if (!this.wantsRef) target.unref();
  }

  remove(target) {
    this.targets.delete(target);
    if (this.targets.size > 0) return;
    for (const done of this.whenIdle.splice(0)) done();
  }

  pace() {
    this.paced = true;
    for (const target of this.targets) target.paced = true;
  }

  setRef(wanted) {
    this.wantsRef = wanted;
    for (const target of this.targets) {
      if (wanted) target.ref();
      else target.unref();
    }
  }

  // ---- callbacks

  serverStatus(server, status) {
    this.tell(STATUS, [server.port, status, server.identifier]);
  }

  connectionStatus(connection, status) {
    const { server } = connection;
    this.tell(CONNECTION, [connection.handle, server.port, status, connection.address, server.identifier]);
  }

  /** Every message comes through here. */
  dataIn(end, bytes) {
    const { driver } = this;
    const data = this.encoding === null ? bytes : bytes.toString(this.encoding);
    const callback = driver[DATA];
    if (typeof callback === 'function') {
      try {
        const result = callback.call(driver, end.handle, data, end.address, end.port, end.server.identifier);
        if (result !== undefined) this.watch(DATA, result);
      } catch (error) {
        this.report(DATA, error);
      }
    }
    if (this.paced) this.tellListeners(DATA, [end.handle, data, end.address, end.port, end.server.identifier]);
  }

  tell(name, args) {
    const callback = this.driver[name];
    if (typeof callback === 'function') this.call(name, callback, args);
    this.tellListeners(name, args);
  }

  tellListeners(name, args) {
    if (this.driver.listenerCount(name) === 0) return;
    for (const listener of this.driver.rawListeners(name)) this.call(name, listener, args);
  }

  call(name, callback, args) {
    try {
      this.watch(name, Reflect.apply(callback, this.driver, args));
    } catch (error) {
      this.report(name, error);
    }
  }

  watch(name, result) {
    if (typeof result?.then === 'function') result.then(undefined, (error) => this.report(name, error));
  }

  /** A callback threw, or its promise was rejected: that is the driver's fault, and nobody else's trouble. */
  report(name, error) {
    if (name !== 'callbackError' && this.driver.listenerCount('callbackError') > 0) {
      this.tellListeners('callbackError', [error, name]);
      return;
    }
    const detail = typeof error?.stack === 'string' ? error.stack : undefined;
    process.emitWarning(`${name}: ${error?.message ?? String(error)}`, { type: 'Control4CallbackWarning', detail });
  }

  /** A limit took effect. */
  limit(name, { port, identifier }, details) {
    this.tellListeners('limit', [{ name, value: this.limits[name], port, identifier, ...details }]);
  }
}

module.exports = { Context, DATA };
