'use strict';
// Events within a handshake: another certificate for this client, and what is thought of the client's own.
const { X509Certificate } = require('crypto');
const { ask } = require('./decisions');
const { eventObject } = require('./event-objects');

const UNTOUCHED = '';

const distinguishedName = (lines) => lines === undefined ? '' : lines.split('\n').join(', ');

/**
 * SSLConnectionRequest: the listener may name another certificate.
 * @param {object} server
 * @param {object} handle of the client
 * @param {{ suites: string[], sigalgs: string[] }} offer of the client
 * @param {number} patience milliseconds for promises
 */
async function chooseCertificate(server, handle, { suites = [], sigalgs = [] }, patience) {
  const request = eventObject({
    connectionId: handle.connectionId,
    supportedCipherSuites: suites.join(','),
    supportedSignatureAlgs: sigalgs.join(','),
  }, { certStoreType: 0, certStore: UNTOUCHED, certPassword: '', certSubject: '' });
  const answered = ask(server, 'SSLConnectionRequest', request, patience);
  if (!(answered === true || await answered) || handle.server === null) {
    handle.native.close(false);
    return;
  }
  const { certStoreType, certStore, certPassword, certSubject } = request;
  let context = null;
  if (certStore.length > 0) {
    try {
      context = server._alternative(certStoreType, certStore, certPassword, certSubject || '*');
    } catch (error) {
      server._reportError(handle.connectionId, error);
    }
  }
  handle.native.answerCertificate(context, undefined);
}

/**
 * SSLClientAuthentication: the client's certificate, and whether the handshake goes on.
 * @param {{ present: boolean, code: string | null, message: string }} verdict of the verification
 * @param {boolean} whole the chain is shown too
 */
async function judgeClient(server, handle, { present, code, message }, patience, whole) {
  const { native, connectionId } = handle;
  const recommended = code === null;
  if (server.listenerCount('SSLClientAuthentication') === 0) {
    native.answerClientCertificate(recommended);
    return;
  }
  const chain = present ? native.getPeerChain() : [];
  const shown = chain.slice(0, whole ? chain.length : 1).map((der) => new X509Certificate(der));
  const certEncoded = shown.map(String).join('');
  const request = eventObject({
    connectionId,
    certEncoded,
    certEncodedB: Buffer.from(certEncoded),
    certSubject: distinguishedName(shown[0]?.subject),
    certIssuer: distinguishedName(shown[0]?.issuer),
    status: recommended ? 'OK' : message,
  }, { accept: recommended });
  const answered = ask(server, 'SSLClientAuthentication', request, patience);
  const inTime = answered === true || await answered;
  if (handle.server !== null) native.answerClientCertificate(inTime && request.accept === true);
}

module.exports = { chooseCertificate, judgeClient };
