'use strict';
// The IPWorks SSL components.
const { CertStoreTypes } = require('./cert-store-types');
const { Certificate } = require('./certificate');
const { ConnectionMap } = require('./client');
const { Connection } = require('./connection');
const { IPWorksSSLError } = require('./errors');
const { SSLServer, SSLServerSSLProviders } = require('./ssl-server');

module.exports = {
  CertStoreTypes,
  Certificate,
  Connection,
  ConnectionMap,
  IPWorksSSLError,
  SSLServer,
  SSLServerSSLProviders,
  /** The name that the commercial JavaScript edition gives the class. */
  sslserver: SSLServer,
};
