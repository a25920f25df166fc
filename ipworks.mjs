import ipworks from './ipworks.js';

export default ipworks;
export const {
  CertStoreTypes, Certificate, Connection, ConnectionMap, IPWorksSSLError, SSLServer, SSLServerSSLProviders,
  WSConnection, WSServer, WebSocketDataFormats, sslserver, wsserver,
} = ipworks;
