/// <reference types="node" />

/**
 * The IPWorks SSL components: `SSLServer` with `Connection`, `WSServer` with `WSConnection`, and `Certificate`. Names, defaults,
 * numbers and texts are those of the documented JavaScript edition. Times are seconds unless another unit is named, up to
 * 2,147,483 of them in properties.
 */

import { EventEmitter } from 'node:events';
import type { CertStoreTypes, Certificate } from './lib/ipworks/types/certificate.js';
import type {
  Bytes, SSLServerSSLProviders, WebSocketDataFormats, WSConnection, ConnectionMap,
} from './lib/ipworks/types/client.js';
import type { SSLServerEvents, WSServerEvents } from './lib/ipworks/types/events.js';

export { CertStoreTypes, IPWorksSSLError, Certificate } from './lib/ipworks/types/certificate.js';
export {
  Bytes, SSLServerSSLProviders, Connection, WebSocketDataFormats, WSConnection, ConnectionMap,
} from './lib/ipworks/types/client.js';
export {
  ConnectedEvent, ConnectionRequestEvent, DataInEvent, DisconnectedEvent, ErrorEvent, ReadyToSendEvent,
  SSLClientAuthenticationEvent, SSLConnectionRequestEvent, SSLStatusEvent, SSLServerEvents,
  WebSocketOpenRequestEvent, WSDataInEvent, LogEvent, PingEvent, WSServerEvents,
} from './lib/ipworks/types/events.js';

/**
 * Settings of {@link SSLServer.config}, all of them text: `True` or `False`, whole numbers (also with 0x), lists. Numbers are
 * 0 to 2,147,483,647 where no other range is named. One that is changed while the server listens holds for connections to
 * come; what TLS cannot use is refused then, and the setting stays as it was.
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
  /**
   * Seconds of a client's silence in the handshake, up to 2,073,600; 0: no limit on silence. The whole handshake takes 120 s at
   * most, or this if it is longer. Default: `0`.
   */
  DefaultConnectionTimeout: string;
  /** Bytes, SO_RCVBUF. Default: `0`, the system's. */
  InBufferSize: string;
  /**
   * Milliseconds between probes of KeepAlive, in whole seconds, rounded up. 0, and what the system does not take (Linux:
   * more than 32,767 s): the system's. Default: `1000`.
   */
  KeepAliveInterval: string;
  /** Milliseconds of silence before the first probe, in the same way. Default: `7200000`. */
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
  /** Least bits of a cipher, up to 65,536; none left is error 270. Default: `0`. */
  SSLCipherStrength: string;
  /** PEM of authorities whose clients are trusted, beside the system's. Default: ``. */
  SSLClientCACerts: string;
  /**
   * `*`, or names with semicolons: `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`, or Schannel's `CALG_AES_256`. Names that
   * OpenSSL cannot have (static Diffie-Hellman, DES, RC4, anonymous) are error 270. Default: `*`.
   */
  SSLEnabledCipherSuites: string;
  /**
   * Sum of 192 (TLS 1.0), 768 (1.1), 3072 (1.2), 12288 (1.3), up to 65,535. 48 (SSL 3) and 12 (SSL 2) enable nothing.
   * Default: `3072`.
   */
  SSLEnabledProtocols: string;
  /** A client may renegotiate TLS 1.2, three times in ten minutes. Default: `False`. */
  SSLEnableRenegotiation: string;
  /** SSLClientAuthentication has the whole chain. Default: `False`. */
  SSLIncludeCertChain: string;
  /** File to which the secrets of connections are appended, as NSS writes them. Default: ``. */
  SSLKeyLogFile: string;
  /**
   * What is overlooked in clients' certificates: 0x1 validity, 0x10 unknown authority, 0x20 usage; 0 to 0xffffffff.
   * Default: `0`.
   */
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

  /** Connections that the system holds until they are accepted, 0 to 2,147,483,647; bursts need more. Default: 5. */
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

  /**
   * Clients are asked for a certificate: see SSLClientAuthentication. Default: false.
   * @throws IPWorksSSLError 270 while listening with sslpPlatform
   */
  isSSLAuthenticateClients(): boolean;
  setSSLAuthenticateClients(value: boolean): void;
  sslAuthenticateClients: boolean;

  /**
   * Certificate and private key of connections to come. Default: an empty Certificate.
   * @throws IPWorksSSLError 10022 for what is no Certificate; while listening 282 for one without a private key, and 273 for one
   *   that TLS cannot show
   */
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
   *   leave no TLS, 271, 273 and 274 for certificates that cannot be used, 10048 for a port that is taken, 10013, 10047, 10049,
   *   11001, ...
   */
  startListening(): Promise<void>;

  /** The port is free afterwards; connections stay. */
  stopListening(): Promise<void>;

  /** shutdown(), by `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
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
   * @throws IPWorksSSLError 10004 after interrupt(), 10060 when a Timeout is over, the system's number for a file that cannot be
   *   read, else 10022; 10054, 126
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
}

/** Settings of {@link WSServer.config} beside those of {@link SSLServerSettings}. */
export interface WSServerSettings extends SSLServerSettings {
  /** Messages are put together; else their parts come as they arrive. Default: `False`. */
  BufferMessage: string;
  /** Code of disconnect() and shutdown(): 1000 to 1003, 1007 to 1014, 3000 to 4999. Default: `1000`. */
  DisconnectStatusCode: string;
  /** Text of the same, 123 bytes of UTF-8 at most. Default: ``. */
  DisconnectStatusDescription: string;
  /** permessage-deflate for clients that offer it, from messages of 1 KiB on. Default: `True`. */
  EnablePermessageDeflate: string;
  /**
   * Bytes, from 1 on. With a Timeout longer messages leave in frames of this size; with Timeout 0 they leave as several
   * messages, as documented. Default: `16384`.
   */
  MaxFrameSize: string;
  /**
   * Bytes of a message that comes, after inflating, and of a frame, from 1 on; beyond it 1009. Not documented. One message may wait in
   * memory for each client where BufferMessage is on. Holds for clients to come. Default: `16777216`.
   */
  MaxMessageSize: string;
  /** Bytes of a line in LineMode, from 1 on; of a client, `MaxLineLength[connectionId]`. Default: `2048`. */
  MaxLineLength: string;
  /**
   * Of a client, `MessageLength[connectionId]`: the next so many bytes of sends without a Timeout are one message; 10037 while
   * such a message is under way. Default: `0`.
   */
  MessageLength: string;
  /** False: a connection that we close ends without waiting for the client's Close frame. Default: `True`. */
  WaitForCloseResponse: string;
  /** 0 to 3: see {@link LogEvent}. Default: `1`. */
  LogLevel: string;
  /**
   * Probes until a silent client is given up, up to 255, where the system has the option. Default: `0`, the system's. There are
   * probes once this, KeepAliveTime or KeepAliveInterval has been set.
   */
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
  /** 0 to 2: about servers' certificates, of which there are none; `2` is an Error event (10045). Default: `0`. */
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
   * @throws IPWorksSSLError 10022 for other data, and for a string in place of connectionIds
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

  /**
   * Sends a file as one binary message; otherwise as {@link SSLServer.sendFile}.
   * @throws IPWorksSSLError as there, with 4202 for 10054; 10037 within a message of MessageLength
   */
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
