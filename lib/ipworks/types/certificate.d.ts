/// <reference types="node" />

/** Certificates, and the errors of the IPWorks components. */

/** Kinds of certificate stores. Where a name ends in File the store is a file's name, in Blob the content. */
export declare const CertStoreTypes: {
  /** Windows' stores: refused with error 271. */
  readonly cstUser: 0;
  readonly cstMachine: 1;
  /** PKCS#12, those of old tools (RC2-40) too. */
  readonly cstPFXFile: 2;
  readonly cstPFXBlob: 3;
  /** Java's key stores: read when they are PKCS#12, as keytool makes them; refused otherwise. */
  readonly cstJKSFile: 4;
  readonly cstJKSBlob: 5;
  /** Private keys and certificates, PEM; keys of OpenSSH too. */
  readonly cstPEMKeyFile: 6;
  readonly cstPEMKeyBlob: 7;
  /** Certificates, PEM or DER. */
  readonly cstPublicKeyFile: 8;
  readonly cstPublicKeyBlob: 9;
  /** OpenSSH's line or RFC 4716's text: a public key without a certificate. */
  readonly cstSSHPublicKeyBlob: 10;
  /** PKCS#7: certificates. */
  readonly cstP7BFile: 11;
  readonly cstP7BBlob: 12;
  readonly cstSSHPublicKeyFile: 13;
  /** PuTTY's private keys, version 2 and 3. */
  readonly cstPPKFile: 14;
  readonly cstPPKBlob: 15;
  /** Refused with error 271. */
  readonly cstXMLFile: 16;
  readonly cstXMLBlob: 17;
  /** A JSON Web Key or a set of them. */
  readonly cstJWKFile: 18;
  readonly cstJWKBlob: 19;
  /** Refused with error 271. */
  readonly cstBCFKSFile: 21;
  readonly cstBCFKSBlob: 22;
  /** Refused with error 271. */
  readonly cstPKCS11: 23;
  /** Found out: a file of that name if there is one, or else the content, of any kind above. */
  readonly cstAuto: 99;
};
export type CertStoreTypes = (typeof CertStoreTypes)[keyof typeof CertStoreTypes];

/** Every error of the components: the document's number and text, and a sentence that says why. */
export declare class IPWorksSSLError extends Error {
  constructor(code: number, detail?: string, options?: { cause?: unknown });
  readonly name: 'IPWorksSSLError';
  /**
   * The document's number; the message has its text, and what exactly is wrong. 100, 101, 102, 116 (clients'), 10067 and
   * 10091 to 10093 (Windows') do not occur, nor do 135, 275 and 283, which are 10035, 280 and 284 here.
   *
   * 100: You cannot change the RemotePort at this time. A connection is in progress.
   * 101: You cannot change the RemoteHost at this time. A connection is in progress.
   * 102: The RemoteHost address is invalid (0.0.0.0). 104: SSLServer is already listening.
   * 106: Cannot change LocalPort when SSLServer is listening.
   * 107: Cannot change LocalHost when SSLServer is listening.
   * 108: Cannot change MaxConnections when SSLServer is listening.
   * 112: You cannot change MaxLineLength at this time. A connection is in progress.
   * 116: RemotePort cannot be zero. Please specify a valid service port number. 126: Invalid ConnectionId.
   * 135: Operation would block. 270: Cannot load specified security library. 271: Cannot open certificate store.
   * 272: Cannot find specified certificate. 273: Cannot acquire security credentials.
   * 274: Cannot find certificate chain. 275: Cannot verify certificate chain. 276: Error during handshake.
   * 280: Error verifying certificate. 281: Could not find client certificate.
   * 282: Could not find server certificate. 283: Error encrypting data. 284: Error decrypting data.
   * 4202: Error sending data to the connected client. 10004: Interrupted system call. 10009: Bad file number.
   * 10013: Access denied. 10014: Bad address. 10022: Invalid argument. 10024: Too many open files.
   * 10035: Operation would block. 10036: Operation now in progress. 10037: Operation already in progress.
   * 10038: Socket operation on nonsocket. 10039: Destination address required. 10040: Message is too long.
   * 10041: Protocol wrong type for socket. 10042: Bad protocol option. 10043: Protocol is not supported.
   * 10044: Socket type is not supported. 10045: Operation is not supported on socket.
   * 10046: Protocol family is not supported. 10047: Address family is not supported by protocol family.
   * 10048: Address already in use. 10049: Cannot assign requested address. 10050: Network is down.
   * 10051: Network is unreachable. 10052: Net dropped connection or reset. 10053: Software caused connection abort.
   * 10054: Connection reset by peer. 10055: No buffer space available. 10056: Socket is already connected.
   * 10057: Socket is not connected. 10058: Cannot send after socket shutdown.
   * 10059: Too many references, cannot splice. 10060: Connection timed out. 10061: Connection refused.
   * 10062: Too many levels of symbolic links. 10063: File name is too long. 10064: Host is down.
   * 10065: No route to host. 10066: Directory is not empty. 10067: Too many processes. 10068: Too many users.
   * 10069: Disc Quota Exceeded. 10070: Stale NFS file handle. 10071: Too many levels of remote in path.
   * 10091: Network subsystem is unavailable. 10092: WINSOCK DLL Version out of range.
   * 10093: Winsock is not loaded yet. 11001: Host not found.
   * 11002: Nonauthoritative 'Host not found' (try again or check DNS setup).
   * 11003: Nonrecoverable errors: FORMERR, REFUSED, NOTIMP. 11004: Valid name, no data record (check DNS setup).
   */
  code: number;
  /** What the native side said. */
  cause?: unknown;
}

