import ipworks = require('../../ipworks');

const { Certificate, CertStoreTypes, IPWorksSSLError } = ipworks;

const certificate = new Certificate(CertStoreTypes.cstPFXFile, 'server.pfx', 'password', '*');
const subject: string = certificate.getSubject();
const bits: number = certificate.publicKeyLength;
const available: boolean = certificate.isPrivateKeyAvailable();
const type: ipworks.CertStoreTypes = certificate.storeType;

certificate.setStoreType(CertStoreTypes.cstAuto);
certificate.setStoreB(new Uint8Array(3));
certificate.storePassword = Buffer.from('password');
certificate.store = new Uint8Array(3);
certificate.subject = 'CN=localhost';
new Certificate();
new Certificate('file.pem');
new Certificate(Buffer.alloc(3));
new Certificate(99, Buffer.alloc(3), Buffer.alloc(3), Buffer.alloc(3), 'Thumbprint=00');

const error = new IPWorksSSLError(271);
const code: number = error.code;

// @ts-expect-error there is no 20
new Certificate(20, 'file', '', '*');
// @ts-expect-error too few
new Certificate(CertStoreTypes.cstPFXFile, 'file');
// @ts-expect-error only the certificate decides
certificate.issuer = 'CN=me';
// @ts-expect-error bytes go to setEncodedB()
certificate.setEncoded(Buffer.alloc(3));

export { available, bits, code, subject, type };
