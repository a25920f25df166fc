/// <reference types="node" />

/**
 * c4tls: Node's `tls`, with handshakes, encryption and socket work on threads of their own.
 *
 * Everything here has the types, defaults and errors of Node's `tls`; what differs is said at the place.
 */

import { EventEmitter } from 'node:events';
import * as tls from 'node:tls';
import * as net from 'node:net';
import * as stream from 'node:stream';
import { Driver } from './control4.js';
import * as ipworksssl from './ipworks.js';

export {
  CertificateCompressionAlgorithm, CipherNameAndProtocol, Certificate, CommonConnectionOptions, DetailedPeerCertificate,
  EphemeralKeyInfo, KeyObject, PeerCertificate, PSKCallbackNegotation, PxfObject, SecureVersion,
} from 'node:tls';

/** What credentials and settings are made from. */
export interface SecureContextOptions extends tls.SecureContextOptions {
  /**
   * `pfx` may be a file of an old tool, encrypted with RC2-40 or DES. Default: false, such a file is
   * `ERR_CRYPTO_UNSUPPORTED_OPERATION` as in Node.
   */
  legacyPfx?: boolean | undefined;
}

/**
 * Options of {@link connect}: those of `tls.connect`, and those of `socket.connect` that concern the connection.
 *
 * Defaults: `host` 'localhost'; `rejectUnauthorized` true unless `NODE_TLS_REJECT_UNAUTHORIZED` is '0';
 * `minDHSize` 1024 (bits); `highWaterMark` that of the running Node's streams (bytes).
 */
export interface ConnectionOptions extends tls.ConnectionOptions {
  /** Disables Nagle's algorithm as soon as the connection is there. Default: false. */
  noDelay?: boolean | undefined;
  /** Sends TCP keep-alive probes. Default: false. */
  keepAlive?: boolean | undefined;
  /** Milliseconds of silence before the first probe; 0 leaves the system's value. Default: 0. */
  keepAliveInitialDelay?: number | undefined;
  /** `family`, `hints`, `localAddress`, `localPort` and `autoSelectFamily` are those of `net.connect`. */
  family?: number | undefined;
  hints?: number | undefined;
  localAddress?: string | undefined;
  localPort?: number | undefined;
  autoSelectFamily?: boolean | undefined;
  /** Milliseconds for each address but the last. Default: `net.getDefaultAutoSelectFamilyAttemptTimeout()`. */
  autoSelectFamilyAttemptTimeout?: number | undefined;
  allowHalfOpen?: boolean | undefined;
  highWaterMark?: number | undefined;
  signal?: AbortSignal | undefined;
  /** As in {@link SecureContextOptions}. */
  legacyPfx?: boolean | undefined;
}

/**
 * Options of {@link Server}. Defaults: `handshakeTimeout` 120000 ms; `requestCert` false; `rejectUnauthorized` true;
 * `sessionTimeout` 300 s; `ALPNProtocols` none.
 *
 * With `requestCert` and `rejectUnauthorized`, a client without an acceptable certificate is refused inside the
 * handshake with the alert that fits. `tlsClientError` then has Node's code, ECONNRESET, and the reason in its message
 * and as `cause` (with the code `CERT_HAS_EXPIRED`, ...), also `socket.authorizationError`. Node closes such a connection
 * without a word.
 */
export interface TlsOptions extends tls.TlsOptions {
  noDelay?: boolean | undefined;
  keepAlive?: boolean | undefined;
  /** Milliseconds. */
  keepAliveInitialDelay?: number | undefined;
  /** Bytes. */
  highWaterMark?: number | undefined;
  /** As in {@link SecureContextOptions}. */
  legacyPfx?: boolean | undefined;
}

export type TLSSocketOptions = tls.TLSSocketOptions;

/**
 * A TLS connection: `net.Socket` in every respect, over a socket of its own, a `net.Socket`, or any `stream.Duplex`.
 *
 * After a fatal TLS error the alert is sent, 'error' is emitted with the code, and the connection closes. (Node leaves
 * TCP open until the program destroys the socket.)
 */
export class TLSSocket extends tls.TLSSocket {
  constructor(socket?: net.Socket | stream.Duplex | null, options?: TLSSocketOptions);
}

/** A TLS server: `net.Server` in every respect. Its handshakes do not touch the event loop. */
export class Server extends tls.Server {
  constructor(secureConnectionListener?: (socket: TLSSocket) => void);
  constructor(options: TlsOptions, secureConnectionListener?: (socket: TLSSocket) => void);
}

/** What {@link createSecureContext} makes; `context` is the native part. */
export class SecureContext implements tls.SecureContext {
  context: any;
}

/**
 * Starts a server that does not listen yet.
 *
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OSSL_*`, `ERR_SSL_*` for options that cannot be used:
 *   wrong types, unreadable PEM, a key that does not fit, a wrong passphrase, an unknown cipher or curve.
 */
export function createServer(secureConnectionListener?: (socket: TLSSocket) => void): Server;
export function createServer(options: TlsOptions, secureConnectionListener?: (socket: TLSSocket) => void): Server;

/** Checks and keeps credentials and settings for any number of connections. Throws as {@link createServer} does. */
export function createSecureContext(options?: SecureContextOptions): SecureContext;

