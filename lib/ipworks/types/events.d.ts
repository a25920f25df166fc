/// <reference types="node" />

/** What the listeners of SSLServer and WSServer get. */

import type { CertStoreTypes } from './certificate.js';

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