/**
 * A digital certificate: where it comes from, and what it says. Every getX(), setX() and isX() is a property as well
 * (`certificate.subject = '*'`). Nothing is selected at first: texts are empty, numbers 0.
 *
 * Stores hold at most 4 MiB, 1,000 certificates and 100 private keys; more is error 271. Files are read at once, while
 * the program waits.
 */
export declare class Certificate {
  constructor();
  /**
   * A certificate without a private key, out of a file.
   * @throws IPWorksSSLError 271 when it cannot be read
   */
  constructor(certificateFile: string);
  /** The same, out of PEM or DER. */
  constructor(encoded: Uint8Array);
  /**
   * Opens a store and selects from it: by subject, see setSubject(), or the private key of an encoded certificate.
   *
   * `configurationString` holds lines of name=value. `Thumbprint` selects by a hash, whatever the subject is;
   * `PersistPFXKey` and `UseInternalSecurityAPI` change nothing.
   * @throws IPWorksSSLError 271 when the store cannot be opened, 272 when it does not hold the certificate or the
   * private key, 10022 for another name in `configurationString`
   */
  constructor(
    storeType: CertStoreTypes, store: string | Uint8Array, storePassword: string | Uint8Array,
    subject: string | Uint8Array, configurationString?: string,
  );

  /**
   * Default: 0, cstUser.
   * @throws IPWorksSSLError 10022 for another number
   */
  getStoreType(): CertStoreTypes;
  setStoreType(value: CertStoreTypes): void;
  get storeType(): CertStoreTypes;
  set storeType(value: CertStoreTypes);

  /**
   * Name of a file, or content (binary, PEM or Base64), as the type says. At most 4 MiB. Default: `MY`.
   */
  getStore(): string;
  setStore(value: string | Uint8Array): void;
  get store(): string;
  set store(value: string | Uint8Array);

  /**
   * The same as bytes, which are not copied.
   */
  getStoreB(): Buffer;
  setStoreB(value: Uint8Array): void;
  get storeB(): Buffer;
  set storeB(value: Uint8Array);

  /**
   * Default: empty. Kept sealed in memory.
   */
  getStorePassword(): string;
  setStorePassword(value: string | Uint8Array): void;
  get storePassword(): string;
  set storePassword(value: string | Uint8Array);

  /**
   * Password of the private key. Default: the store's; an empty one says that the key has none. Kept sealed.
   */
  getKeyPassword(): string;
  setKeyPassword(value: string | Uint8Array): void;
  get keyPassword(): string;
  set keyPassword(value: string | Uint8Array);

  /**
   * Distinguished name of what is selected: `CN=www.example.com, O="Example, Inc.", C=US`, in the certificate's order.
   * Setting it selects, and comes last: `*` for the first certificate (those with a private key come before others), a
   * whole name, a part of one (upper and lower case are the same), or `Thumbprint=` and an MD5, SHA-1 or SHA-256 hash.
   * Afterwards it is the full name, or empty when nothing was found.
   * @throws IPWorksSSLError 271 when the store cannot be opened
   */
  getSubject(): string;
  setSubject(value: string): void;
  get subject(): string;
  set subject(value: string);

