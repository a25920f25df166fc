/// <reference types="node" />

/**
 * IoT.js's `tls` module. Differences from `c4tls` itself: clients do not verify the server unless
 * `rejectUnauthorized: true` is given; the port is 443 by default; `port` and `host` in the options beat the positional
 * ones; a stream that ends without close_notify is an error; `getProtocol()` is 'unknown' before the handshake is done
 * and null for sockets of a server.
 */

import * as net from 'node:net';
import * as stream from 'node:stream';
import * as c4tls from './index.js';

export interface ConnectionOptions extends c4tls.ConnectionOptions {
  /** Default: 443. */
  port?: number | undefined;
  /** Default: false. The connection is then open to anybody in between: set it to true wherever you can. */
  rejectUnauthorized?: boolean | undefined;
}

export interface SecureContextOptions {
  /** Trusted certificates, PEM. Default: none. */
  ca?: string | Buffer | undefined;
  /** Certificate chain, PEM. */
  cert?: string | Buffer | undefined;
  /** Private key, PEM; needs `cert`. */
  key?: string | Buffer | undefined;
}

export interface TlsOptions extends c4tls.TlsOptions {
  secureContext?: c4tls.SecureContext | undefined;
}

export interface TLSSocketOptions {
  /** Default: false. */
  isServer?: boolean | undefined;
  secureContext?: c4tls.SecureContext | undefined;
}

export class TLSSocket extends c4tls.TLSSocket {
  constructor(socket: net.Socket | stream.Duplex, options?: TLSSocketOptions);
}

export class Server extends c4tls.Server {}

export function createServer(secureConnectionListener?: (socket: TLSSocket) => void): Server;
export function createServer(options: TlsOptions, secureConnectionListener?: (socket: TLSSocket) => void): Server;
/** @throws when a present key, cert or ca is no string or Buffer, and for a key without a cert. */
export function createSecureContext(options?: SecureContextOptions): c4tls.SecureContext;
export function connect(options: ConnectionOptions, callback?: () => void): TLSSocket;
export function connect(
  port: number, host?: string, options?: ConnectionOptions, callback?: () => void): TLSSocket;
export function connect(port: number, options?: ConnectionOptions, callback?: () => void): TLSSocket;
export function connect(port: number, host: string, callback?: () => void): TLSSocket;
export function connect(port: number, callback?: () => void): TLSSocket;
