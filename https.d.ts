/// <reference types="node" />

/** Node's `https` over c4tls's sockets: everything has the types, defaults and errors of Node's. */

import * as http from 'node:http';
import * as https from 'node:https';
import { URL } from 'node:url';

export { AgentOptions, RequestOptions, ServerOptions } from 'node:https';

type Incoming = typeof http.IncomingMessage;
type Outgoing<Request extends Incoming> = typeof http.ServerResponse<InstanceType<Request>>;

/** A `c4tls.Server` that speaks HTTP. */
export class Server<
  Request extends Incoming = Incoming, Response extends Outgoing<Request> = typeof http.ServerResponse,
> extends https.Server<Request, Response> {}

/** Node's agent, whose connections are c4tls's. */
export class Agent extends https.Agent {}

export function createServer<
  Request extends Incoming = Incoming, Response extends Outgoing<Request> = typeof http.ServerResponse,
>(requestListener?: http.RequestListener<Request, Response>): Server<Request, Response>;
export function createServer<
  Request extends Incoming = Incoming, Response extends Outgoing<Request> = typeof http.ServerResponse,
>(
  options: https.ServerOptions<Request, Response>, requestListener?: http.RequestListener<Request, Response>,
): Server<Request, Response>;

export function request(
  options: https.RequestOptions | string | URL, callback?: (response: http.IncomingMessage) => void): http.ClientRequest;
export function request(
  url: string | URL, options: https.RequestOptions,
  callback?: (response: http.IncomingMessage) => void): http.ClientRequest;

/** {@link request}, already ended. */
export function get(
  options: https.RequestOptions | string | URL, callback?: (response: http.IncomingMessage) => void): http.ClientRequest;
export function get(
  url: string | URL, options: https.RequestOptions,
  callback?: (response: http.IncomingMessage) => void): http.ClientRequest;

/** Of requests that name no agent. Assign another to the module to change it. */
export let globalAgent: Agent;
