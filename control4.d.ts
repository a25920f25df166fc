/// <reference types="node" />

/**
 * Control4's server sockets, as DriverWorks documents them for Lua drivers: `CreateServer`, `CreateTLSServer` and their
 * callbacks. Accepting, TLS and the search for delimiters run on threads; a callback gets whole messages.
 *
 * Two values of Lua are an array here: `[true]` or `[false, message]`. The functions of a driver never throw.
 */

import { EventEmitter } from 'node:events';

/** What a call answers: `[true]`, or `[false, message]` with the reason in words. Secrets are never in it. */
export type Result = [ok: true] | [ok: false, message: string];

export type Status = 'ONLINE' | 'OFFLINE';

/** Bytes: a string is encoded in {@link DriverOptions.encoding}, or in UTF-8 when that is not set. */
export type Bytes = string | NodeJS.ArrayBufferView;

/**
 * What peers may occupy, and for how long. Where a limit takes effect there is an event 'limit', but for the times.
 *
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`; `ERR_INVALID_ARG_VALUE` for a name that is none of these
 */
export interface Limits {
  /** Connections of a server, in the handshake included; one more is closed at once. Default: 0, no limit. */
  maxConnections?: number | undefined;
  /**
   * Bytes that may wait for a client that does not read, from 1 on; more close its connection. A payload that nothing
   * waits before may be larger. Default: 16 MiB.
   */
  maxPendingSend?: number | undefined;
  /** Bytes of a message whose delimiter has not come, from 1 on; more close the connection. Default: 1 MiB. */
  maxDelimiterBuffer?: number | undefined;
  /**
   * Peers of a UDP server that have a handle, 1 to 1,048,576. A new one takes the place of the one that was silent for
   * longest, whose handle is void then. Default: 1024.
   */
  maxUdpPeers?: number | undefined;
  /** Milliseconds after which the handle of a silent UDP peer is void, 1 to a day. Default: 300,000. */
  udpPeerIdleMs?: number | undefined;
  /** Milliseconds that a closing connection waits for a client that takes nothing, 1 to a day. Default: 10,000. */
  closeTimeoutMs?: number | undefined;
  /** Milliseconds for a TLS handshake, 1 to 120,000. Default: 30,000. */
  handshakeTimeoutMs?: number | undefined;
}

export interface DriverOptions {
  /** Where the paths of certificates and keys begin. Default: the current directory. */
  c4zDir?: string | undefined;
  /** Where they are looked for when they are not in {@link c4zDir}. Default: none. */
  sandboxDir?: string | undefined;
  /** Callbacks get strings, not Buffers, and strings that are sent are encoded so. Default: Buffers, and UTF-8. */
  encoding?: 'latin1' | 'utf8' | undefined;
  limits?: Limits | undefined;
  /** Milliseconds after which bytes without a delimiter are delivered, 0 to a day. Default: 0, at the connection's end. */
  delimiterTimeoutMs?: number | undefined;
  /** As on a controller, a taken port is `[true]`, and no ONLINE follows. Default: false, `[false, message]`. */
  directorQuirks?: boolean | undefined;
}

/** Where a connection or a failure belongs. */
export interface Place {
  /** Of the server. */
  port: number;
  /** Of the client. */
  address: string;
  identifier: any;
}

/** A limit that took effect. `handle` is there when one connection or peer is concerned. */
export interface LimitReached extends Place {
  name: 'maxConnections' | 'maxPendingSend' | 'maxDelimiterBuffer' | 'maxUdpPeers';
  value: number;
  handle?: number;
}

/** The events of a driver. The callbacks are events too, of the same names and arguments. */
export interface DriverEvents<Data = Buffer> {
  OnServerStatusChanged: [port: number, status: Status, identifier: any];
  OnServerConnectionStatusChanged: [handle: number, port: number, status: Status, address: string, identifier: any];
  OnServerDataIn: [handle: number, data: Data, address: string, port: number, identifier: any];
  /** A limit took effect. */
  limit: [reached: LimitReached];
  /** A client failed in its TLS handshake; there was no connection. `error` has the codes of tls.Server's tlsClientError. */
  handshakeError: [error: Error, place: Place];
  /** A connection broke: ECONNRESET, a damaged record, ... OFFLINE follows. */
  connectionError: [error: Error, place: Place & { handle: number }];
  /** A callback or listener threw, or its promise was rejected. Without a listener it is a process warning. */
  callbackError: [error: unknown, callback: string];
}

/**
 * The servers of one driver. Drivers know nothing of each other's servers and handles.
 *
 * `Data` is what OnServerDataIn gets: string when `encoding` is set, else Buffer.
 */
export class Driver<Data extends Buffer | string = Buffer> extends EventEmitter {
  /** @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE` for options that cannot be used */
  constructor(options?: DriverOptions);