/** Opens a connection. `secureConnectListener` is added once for 'secureConnect'. */
export function connect(options: ConnectionOptions, secureConnectListener?: () => void): TLSSocket;
export function connect(
  port: number, host?: string, options?: ConnectionOptions, secureConnectListener?: () => void): TLSSocket;
export function connect(port: number, options?: ConnectionOptions, secureConnectListener?: () => void): TLSSocket;
export function connect(port: number, host: string, secureConnectListener?: () => void): TLSSocket;
export function connect(port: number, secureConnectListener?: () => void): TLSSocket;
export function connect(path: string, options?: ConnectionOptions, secureConnectListener?: () => void): TLSSocket;
export function connect(path: string, secureConnectListener?: () => void): TLSSocket;

/** What {@link createSecurePair} makes: ciphertext goes through `encrypted`, clear text through `cleartext`. */
export interface SecurePair extends EventEmitter {
  readonly encrypted: stream.Duplex;
  readonly cleartext: TLSSocket;
  destroy(): void;
}

/**
 * TLS between two streams in memory, for old programs.
 *
 * @deprecated Use {@link TLSSocket} over any `stream.Duplex`. Not there from Node 24 on, which has dropped it.
 */
export function createSecurePair(
  context?: SecureContext, isServer?: boolean, requestCert?: boolean, rejectUnauthorized?: boolean,
  options?: TLSSocketOptions): SecurePair;

/** Node's own check of a certificate's names against `hostname` (RFC 6125). */
export function checkServerIdentity(hostname: string, cert: tls.PeerCertificate): Error | undefined;

/** Names of the suites that can be used, lower case; a new array each time. */
export function getCiphers(): string[];

/** Brings protocol names into their wire form (RFC 7301) and stores that as `out.ALPNProtocols`. */
export function convertALPNProtocols(
  protocols: string[] | Buffer[] | NodeJS.ArrayBufferView[] | NodeJS.ArrayBufferView,
  out: { ALPNProtocols?: Buffer }): void;

/**
 * Trusted certificates, PEM, in a frozen array; on every version of Node.
 *
 * 'default': those that a context without `ca` trusts; 'system': those of the operating system (`SSL_CERT_FILE` and
 * `SSL_CERT_DIR` first, where OpenSSL's files are the system's store); 'bundled': {@link rootCertificates}; 'extra':
 * those of the file that `NODE_EXTRA_CA_CERTS` names. Default: 'default'.
 *
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 */
export function getCACertificates(type?: 'default' | 'system' | 'bundled' | 'extra'): readonly string[];

/**
 * Contexts without `ca` that are made from now on, in this thread, trust these certificates (PEM) and no others. Node's
 * own `tls` is told too, where it has this function.
 *
 * @throws `ERR_INVALID_ARG_TYPE`; `ERR_CRYPTO_OPERATION_FAILED` or `ERR_OSSL_*` for what is no PEM certificate: nothing
 *   has changed then
 */
export function setDefaultCACertificates(certs: ReadonlyArray<string | NodeJS.ArrayBufferView>): void;

/**
 * What `certificateCompression`, an option of {@link createSecureContext} and of all that take its options, may name; a
 * new array each time, empty where the addon was built without the libraries (Windows).
 */
export function getCertificateCompressionAlgorithms(): tls.CertificateCompressionAlgorithm[];

/** The running Node's bundled root certificates, PEM. */
export const rootCertificates: readonly string[];

/** Suites of contexts that name none; OpenSSL syntax. Read whenever a context is made. */
export let DEFAULT_CIPHERS: string;
/** Groups of contexts that name none. Default: 'auto', OpenSSL's own list, X25519MLKEM768 first. */
export let DEFAULT_ECDH_CURVE: string;
/** Default: 'TLSv1.2', or what Node's command line says. */
export let DEFAULT_MIN_VERSION: tls.SecureVersion;
/** Default: 'TLSv1.3', or what Node's command line says. */
export let DEFAULT_MAX_VERSION: tls.SecureVersion;
/** Renegotiations that a client may start within {@link CLIENT_RENEG_WINDOW} (TLS 1.2). Default: 3. */
export let CLIENT_RENEG_LIMIT: number;
/** Seconds. Default: 600. */
export let CLIENT_RENEG_WINDOW: number;

/**
 * Control4's server sockets, in a driver context that is made when it is first asked for (by `import`: at once). See
 * `c4tls/control4`.
 */
export const C4: Driver;

/** The IPWorks SSL components, loaded when they are first asked for (by `import`: at once). See `c4tls/ipworks`. */
export { ipworksssl };

export interface GenerateCertificateOptions {
  /**
   * DNS names and IP addresses, one at least; all of them are alternative names, the first is the common name too.
   * Default: ['localhost', '127.0.0.1', '::1'].
   */
  names?: string[] | undefined;
  /** Days from now, 1 to 365000. Default: 30. */
  days?: number | undefined;
  /** P-256, RSA with 2048 bits, or Ed25519. Default: 'ec'. */
  keyType?: 'ec' | 'rsa' | 'ed25519' | undefined;
}

/**
 * Makes a self-signed certificate for development; both texts are PEM, the key PKCS#8.
 *
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` (days), `ERR_INVALID_ARG_VALUE` (no such key type, no name at all,
 *   or one that is neither a DNS name nor an IP address)
 */
export function generateCertificate(options?: GenerateCertificateOptions): { cert: string; key: string };
