// The types of the modules in an ES module: the default export and the names. Checked by tsc, never run.

import tls, { connect, createSecureContext, createServer, generateCertificate, Server, TLSSocket } from 'c4tls';
import type { ConnectionOptions, GenerateCertificateOptions, SecureVersion, TlsOptions } from 'c4tls';
import * as all from 'c4tls';
import 'c4tls/register';
import https, { Agent, get } from 'c4tls/https';
import iotjs, { connect as connectIot } from 'c4tls/iotjs';
// @ts-expect-error there is no such name
import { createClient } from 'c4tls';
// @ts-expect-error nor such a module
import control from 'c4tls/lib/tls';

const wanted: GenerateCertificateOptions = { names: ['localhost'] };
const pair = generateCertificate(wanted);
const options: TlsOptions = { ...pair, secureContext: createSecureContext(pair), handshakeTimeout: 1_000 };
const server: Server = createServer(options, (socket: TLSSocket) => socket.end());
const destination: ConnectionOptions = { port: 443, ca: pair.cert };
const client: TLSSocket = connect(destination);
const same: typeof tls.connect = all.connect;
const version: SecureVersion = tls.DEFAULT_MAX_VERSION;
const device: InstanceType<typeof iotjs.TLSSocket> = connectIot({ rejectUnauthorized: true });
const agent: Agent = https.globalAgent;
get('https://localhost', { agent });

export { client, control, createClient, device, same, server, version };