  /** A server is bound, or is no more. `port` is the one it has got. Never before CreateServer has returned. */
  OnServerStatusChanged: ((port: number, status: Status, identifier: any) => unknown) | null | undefined;
  /** A connection was accepted (TLS: its handshake is done), or has ended; OFFLINE once, after all its data. */
  OnServerConnectionStatusChanged:
    ((handle: number, port: number, status: Status, address: string, identifier: any) => unknown) | null | undefined;
  /** A message with its delimiter, or what came. `port` is the client's. */
  OnServerDataIn:
    ((handle: number, data: Data, address: string, port: number, identifier: any) => unknown) | null | undefined;

  /**
   * Listens for TCP, or UDP, on all addresses.
   *
   * @param port 0 to 65535, as number or text; 0: a free one, told by OnServerStatusChanged
   * @param delimiter ends a message, and is delivered with it. Empty: bytes are delivered as they come. UDP: not used
   * @param useUDP default: false
   * @param identifier passed to the callbacks as it is
   */
  CreateServer(
    port: number | string, delimiter?: Bytes | null, useUDP?: boolean | null, identifier?: any): Result;

  /**
   * Listens for TLS over TCP. Missing arguments are empty, and numbers may be text.
   *
   * @param options Control4's bits: 0x01 workarounds; 0x02 no compression, 0x04 no SSL 2, 0x08 no SSL 3 (never there);
   *   0x10 no TLS 1.0, 0x20 no TLS 1.1, 0x40 no TLS 1.2, 0x80 no TLS 1.3. 0: 0x3D. With TLS 1.0 or 1.1 the security level
   *   is 0 unless cipherList names one
   * @param verifyMode Control4's bits: 1 none; 2 ask the client for a certificate, and check it; 4 refuse a client without
   *   one; 8 ask once only, as is always done. 0: 0x0A
   * @param cipherList OpenSSL's, for TLS 1.2 and older. '': 'HIGH:!EXPORT:!DES:!RC4:!3DES:!MD5:!PSK'. The first that the
   *   client has too is taken, whatever it would rather have; so it is with TLS 1.3's own. Suites without authentication or
   *   encryption are never negotiated
   * @param certificate PEM, or the path of a PEM or PKCS#12 file in {@link DriverOptions.c4zDir} or
   *   {@link DriverOptions.sandboxDir}; 'C4Z:/' and 'SANDBOX:/' choose one of them
   * @param privateKey PEM, or the path of a PEM file; not used with PKCS#12
   * @param password of the key or the PKCS#12 file. A Buffer is the caller's to wipe
   * @param chain PEM, or the path of a PEM file: sent behind the certificate, and trusted for clients' certificates
   *   (nothing else is). Default: what the PKCS#12 file has
   */
  CreateTLSServer(
    port: number | string, delimiter?: Bytes | null, options?: number | string | null,
    verifyMode?: number | string | null, cipherList?: string | null, certificate?: Bytes | null,
    privateKey?: Bytes | null, password?: Bytes | null, chain?: Bytes | null, identifier?: any): Result;

  /**
   * Stops listening at once, so that the port is free; what was sent to its connections is still delivered, and their
   * handles are void. OFFLINE of the connections follows, then OFFLINE of the server.
   *
   * @param port 0: every server that was created with 0. Missing: every server of this driver. Unknown: nothing
   */
  DestroyServer(port?: number | string | null): void;

  /**
   * Sends to a connection or UDP peer, behind what was sent before. Numbers are sent as text. A number as third argument
   * is ignored.
   *
   * @returns false: the handle is void, the payload is no bytes, or {@link Limits.maxPendingSend} closed the connection
   */
  ServerSend(handle: number | string, payload: Bytes | number, length?: number): boolean;
  /** Sends a datagram to an IP address, from this driver's UDP server at the same port, or from its oldest. */
  ServerSend(port: number | string, payload: Bytes | number, address: string): boolean;

  /** Closes a connection once everything that was sent is delivered; what still comes is dropped. Void handles: nothing. */
  ServerCloseClient(handle: number | string): void;

  /** Lets the process end although servers listen and connections are open. */
  unref(): this;
  /** Undoes {@link unref}. */
  ref(): this;
  /** Destroys all servers; resolves when their connections are closed. */
  close(): Promise<void>;

  /** close(), by `await using`; where the running Node has `Symbol.asyncDispose`. */
  [Symbol.asyncDispose](): Promise<void>;

  on<K extends keyof DriverEvents<Data>>(event: K, listener: (...args: DriverEvents<Data>[K]) => void): this;
  on(event: string | symbol, listener: (...args: any[]) => void): this;
  once<K extends keyof DriverEvents<Data>>(event: K, listener: (...args: DriverEvents<Data>[K]) => void): this;
  once(event: string | symbol, listener: (...args: any[]) => void): this;
}

/** A driver context for programs that need one only: Buffers, files in the directory that was current when it was made. */
export const C4: Driver;