  /**
   * PEM of what is selected. Setting it (PEM, or DER in Base64) selects that certificate, with its private key from the
   * store; Subject is empty when the store does not hold the key.
   * @throws IPWorksSSLError 271 for what is no certificate, and when the store cannot be opened
   */
  getEncoded(): string;
  setEncoded(value: string): void;
  get encoded(): string;
  set encoded(value: string);

  /**
   * The same as bytes; DER may be set too.
   * @throws IPWorksSSLError 271, as setEncoded()
   */
  getEncodedB(): Buffer;
  setEncodedB(value: Uint8Array): void;
  get encodedB(): Buffer;
  set encodedB(value: Uint8Array);

  /** Start of validity in the time zone of the process: `23-Jan-2000 15:00:00`. */
  getEffectiveDate(): string;
  readonly effectiveDate: string;

  /** End of validity, in the same form. */
  getExpirationDate(): string;
  readonly expirationDate: string;

  /** Object identifiers, separated by commas. */
  getExtendedKeyUsage(): string;
  readonly extendedKeyUsage: string;

  /**
   * MD5 of the certificate, lower-case hexadecimal with colons; of a key without a certificate, of the key as SSH
   * sends it (empty for types that SSH does not have).
   */
  getFingerprint(): string;
  readonly fingerprint: string;

  /** SHA-1 of the same. */
  getFingerprintSHA1(): string;
  readonly fingerprintSHA1: string;

  /** SHA-256 of the same. */
  getFingerprintSHA256(): string;
  readonly fingerprintSHA256: string;

  /** Distinguished name of the issuer, written as `getSubject()`. */
  getIssuer(): string;
  readonly issuer: string;

  /** PEM (PKCS#8), not encrypted. The key becomes a JavaScript string only here. */
  getPrivateKey(): string;
  readonly privateKey: string;

  /** Always empty: containers are Windows'. */
  getPrivateKeyContainer(): string;
  readonly privateKeyContainer: string;

  /** PEM. */
  getPublicKey(): string;
  readonly publicKey: string;

  /** `RSA`, `RSA-PSS`, `EC`, `ED25519`, ..., or an object identifier. */
  getPublicKeyAlgorithm(): string;
  readonly publicKeyAlgorithm: string;

  /** Bits; 0 when nothing is selected. */
  getPublicKeyLength(): number;
  readonly publicKeyLength: number;

  /** Upper-case hexadecimal, two digits a byte. */
  getSerialNumber(): string;
  readonly serialNumber: string;

  /** OpenSSL's name, `sha256WithRSAEncryption`, or an object identifier. */
  getSignatureAlgorithm(): string;
  readonly signatureAlgorithm: string;

  /**
   * DNS names, addresses, e-mail addresses, URIs and directory names, separated by commas; one that holds a comma is in
   * quotes.
   */
  getSubjectAltNames(): string;
  readonly subjectAltNames: string;

  /** MD5 of the certificate, lower-case hexadecimal without colons. */
  getThumbprintMD5(): string;
  readonly thumbprintMD5: string;

  /** SHA-1 of the certificate. */
  getThumbprintSHA1(): string;
  readonly thumbprintSHA1: string;

  /** SHA-256 of the certificate. */
  getThumbprintSHA256(): string;
  readonly thumbprintSHA256: string;

  /**
   * Names of the key usage, separated by commas: `Digital Signature`, `Non-Repudiation`, `Key Encipherment`,
   * `Data Encipherment`, `Key Agreement`, `Certificate Signing`, `CRL Signing`, `Encipher Only`.
   */
  getUsage(): string;
  readonly usage: string;

  /** The same as bits, 0x80 to 0x01; 0 without the extension. */
  getUsageFlags(): number;
  readonly usageFlags: number;

  /** `V1`, `V2` or `V3`. */
  getVersion(): string;
  readonly version: string;

  /** Whether the private key of what is selected is there. */
  isPrivateKeyAvailable(): boolean;
  readonly privateKeyAvailable: boolean;
}
