'use strict';
// The IPWorks SSL components.
const { CertStoreTypes } = require('./cert-store-types');
const { Certificate } = require('./certificate');
const { ConnectionMap } = require('./client');
const { Connection } = require('./connection');
const { IPWorksSSLError } = require('./errors');
const { SSLServer, SSLServerSSLProviders } = require('./ssl-server');
const { WSConnection, WebSocketDataFormats } = require('./ws-connection');
const { WSServer } = require('./ws-server');

module.exports = {
  CertStoreTypes,
  Certificate,
  Connection,
  ConnectionMap,
  IPWorksSSLError,
  SSLServer,
  SSLServerSSLProviders,
  WSConnection,
  WSServer,
  WebSocketDataFormats,
  // The names that the commercial JavaScript edition gives the classes.
  sslserver: SSLServer,
  wsserver: WSServer,
};
