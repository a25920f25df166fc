/// <reference types="node" />

/** The clients of SSLServer and WSServer. */

import type { DataInEvent, WSDataInEvent } from './events.js';

/** Bytes: a string is UTF-8. */
export type Bytes = string | NodeJS.ArrayBufferView | ArrayBuffer;

/** SSLProvider's values. */
export declare const SSLServerSSLProviders: {
  /** OpenSSL, as sslpInternal. */
  readonly sslpAutomatic: 0;
  /** The operating system's TLS: it has a certificate and a range of versions, and refuses every other TLS setting. */
  readonly sslpPlatform: 1;
  readonly sslpInternal: 2;
};
export type SSLServerSSLProviders = (typeof SSLServerSSLProviders)[keyof typeof SSLServerSSLProviders];

/** What clients of both servers have. */
export declare abstract class Client<DataIn> {
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
export declare class Connection extends Client<DataInEvent> {
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
   * @throws IPWorksSSLError 112 while the beginning of a line waits for its end
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
export declare const WebSocketDataFormats: {
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
export declare class WSConnection extends Client<WSDataInEvent> {
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
export declare class ConnectionMap<Of = Connection> implements Iterable<[connectionId: string, connection: Of]> {
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
