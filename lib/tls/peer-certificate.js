'use strict';
// Certificates as plain objects, in Node's legacy form.
const { X509Certificate } = require('crypto');

// "OCSP - URI:http://...\nCA Issuers - URI:..." to { 'OCSP - URI': [...], ... }; values with odd characters
// come as JSON strings.
function parseInfoAccess(text) {
  const out = Object.create(null);
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const name = line.slice(0, colon);
    let value = line.slice(colon + 1);
    if (value.startsWith('"')) value = JSON.parse(value);
    (out[name] ??= []).push(value);
  }
  return out;
}

/**
 * A certificate in DER. Node's X509Certificate looks for PEM first, and the texts in a peer's DER are the peer's: it
 * would show a certificate that stands in one of them. Base64 holds nothing of the kind.
 */
function parse(der) {
  const lines = der.toString('base64').match(/.{1,64}/g).join('\n');
  return new X509Certificate(`-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`);
}

/** One certificate, in DER or parsed, as Node's getPeerCertificate() shows it. */
function toObject(certificate) {
  const parsed = certificate instanceof X509Certificate ? certificate : parse(certificate);
  const out = parsed.toLegacyObject();
  if (typeof out.infoAccess === 'string') out.infoAccess = parseInfoAccess(out.infoAccess);
  return out;
}

/** A chain, leaf first: each holds its issuer; a self-signed root is its own issuer. */
function toChain(ders) {
  const parsed = ders.map(parse);
  const objects = parsed.map(toObject);
  for (let i = 0; i + 1 < objects.length; i++) objects[i].issuerCertificate = objects[i + 1];
  const last = parsed.at(-1);
  if (last.checkIssued(last)) objects.at(-1).issuerCertificate = objects.at(-1);
  return objects[0];
}

/** A chain as X509Certificate, leaf first: each shows its issuer as `issuerCertificate`. */
function toX509Chain(ders) {
  let issuer;
  for (let i = ders.length - 1; i >= 0; i--) {
    const certificate = parse(ders[i]);
    Object.defineProperty(certificate, 'issuerCertificate', { value: issuer, configurable: true });
    issuer = certificate;
  }
  return issuer;
}

module.exports = { parse, toChain, toObject, toX509Chain };
