'use strict';
// Events within a handshake: another certificate for this client, and what is thought of the client's own.
const { Certificate } = require('./certificate');
const { ask } = require('./decisions');
const { eventObject } = require('./event-objects');

/**
 * SSLConnectionRequest: the listener may name another certificate.
 * @param {object} server
 * @param {object} handle of the client
 * @param {{ suites?: string[], sigalgs?: string[] }} offer of the client
 * @param {number} patience milliseconds for promises
 */
function chooseCertificate(server, handle, { suites = [], sigalgs = [] }, patience) {
  const request = eventObject({
    connectionId: handle.connectionId,
    supportedCipherSuites: suites.join(','),
    supportedSignatureAlgs: sigalgs.join(','),
  }, { certStoreType: 0, certStore: '', certPassword: '', certSubject: '' });
  ask(server, 'SSLConnectionRequest', request, patience, (answered) => {
    if (handle.closed) return;
    if (!answered) {
      handle.native.close(false);
      return;
    }
    let context = null;
    let problem = null;
    const { certStoreType, certStore, certPassword, certSubject } = request;
    if (certStore?.length > 0) {
      try {
        context = server._alternative(certStoreType, certStore, certPassword, certSubject || '*');
      } catch (error) {
        problem = error;
      }
    }
    // Without another one SSLCert is shown.
    handle.native.answerCertificate(context, undefined);
    if (problem !== null) server._reportError(handle.connectionId, problem);
  });
}

/**
 * SSLClientAuthentication: the client's certificate, and whether the handshake goes on.
 * @param {object} server
 * @param {object} handle of the client
 * @param {{ present: boolean, code: string | null, message: string }} verdict of the verification
 * @param {number} patience milliseconds for promises
 * @param {boolean} whole the chain is shown too
 */
function judgeClient(server, handle, { present, code, message }, patience, whole) {
  const { native, connectionId } = handle;
  const recommended = code === null;
  if (server.listenerCount('SSLClientAuthentication') === 0) {
    native.answerClientCertificate(recommended);
    return;
  }
  const chain = present ? native.getPeerChain() : [];
  let shown;
  try {
    shown = chain.slice(0, whole ? chain.length : 1).map((der) => new Certificate(der));
  } catch (error) {
    // What a client has made must not end the program.
    native.answerClientCertificate(false);
    server._reportError(connectionId, error);
    return;
  }
  const certEncoded = shown.map((certificate) => certificate.getEncoded()).join('');
  const request = eventObject({
    connectionId,
    certEncoded,
    certEncodedB: Buffer.from(certEncoded),
    certSubject: shown[0]?.getSubject() ?? '',
    certIssuer: shown[0]?.getIssuer() ?? '',
    status: recommended ? 'OK' : message,
  }, { accept: recommended });
  ask(server, 'SSLClientAuthentication', request, patience, (answered) => {
    if (!handle.closed) native.answerClientCertificate(answered && request.accept === true);
  });
}

module.exports = { chooseCertificate, judgeClient };
