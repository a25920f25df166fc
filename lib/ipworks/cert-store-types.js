'use strict';
// The kinds of certificate stores. There is no 20.

const CertStoreTypes = Object.freeze({
  cstUser: 0,
  cstMachine: 1,
  cstPFXFile: 2,
  cstPFXBlob: 3,
  cstJKSFile: 4,
  cstJKSBlob: 5,
  cstPEMKeyFile: 6,
  cstPEMKeyBlob: 7,
  cstPublicKeyFile: 8,
  cstPublicKeyBlob: 9,
  cstSSHPublicKeyBlob: 10,
  cstP7BFile: 11,
  cstP7BBlob: 12,
  cstSSHPublicKeyFile: 13,
  cstPPKFile: 14,
  cstPPKBlob: 15,
  cstXMLFile: 16,
  cstXMLBlob: 17,
  cstJWKFile: 18,
  cstJWKBlob: 19,
  cstBCFKSFile: 21,
  cstBCFKSBlob: 22,
  cstPKCS11: 23,
  cstAuto: 99,
});

const typesOf = (form) => new Set(Object.keys(CertStoreTypes).filter((name) => name.endsWith(form))
  .map((name) => CertStoreTypes[name]));

/** Whose store is the name of a file, and whose is the content. */
const FILE_TYPES = typesOf('File');
const BLOB_TYPES = typesOf('Blob');

module.exports = { BLOB_TYPES, CertStoreTypes, FILE_TYPES };
