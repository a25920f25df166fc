'use strict';
// Properties of WSServer.
const { defineAccessors } = require('./accessors');
const { SHARED, fixed, sharedValues } = require('./properties');
const check = require('./values');
const { defineById } = require('./ws-connection');

// A property of the certificate. What is found by it is shown from now on.
const ofCertificate = (name) => ({
  get() { return this._values.certificate[`get${name}`](); },
  set(value) {
    const { certificate } = this._values;
    if (name === 'Encoded' && typeof value !== 'string') certificate.setEncodedB(value);
    else certificate[`set${name}`](value);
    if ((name === 'Encoded' || name === 'Subject') && certificate.isPrivateKeyAvailable()) {
      this._set('certificate', certificate);
    }
  },
});

const PROPERTIES = {
  ...SHARED,
  Listening: {
    flag: true,
    get() { return this._isListening(); },
    set(value) {
      const done = check.flag(value, 'Listening') ? this.startListening() : this.stopListening();
      done.catch((error) => this._reportError('', error));
    },
  },
  SSLCertEncoded: ofCertificate('Encoded'),
  SSLCertStore: ofCertificate('Store'),
  SSLCertStorePassword: ofCertificate('StorePassword'),
  SSLCertStoreType: ofCertificate('StoreType'),
  SSLCertSubject: ofCertificate('Subject'),
  UseSSL: fixed(104, {
    flag: true,
    get() { return this._settings.isOn('UseSSL'); },
    set(value) { this._settings.set('UseSSL', String(check.flag(value, 'UseSSL')), false); },
  }, 'UseSSL cannot be changed.'),
  WSConnectionCount: { get() { return this._connections.size; } },
  WSConnections: { get() { return this._connections; } },
};

function defineProperties(Class) {
  defineAccessors(Class, PROPERTIES);
  defineById(Class);
}

module.exports = { defineProperties, initialValues: sharedValues };
