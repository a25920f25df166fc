/// <reference types="node" />

/**
 * The IPWorks SSL components: `SSLServer`, with `Certificate` and `Connection`. Names, defaults, numbers and texts are those
 * of the documented JavaScript edition. Times are seconds unless another unit is named.
 */

import { EventEmitter } from 'node:events';

/** Kinds of certificate stores. Where a name ends in File the store is a file's name, in Blob the content. */
export const CertStoreTypes: {
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
export class IPWorksSSLError extends Error {
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
export class Certificate {
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

/** Bytes: a string is UTF-8. */
export type Bytes = string | NodeJS.ArrayBufferView | ArrayBuffer;

/** SSLProvider's values. */
export const SSLServerSSLProviders: {
  /** OpenSSL, as sslpInternal. */
  readonly sslpAutomatic: 0;
  /** The operating system's TLS: it has a certificate and a range of versions, and refuses every other TLS setting. */
  readonly sslpPlatform: 1;
  readonly sslpInternal: 2;
};
export type SSLServerSSLProviders = (typeof SSLServerSSLProviders)[keyof typeof SSLServerSSLProviders];

/** What clients of both servers have. */
declare abstract class Client<DataIn> {
  /**
   * DataIn's events of this client from now on, one behind the other, until it has gone: `for await (const e of connection)`.
   * While the loop is busy nothing more is read of the client. Listeners of DataIn hear of them too.
   * @throws IPWorksSSLError 10037 when there is such a loop already
   */
  [Symbol.asyncIterator](): AsyncGenerator<DataIn, void, void>;

  /** Bytes that the last send took; 0 when Timeout is not 0. Default: 0. */
  getBytesSent(): number;
  readonly bytesSent: number;

  /** Default: ''. */
  getConnectionId(): string;
  readonly connectionId: string;

  /** Address of this side. Default: ''. */
  getLocalAddress(): string;
  readonly localAddress: string;

  /** False from a send of which nothing was taken (10035) until ReadyToSend. Default: false. */
  isReadyToSend(): boolean;
  readonly readyToSend: boolean;

  /** Address of the client. Default: ''. */
  getRemoteHost(): string;
  readonly remoteHost: string;

  /** Port of the client. Default: 0. */
  getRemotePort(): number;
  readonly remotePort: number;

  /**
   * Seconds. 0: a send takes what there is room for, or rejects with 10035. More: it resolves when everything has gone, and
   * rejects with 10060 when the client took nothing for so long. Default: 0, or the server's DefaultTimeout.
   */
  getTimeout(): number;
  setTimeout(value: number): void;
  timeout: number;

  /** The program's own. Default: ''. */
  getUserData(): string;
  setUserData(value: Bytes): void;
  get userData(): string;
  set userData(value: Bytes);

  /** The same as bytes. */
  getUserDataB(): Uint8Array;
  setUserDataB(value: Bytes): void;
  get userDataB(): Uint8Array;
  set userDataB(value: Bytes);
}

/**
 * A client. Those of {@link SSLServer.getConnections} live until their Disconnected listeners have returned; then every
 * access is error 126. One made by `new Connection()` belongs to no server and has the defaults. Every getX(), isX() and
 * setX() is a property too.
 */
export class Connection extends Client<DataInEvent> {
  /** False after pauseData(). Default: true. */
  isAcceptData(): boolean;
  readonly acceptData: boolean;

  /** Default: false. */
  isConnected(): boolean;
  readonly connected: boolean;

  /**
   * What ends a DataIn, and is not part of it: up to 64 KiB of any bytes. Default: '', or the server's DefaultEOL. A new
   * one holds from the next byte that was not delivered yet.
   */
  getEOL(): string;
  setEOL(value: Bytes): void;
  get eol(): string;
  set eol(value: Bytes);

  /** The same as bytes. */
  getEOLB(): Uint8Array;
  setEOLB(value: Bytes): void;
  get eolb(): Uint8Array;
  set eolb(value: Bytes);

  /**
   * Seconds after which the client is disconnected when neither side moved a byte; 0: never. Default: 0, or the server's
   * DefaultIdleTimeout.
   */
  getIdleTimeout(): number;
  setIdleTimeout(value: number): void;
  idleTimeout: number;

  /**
   * Bytes that may wait for an EOL; then they are a DataIn whose EOL is false. 256 to 2,147,483,647. Default: 2048, or the
   * server's DefaultMaxLineLength.
   */
  getMaxLineLength(): number;
  setMaxLineLength(value: number): void;
  maxLineLength: number;

  /** Set by {@link SSLServer.changeRecordLength}; 0: off. Default: 0. */
  getRecordLength(): number;
  readonly recordLength: number;

  /** A line ends in CR, LF or CRLF, whatever EOL is. Default: false, or the server's DefaultSingleLineMode. */
  isSingleLineMode(): boolean;
  setSingleLineMode(value: boolean): void;
  singleLineMode: boolean;
}

/** DataFormat's values. */
export const WebSocketDataFormats: {
  /** A string is text, bytes are binary. */
  readonly dfAutomatic: 0;
  /** Text: bytes are taken for UTF-8 if they are that, else for characters of the code page. */
  readonly dfText: 1;
  readonly dfBinary: 2;
  /** A ping with the data as its payload, 125 bytes at most. */
  readonly dfPing: 9;
  /** A pong that nobody asked for. */
  readonly dfPong: 10;
};
export type WebSocketDataFormats = (typeof WebSocketDataFormats)[keyof typeof WebSocketDataFormats];

/** A client of {@link WSServer}; lives as long as a {@link Connection}. */
export class WSConnection extends Client<WSDataInEvent> {
  /** False after pauseData(): nothing is read. Setting it pauses and resumes. Default: true. */
  isAcceptData(): boolean;
  setAcceptData(value: boolean): void;
  acceptData: boolean;

  /** Whether it is open; false disconnects the client. Default: false. */
  isConnected(): boolean;
  setConnected(value: boolean): void;
  connected: boolean;

  /** What send() and DataToSend make of data. Default: 0, dfAutomatic. */
  getDataFormat(): WebSocketDataFormats;
  setDataFormat(value: WebSocketDataFormats): void;
  dataFormat: WebSocketDataFormats;

  /**
   * Sends what is assigned, as send() does.
   * @throws IPWorksSSLError 10035 when not all was taken, and Timeout is 0; with a Timeout a failure is an Error event
   */
  setDataToSend(value: Bytes): void;
  set dataToSend(value: Bytes);

  /** The Host field of the opening request. Default: ''. */
  getHost(): string;
  readonly host: string;

  /** Set by {@link WSServer.changeLineMode}. Default: false. */
  isLineMode(): boolean;
  readonly lineMode: boolean;

  /** The Origin field of the opening request. Default: ''. */
  getOrigin(): string;
  readonly origin: string;

  /** Header fields of the opening request, with CRLF between them. Default: ''. */
  getRequestHeaders(): string;
  readonly requestHeaders: string;

  /** Target of the opening request. Default: ''. */
  getRequestURI(): string;
  readonly requestURI: string;

  /** Sub-protocols that the client has offered, with commas. Default: ''. */
  getSubProtocols(): string;
  readonly subProtocols: string;
}

/** Clients by ConnectionId: a Map that cannot be changed. */
export class ConnectionMap<Of = Connection> implements Iterable<[connectionId: string, connection: Of]> {
  constructor(clients: Map<string, Of>);
  readonly size: number;
  has(connectionId: string): boolean;
  /** @throws IPWorksSSLError 126 for an identifier of no client */
  get(connectionId: string): Of;
  /** The same as get(). */
  item(connectionId: string): Of;
  keys(): IterableIterator<string>;
  values(): IterableIterator<Of>;
  entries(): IterableIterator<[string, Of]>;
  forEach(visit: (connection: Of, connectionId: string, map: ConnectionMap<Of>) => void, self?: unknown): void;
  [Symbol.iterator](): IterableIterator<[string, Of]>;
}

/** A client has connected (statusCode 0), or has failed in its handshake (276, 280, 10054, ...); then nothing follows. */
export interface ConnectedEvent {
  readonly connectionId: string;
  readonly statusCode: number;
  /** 'OK', or the error's text. */
  readonly description: string;
}

/** A client wants to connect: before its handshake. */
export interface ConnectionRequestEvent {
  readonly address: string;
  readonly port: number;
  /** False refuses it: no further event. As AllowedClients and BlockedClients say, which it overrides. Default: true. */
  accept: boolean;
}

/** Data, cut by RecordLength, or else SingleLineMode, or else EOL; without them as it comes. */
export interface DataInEvent {
  readonly connectionId: string;
  /** In the code page; decoded when it is asked for. */
  readonly text: string;
  readonly textB: Uint8Array;
  /** An EOL, a line's end or a record's end was there. False: MaxLineLength was reached, or the client has ended. */
  readonly EOL: boolean;
}

/** A connection has ended, once. It is still in Connections. */
export interface DisconnectedEvent {
  readonly connectionId: string;
  /** 0, or 10053, 10054, 10060 (idle), 284, ... */
  readonly statusCode: number;
  readonly description: string;
}

/**
 * Something went wrong beside connections, or with a send whose promise nobody looks at (10035 once until there is room).
 * Without a listener nothing happens.
 */
export interface ErrorEvent {
  /** '' when no connection is concerned. */
  readonly connectionId: string;
  readonly errorCode: number;
  readonly description: string;
}

/** A send may be tried again after 10035 with nothing taken; also behind Connected. */
export interface ReadyToSendEvent {
  readonly connectionId: string;
}

/** SSLAuthenticateClients: what is thought of the client's certificate. */
export interface SSLClientAuthenticationEvent {
  readonly connectionId: string;
  /** PEM; with SSLIncludeCertChain the whole chain. '' without a certificate. */
  readonly certEncoded: string;
  readonly certEncodedB: Uint8Array;
  readonly certSubject: string;
  readonly certIssuer: string;
  /** 'OK', or why the certificate is not good. */
  readonly status: string;
  /** False ends the handshake. Default: whether the certificate is good. */
  accept: boolean;
}

/** Another certificate for this client. Not with sslpPlatform. */
export interface SSLConnectionRequestEvent {
  readonly connectionId: string;
  /** Names of the client's cipher suites, with commas. */
  readonly supportedCipherSuites: string;
  /** Names of the client's signature algorithms (`ecdsa_secp256r1_sha256`), with commas. */
  readonly supportedSignatureAlgs: string;
  /** Default: 0. */
  certStoreType: CertStoreTypes;
  /** Default: '', SSLCert is shown. One that cannot be opened is an Error event, and SSLCert is shown. */
  certStore: string | Uint8Array;
  /** Default: ''. */
  certPassword: string | Uint8Array;
  /** Default: '', which is '*'. */
  certSubject: string | Uint8Array;
}

/** What happens in a handshake, in words; with LogSSLPackets a line for each record. */
export interface SSLStatusEvent {
  readonly connectionId: string;
  readonly message: string;
}

/**
 * Listeners of ConnectionRequest, SSLConnectionRequest and SSLClientAuthentication may return a promise: only that
 * connection waits for it, as long as DefaultConnectionTimeout says, or 30 seconds; then it is refused.
 */
export interface SSLServerEvents {
  Connected: [event: ConnectedEvent];
  ConnectionRequest: [event: ConnectionRequestEvent];
  DataIn: [event: DataInEvent];
  Disconnected: [event: DisconnectedEvent];
  Error: [event: ErrorEvent];
  ReadyToSend: [event: ReadyToSendEvent];
  SSLClientAuthentication: [event: SSLClientAuthenticationEvent];
  SSLConnectionRequest: [event: SSLConnectionRequestEvent];
  SSLStatus: [event: SSLStatusEvent];
}

/**
 * Settings of {@link SSLServer.config}, all of them text: `True` or `False`, whole numbers (also with 0x), lists. One that is
 * changed while the server listens holds for connections to come; one that TLS cannot use is then refused and stays.
 * No effect, but stored: OpenSSLPrngSeedData, SSLAcceptAnyServerCert, SSLServerCACerts, TLS13KeyShareGroups,
 * MaskSensitiveData, UseInternalSecurityAPI, and what SSLSecurityFlags has for Windows, revocation and servers' names.
 */
export interface SSLServerSettings {
  /**
   * Addresses, patterns of them with `*`, and hosts, whose addresses are looked up once, with commas. Others are refused.
   * A host that nobody knows is Error 11001. Default: `*`.
   */
  AllowedClients: string;
  /** False: others may bind the port too (SO_REUSEPORT). Default: `True`. */
  BindExclusively: string;
  /** The same form; whoever matches is refused. Default: ``. */
  BlockedClients: string;
  /** Seconds of a client's silence in the handshake; 0: none. A handshake takes at most 120 s or this. Default: `0`. */
  DefaultConnectionTimeout: string;
  /** Bytes, SO_RCVBUF. Default: `0`, the system's. */
  InBufferSize: string;
  /** Milliseconds between probes of KeepAlive. Default: `1000`. */
  KeepAliveInterval: string;
  /** Milliseconds of silence before the first probe. Default: `7200000`. */
  KeepAliveTime: string;
  /** Clients at a time, 1 to 100000; one more is refused, with Error 10024. Error 108 while listening. Default: `1000`. */
  MaxConnections: string;
  /** Bytes, SO_SNDBUF; also what may wait for a client, 64 KiB at least. Default: `0`, the system's. */
  OutBufferSize: string;
  /** `True` sends small segments at once; `False` has Nagle's algorithm wait for the acknowledgement. Default: `False`. */
  TcpNoDelay: string;
  /** `0` IPv4, `1` IPv6, `2` both. Default: `0`. */
  UseIPv6: string;

  /** SSLStatus tells of each record. Default: `False`. */
  LogSSLPackets: string;
  /** Directory of authorities whose clients are trusted, with hashed names. Default: ``. */
  OpenSSLCADir: string;
  /** PEM file of the same. Default: ``. */
  OpenSSLCAFile: string;
  /** OpenSSL's list for TLS 1.2 and older, in place of SSLEnabledCipherSuites and SSLCipherStrength. Default: `DEFAULT`. */
  OpenSSLCipherList: string;
  /** No effect: the system's randomness is used. Default: ``. */
  OpenSSLPrngSeedData: string;
  /** Sessions are resumed: tickets. Default: `False`. */
  ReuseSSLSession: string;
  /** No effect on servers. Default: `False`. */
  SSLAcceptAnyServerCert: string;
  /** PEM: sent behind SSLCert, and trusted for clients. Default: ``. */
  SSLCACerts: string;
  /** Least bits of a cipher; none left is error 270. Default: `0`. */
  SSLCipherStrength: string;
  /** PEM of authorities whose clients are trusted, beside the system's. Default: ``. */
  SSLClientCACerts: string;
  /**
   * `*`, or names with semicolons: `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`, or Schannel's `CALG_AES_256`. Names that
   * OpenSSL cannot have (static Diffie-Hellman, DES, RC4, anonymous) are error 270. Default: `*`.
   */
  SSLEnabledCipherSuites: string;
  /** Sum of 192 (TLS 1.0), 768 (1.1), 3072 (1.2), 12288 (1.3). 48 (SSL 3) and 12 (SSL 2) enable nothing. Default: `3072`. */
  SSLEnabledProtocols: string;
  /** A client may renegotiate TLS 1.2, three times in ten minutes. Default: `False`. */
  SSLEnableRenegotiation: string;
  /** SSLClientAuthentication has the whole chain. Default: `False`. */
  SSLIncludeCertChain: string;
  /** File to which the secrets of connections are appended, as NSS writes them. Default: ``. */
  SSLKeyLogFile: string;
  /** What is overlooked in clients' certificates: 0x1 validity, 0x10 unknown authority, 0x20 usage. Default: `0`. */
  SSLSecurityFlags: string;
  /** No effect on servers. Default: ``. */
  SSLServerCACerts: string;
  /** `sha256-ecdsa` and the like, with commas; empty: all. Default: SHA-1 to SHA-512 with ecdsa, rsa and dsa. */
  TLS12SignatureAlgorithms: string;
  /** Default: `ecdhe_secp256r1,ecdhe_secp384r1,ecdhe_secp521r1`. */
  TLS12SupportedGroups: string;
  /** No effect on servers. Default: `ecdhe_x25519,ecdhe_secp256r1,ecdhe_secp384r1,ffdhe_2048,ffdhe_3072`. */
  TLS13KeyShareGroups: string;
  /** `rsa_pss_sha256`, `ed25519` and the like, with commas. Default: all eleven. */
  TLS13SignatureAlgorithms: string;
  /** `ecdhe_x25519`, `ffdhe_2048` and the like, with commas. Default: all ten. */
  TLS13SupportedGroups: string;

  /** Version of this package and of OpenSSL; read only. */
  BuildInfo: string;
  /** Code page of DataIn's text, sendText() and sendLine(); 10022 for one that is not supported. Default: `65001`, UTF-8. */
  CodePage: string;
  /** There is no key: read only. */
  LicenseInfo: string;
  /** WSServer's Log hides Authorization and Cookie. SSLServer logs nothing. Default: `True`. */
  MaskSensitiveData: string;
  /** Milliseconds that doEvents() waits at most. Default: `20`. */
  SelectWaitMillis: string;
  /** No effect. Default: `False`. */
  UseInternalSecurityAPI: string;

  /** Of a client, read as `SSLNegotiatedCipher[connectionId]`: OpenSSL's name of the suite. */
  SSLNegotiatedCipher: string;
  /** Bits. */
  SSLNegotiatedCipherStrength: string;
  /** IANA's name. */
  SSLNegotiatedCipherSuite: string;
  /** `ecdhe_x25519`, `RSA`, `DHE`, ... */
  SSLNegotiatedKeyExchange: string;
  /** Bits. */
  SSLNegotiatedKeyExchangeStrength: string;
  /** `TLSv1.2`, ... */
  SSLNegotiatedVersion: string;
}

/** What both servers have. */
declare abstract class SocketServer extends EventEmitter {
  constructor();

  /** Connections that the system holds until they are accepted; bursts need more. Default: 5. */
  getConnectionBacklog(): number;
  setConnectionBacklog(value: number): void;
  connectionBacklog: number;

  /** Timeout of connections to come, seconds. Default: 0. */
  getDefaultTimeout(): number;
  setDefaultTimeout(value: number): void;
  defaultTimeout: number;

  /**
   * Address or name to bind; '': all. While listening the address that is bound.
   * Default: ''.
   * @throws IPWorksSSLError 107 while listening
   */
  getLocalHost(): string;
  setLocalHost(value: string): void;
  localHost: string;

  /**
   * 0 to 65535; 0: a free one, which is read here once the server listens. Default: 0.
   * @throws IPWorksSSLError 106 while listening
   */
  getLocalPort(): number;
  setLocalPort(value: number): void;
  localPort: number;

  /** Clients are asked for a certificate: see SSLClientAuthentication. Default: false. */
  isSSLAuthenticateClients(): boolean;
  setSSLAuthenticateClients(value: boolean): void;
  sslAuthenticateClients: boolean;

  /** Certificate and private key of connections to come. Default: an empty Certificate. */
  getSSLCert(): Certificate;
  setSSLCert(value: Certificate): void;
  sslCert: Certificate;

  /**
   * Sets a setting (`NAME=VALUE`) or reads it (`NAME`, `NAME[connectionId]`); names in any case. See {@link SSLServerSettings} and
   * {@link WSServerSettings}.
   * @returns what is stored now
   * @throws IPWorksSSLError 10022 for a name or value that is none, 108, 126, 270, 271, 273, 274
   */
  config(configurationString: string): Promise<string>;

  /** Resolves when an event came, or after SelectWaitMillis. Events come without it. */
  doEvents(): Promise<void>;

  /** Stops a file or send that is under way: it rejects with 10004. The connection stays. */
  interrupt(connectionId: string): Promise<void>;

  /** No DataIn, and the socket is not read, until processData(). */
  pauseData(connectionId: string): Promise<void>;
  processData(connectionId: string): Promise<void>;

  /** Ends everything, and sets all properties and settings to their defaults. */
  reset(): Promise<void>;

  /** Stops listening and ends every connection; resolves when all are gone. */
  shutdown(): Promise<void>;

  /**
   * Binds and listens.
   * @throws IPWorksSSLError 104 when it listens already, 282 without a certificate that has a private key, 270 for settings that
   *   leave no TLS, 10048 for a port that is taken, 10013, 10047, 10049, 11001, ...
   */
  startListening(): Promise<void>;

  /** The port is free afterwards; connections stay. */
  stopListening(): Promise<void>;
}

/**
 * A server of clients over TLS. Every getX(), isX() and setX() is a property too (`server.localPort = 8443`); setters throw
 * {@link IPWorksSSLError} 10022 for a value that cannot be used. Methods return promises, which reject with such an error; 126
 * for an identifier of no client.
 */
export class SSLServer extends SocketServer {
  /** The clients that are connected. */
  getConnections(): ConnectionMap;
  readonly connections: ConnectionMap;

  /** EOL of connections to come; empty: data is given as it comes. Default: empty. */
  getDefaultEOL(): Uint8Array;
  setDefaultEOL(value: Bytes): void;
  get defaultEOL(): Uint8Array;
  set defaultEOL(value: Bytes);

  /** IdleTimeout of connections to come, seconds. Default: 0. */
  getDefaultIdleTimeout(): number;
  setDefaultIdleTimeout(value: number): void;
  defaultIdleTimeout: number;

  /** MaxLineLength of connections to come, bytes, from 256 on. Default: 2048. */
  getDefaultMaxLineLength(): number;
  setDefaultMaxLineLength(value: number): void;
  defaultMaxLineLength: number;

  /** SingleLineMode of connections to come. Default: false. */
  isDefaultSingleLineMode(): boolean;
  setDefaultSingleLineMode(value: boolean): void;
  defaultSingleLineMode: boolean;

  /** TCP probes silent clients, of connections to come. Default: false. */
  isKeepAlive(): boolean;
  setKeepAlive(value: boolean): void;
  keepAlive: boolean;

  /** True: what was sent leaves before a connection ends. False: it is reset. Of connections to come. Default: true. */
  isLinger(): boolean;
  setLinger(value: boolean): void;
  linger: boolean;

  /** Default: false. */
  isListening(): boolean;
  readonly listening: boolean;

  /**
   * Default: 0, sslpAutomatic.
   * @throws IPWorksSSLError 270 while listening
   */
  getSSLProvider(): SSLServerSSLProviders;
  setSSLProvider(value: SSLServerSSLProviders): void;
  sslProvider: SSLServerSSLProviders;

  /**
   * DataIn has exactly so many bytes from the next byte on; 0: off.
   * @throws IPWorksSSLError 10022 for a negative number, 126
   */
  changeRecordLength(connectionId: string, recordLength: number): Promise<void>;

  /** Ends a connection, as Linger says. Disconnected follows. */
  disconnect(connectionId: string): Promise<void>;

  /**
   * Sends bytes. See {@link Connection.getTimeout}. A failure that nobody looks at is an Error event.
   * @throws IPWorksSSLError 10035 when not all, or nothing, was taken (see BytesSent); 10060, 10004, 10054, 126
   */
  send(connectionId: string, text: Bytes): Promise<void>;
  /** The same. */
  sendBytes(connectionId: string, data: Bytes): Promise<void>;

  /**
   * Sends a file, read in blocks on a thread; later sends follow it. `onProgress` is told the bytes that were sent, and all.
   * @throws IPWorksSSLError 10004 after interrupt(), the system's number for a file that cannot be read, 10054, 126
   */
  sendFile(
    connectionId: string, fileName: string, onProgress?: (sent: number, total: number) => void): Promise<void>;

  /** Sends text in the code page, and CRLF. Errors as send(). */
  sendLine(connectionId: string, text: string): Promise<void>;
  /** Sends text in the code page. Errors as send(). */
  sendText(connectionId: string, text: string): Promise<void>;

  on<Name extends keyof SSLServerEvents>(name: Name, listener: (...args: SSLServerEvents[Name]) => unknown): this;
  on(name: string | symbol, listener: (...args: any[]) => void): this;
  once<Name extends keyof SSLServerEvents>(name: Name, listener: (...args: SSLServerEvents[Name]) => unknown): this;
  once(name: string | symbol, listener: (...args: any[]) => void): this;

  /** shutdown(), by `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The opening request of a client. What is not changed accepts it. */
export interface WebSocketOpenRequestEvent {
  readonly connectionId: string;
  readonly requestURI: string;
  readonly hostHeader: string;
  /** '' without an Origin field; browsers send one. */
  readonly originHeader: string;
  /** The Sec-WebSocket-Extensions field. */
  readonly extensions: string;
  /** Header fields, with CRLF between them. */
  readonly requestHeaders: string;
  /**
   * What the client offers, with commas; to be set to the chosen one, or '' for none. Untouched: the first. One that was
   * not offered is an Error event (10022), and none is chosen. Default: the offered list.
   */
  subProtocols: string;
  /** 101 accepts; any HTTP status from 200 to 599 rejects. Another one is answered 500, with an Error event. Default: 101. */
  statusCode: number;
  /** More header fields of the response, with CRLF between them; what would inject others is answered 500. Default: ''. */
  responseHeaders: string;
}

/** A message, a part of one as it arrives, or a line. */
export interface WSDataInEvent {
  readonly connectionId: string;
  /** 1: text. 2: bytes. 0: a further part of a message; in LineMode always. */
  readonly dataFormat: 0 | 1 | 2;
  /** Text as it is, never torn within a character; bytes in the code page. Decoded when it is asked for. */
  readonly text: string;
  readonly textB: Uint8Array;
  /** The message ends here. */
  readonly EOM: boolean;
  /** LineMode: a line's end was there. False: MaxLineLength was reached, or the client has ended; without LineMode always. */
  readonly EOL: boolean;
}

/** What happened to a client, in words, up to LogLevel. */
export interface LogEvent {
  readonly connectionId: string;
  readonly logLevel: 1 | 2 | 3;
  readonly message: string;
  readonly logType: 'Info' | 'Error' | 'Verbose' | 'Debug';
}

/** A ping, which is answered already, or a pong. */
export interface PingEvent {
  readonly connectionId: string;
  readonly payload: string;
  readonly payloadB: Uint8Array;
  /** True: a pong. */
  readonly response: boolean;
}

/**
 * Listeners of ConnectionRequest, SSLConnectionRequest, SSLClientAuthentication and WebSocketOpenRequest may return a promise,
 * as those of {@link SSLServerEvents}.
 */
export interface WSServerEvents {
  /** The WebSocket is open; statusCode is 0. */
  Connected: [event: ConnectedEvent];
  ConnectionRequest: [event: ConnectionRequestEvent];
  DataIn: [event: WSDataInEvent];
  /** statusCode is the Close frame's code: 1000, ...; 1005 without one in it, 1006 without a Close frame. */
  Disconnected: [event: DisconnectedEvent];
  /** A handshake or opening request that failed (276, ...); a client that broke the protocol (1002, 1007, 1008, 1009). */
  Error: [event: ErrorEvent];
  Log: [event: LogEvent];
  Ping: [event: PingEvent];
  ReadyToSend: [event: ReadyToSendEvent];
  SSLClientAuthentication: [event: SSLClientAuthenticationEvent];
  SSLConnectionRequest: [event: SSLConnectionRequestEvent];
  SSLStatus: [event: SSLStatusEvent];
  WebSocketOpenRequest: [event: WebSocketOpenRequestEvent];
}

/** Settings of {@link WSServer.config} beside those of {@link SSLServerSettings}. */
export interface WSServerSettings extends SSLServerSettings {
  /** Messages are put together; else their parts come as they arrive. A message has 16 MiB at most (1009). Default: `False`. */
  BufferMessage: string;
  /** Code of disconnect() and shutdown(): 1000 to 1003, 1007 to 1014, 3000 to 4999. Default: `1000`. */
  DisconnectStatusCode: string;
  /** Text of the same, 123 bytes of UTF-8 at most. Default: ``. */
  DisconnectStatusDescription: string;
  /** permessage-deflate for clients that offer it, from messages of 1 KiB on. Default: `True`. */
  EnablePermessageDeflate: string;
  /**
   * Bytes. With a Timeout longer messages leave in frames of this size; with Timeout 0 they leave as several messages, as
   * documented. Default: `16384`.
   */
  MaxFrameSize: string;
  /** Bytes of a line in LineMode; of a client, `MaxLineLength[connectionId]`. Default: `2048`. */
  MaxLineLength: string;
  /** Of a client, `MessageLength[connectionId]`: the next so many bytes of sends without a Timeout are one message. Default: `0`. */
  MessageLength: string;
  /** False: a connection that we close ends without waiting for the client's Close frame. Default: `True`. */
  WaitForCloseResponse: string;
  /** 0 to 3: see {@link LogEvent}. Default: `1`. */
  LogLevel: string;
  /** Probes until a silent client is given up, where the system has the option. Default: `0`, the system's. */
  KeepAliveRetryCount: string;
  /** Paths with semicolons; the first file that is there has the authorities of clients. Default: the system's. */
  SSLCACertFilePaths: string;
  /** False: ws://. Error 104 while listening. Default: `True`. */
  UseSSL: string;
  /** `ConnectionUID[index]`: the ConnectionId of a client; read only. */
  ConnectionUID: string;
  /** Another name of MaskSensitiveData: Authorization and Cookie fields are masked in Log. Default: `True`. */
  MaskSensitive: string;
  /** No effect: the threads read connections in turn. Default: `50`. */
  MaxReadTime: string;
  /** No effect: Node's event loop always runs. Default: `True`. */
  ProcessIdleEvents: string;
  /** About servers' certificates, of which there are none; `2` is an Error event (10045). Default: `0`. */
  SSLCheckCRL: string;
  /** The same. Default: `0`. */
  SSLCheckOCSP: string;
  /** `True` is error 10045: there is no FIPS mode. Default: `False`. */
  UseFIPSCompliantAPI: string;
  /** No effect. `True` sets UseWindowsMessages to `False`. Default: `False`. */
  UseIOCP: string;
  /** No effect. Default: `False`. */
  UseWindowsMessages: string;
}

/**
 * A server of WebSockets (RFC 6455, with permessage-deflate), over TLS and without. Properties, errors and methods as those of
 * {@link SSLServer}.
 */
export class WSServer extends SocketServer {
  /** The clients whose WebSocket is open. */
  getConnections(): ConnectionMap<WSConnection>;
  readonly connections: ConnectionMap<WSConnection>;
  getWSConnections(): ConnectionMap<WSConnection>;
  readonly wsConnections: ConnectionMap<WSConnection>;
  getWSConnectionCount(): number;
  readonly wsConnectionCount: number;

  /** Setting it calls startListening() or stopListening(); what fails is an Error event. Default: false. */
  isListening(): boolean;
  setListening(value: boolean): void;
  listening: boolean;

  /** SSLCert by its parts, see {@link Certificate}. Setting the subject or the certificate selects. Default: ''. */
  getSSLCertEncoded(): string;
  setSSLCertEncoded(value: string | Uint8Array): void;
  get sslCertEncoded(): string;
  set sslCertEncoded(value: string | Uint8Array);
  /** Default: 'MY'. */
  getSSLCertStore(): string;
  setSSLCertStore(value: string | Uint8Array): void;
  get sslCertStore(): string;
  set sslCertStore(value: string | Uint8Array);
  /** Default: ''. */
  getSSLCertStorePassword(): string;
  setSSLCertStorePassword(value: string | Uint8Array): void;
  get sslCertStorePassword(): string;
  set sslCertStorePassword(value: string | Uint8Array);
  /** Default: 0, cstUser. */
  getSSLCertStoreType(): CertStoreTypes;
  setSSLCertStoreType(value: CertStoreTypes): void;
  sslCertStoreType: CertStoreTypes;
  /** Default: ''. */
  getSSLCertSubject(): string;
  setSSLCertSubject(value: string): void;
  sslCertSubject: string;

  /**
   * False: ws:// instead of wss://. Default: true.
   * @throws IPWorksSSLError 104 while listening
   */
  isUseSSL(): boolean;
  setUseSSL(value: boolean): void;
  useSSL: boolean;

  /**
   * Sends one message to many clients: it is encoded once. Who is gone, has more waiting than a send could add to, or is
   * within a message of MessageLength is passed over.
   * @param data text, or bytes
   * @param connectionIds all clients when left out
   * @returns how many clients it goes to
   */
  broadcast(data: Bytes, connectionIds?: Iterable<string>): Promise<number>;

  /** DataIn comes for lines (CR, LF or CRLF), whatever the messages are; or for messages again. */
  changeLineMode(connectionId: string, lineMode: boolean): Promise<void>;

  /** Sends a Close frame with DisconnectStatusCode, and ends the connection. Disconnected follows. */
  disconnect(connectionId: string): Promise<void>;

  /**
   * Sends a ping. With a Timeout it waits for the pong; without one it resolves at once.
   * @throws IPWorksSSLError 10060 without a pong, 10055 when 64 pings wait, 4202 when the client goes, 126
   */
  ping(connectionId: string): Promise<void>;

  /**
   * Sends data as DataFormat says.
   * @throws IPWorksSSLError 10035 when not all, or nothing, was taken (see BytesSent); 10060, 10004, 10040 for a ping or pong of
   *   more than 125 bytes, 10055 when 128 KiB of them wait, 4202 for a client that is leaving, 126
   */
  send(connectionId: string, data: Bytes): Promise<void>;
  /** Sends bytes. Errors as send(). */
  sendBytes(connectionId: string, data: Bytes): Promise<void>;
  /** Sends text. Errors as send(). */
  sendText(connectionId: string, text: string): Promise<void>;

  /** Sends a file as one binary message; otherwise as {@link SSLServer.sendFile}. */
  sendFile(
    connectionId: string, fileName: string, onProgress?: (sent: number, total: number) => void): Promise<void>;

  on<Name extends keyof WSServerEvents>(name: Name, listener: (...args: WSServerEvents[Name]) => unknown): this;
  on(name: string | symbol, listener: (...args: any[]) => void): this;
  once<Name extends keyof WSServerEvents>(name: Name, listener: (...args: WSServerEvents[Name]) => unknown): this;
  once(name: string | symbol, listener: (...args: any[]) => void): this;

  // Properties of a WSConnection by ConnectionId, as editions without objects have them.
  getWSConnectionAcceptData(connectionId: string): boolean;
  setWSConnectionAcceptData(connectionId: string, value: boolean): void;
  getWSConnectionBytesSent(connectionId: string): number;
  getWSConnectionConnected(connectionId: string): boolean;
  setWSConnectionConnected(connectionId: string, value: boolean): void;
  getWSConnectionConnectionId(connectionId: string): string;
  getWSConnectionDataFormat(connectionId: string): WebSocketDataFormats;
  setWSConnectionDataFormat(connectionId: string, value: WebSocketDataFormats): void;
  getWSConnectionHost(connectionId: string): string;
  getWSConnectionLineMode(connectionId: string): boolean;
  getWSConnectionLocalAddress(connectionId: string): string;
  getWSConnectionOrigin(connectionId: string): string;
  getWSConnectionReadyToSend(connectionId: string): boolean;
  getWSConnectionRemoteHost(connectionId: string): string;
  getWSConnectionRemotePort(connectionId: string): number;
  getWSConnectionRequestHeaders(connectionId: string): string;
  getWSConnectionRequestURI(connectionId: string): string;
  getWSConnectionSubProtocols(connectionId: string): string;
  getWSConnectionTimeout(connectionId: string): number;
  setWSConnectionTimeout(connectionId: string, value: number): void;
  setWSConnectionDataToSend(connectionId: string, value: Bytes): void;
}

/** The names that the commercial JavaScript edition gives the classes: `new ipworksssl.sslserver()`. */
export const sslserver: typeof SSLServer;
export type sslserver = SSLServer;
export const wsserver: typeof WSServer;
export type wsserver = WSServer;

// What is not marked is not there.
export {};
