'use strict';

// WSServers of a test, which write down what their listeners are told, and clients for them: npm's ws, and raw ones
// that send what they like.

const crypto = require('crypto');
const net = require('net');
const tls = require('tls');
const WebSocket = require('ws');
const { WSServer } = require('../../ipworks');
const { Changes } = require('./changes');
const { track } = require('./cleanup');
const { Recorded, startRecorded } = require('./ipworks');
const { event } = require('./net');
const pki = require('./pki');

/** Events that do not change how a connection is accepted. */
const NOTED = ['Connected', 'Disconnected', 'DataIn', 'Error', 'Ping', 'ReadyToSend', 'SSLStatus'];

const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

class RecordedWebSockets extends Recorded {
  constructor() {
    super(new WSServer(), NOTED);
  }

  async end() {
    await this.server.config('WaitForCloseResponse=False');
    await this.server.shutdown();
  }

  url(path = '/') {
    return `${this.server.isUseSSL() ? 'wss' : 'ws'}://localhost:${this.port}${path}`;
  }

  /** [text, dataFormat, EOM, EOL] of so many DataIn events. */
  async data(count) {
    await this.until(() => this.of('DataIn').length >= count, `${count} DataIn events`);
    return this.of('DataIn').map(({ text, dataFormat, EOM, EOL }) => [text, dataFormat, EOM, EOL]);
  }

  /** A client of `ws`, open, and what the server says of it: { client, id }. */
  async connect(options) {
    const before = this.of('Connected').length;
    const client = dial(this, options);
    await client.opened;
    const { connectionId: id } = await this.first('Connected', before);
    return { client, id };
  }

  /** A raw client that has done the opening handshake: { client, id }. */
  async connectRaw(options) {
    const before = this.of('Connected').length;
    const client = await dialRaw(this);
    client.write(request(options));
    const { status } = await client.head();
    if (status !== 101) throw new Error(`status ${status}`);
    const { connectionId: id } = await this.first('Connected', before);
    return { client, id };
  }
}

/** A server that listens on a free port and writes everything down; without TLS unless `tls` is true. */
function webSockets(configure, { tls: withTls = false, settings = [], ...rest } = {}) {
  const recorded = new RecordedWebSockets();
  return startRecorded(recorded, configure, { settings: [`UseSSL=${withTls}`, ...settings], ...rest });
}

/** A client of `ws`. */
class Client {
  constructor(url, protocols, options) {
    this.ws = new WebSocket(url, protocols, options);
    /** What came: [text or bytes, whether it was binary]. */
    this.messages = [];
    this.changes = new Changes();
    this.ws.on('error', () => {});
    this.ws.on('message', (data, isBinary) => {
      this.messages.push([isBinary ? data : data.toString(), isBinary]);
      this.changes.tell();
    });
    this.opened = event(this.ws, 'open');
    this.opened.catch(() => {});
    /** Resolves with [code, reason]. */
    this.closed = new Promise((resolve) => {
      this.ws.on('close', (code, reason) => resolve([code, reason.toString()]));
    });
    track({ terminate: () => this.ws.terminate() });
  }

  send(data) {
    this.ws.send(data);
  }

  /** Resolves with the first `count` messages. */
  async received(count) {
    await this.changes.until(() => this.messages.length >= count, `${count} messages`);
    return this.messages;
  }
}

/** A client of `ws` on its way. */
function dial(recorded, { path, protocols = [], ...options } = {}) {
  return new Client(recorded.url(path), protocols, { ca: pki.ca, ...options });
}

/** An opening request. `headers`: changes to the usual ones, null: without it. */
function request({ line = 'GET / HTTP/1.1', headers = {}, extra = '' } = {}) {
  const all = {
    'Host': 'localhost',
    'Upgrade': 'websocket',
    'Connection': 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== null).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${line}\r\n${lines.join('')}${extra}\r\n`;
}

/** A frame as a client sends it, masked. */
function frame(opcode, payload = '', { fin = true, rsv = 0, masked = true } = {}) {
  const bytes = Buffer.from(payload);
  const head = [(fin ? 0x80 : 0) | rsv << 4 | opcode];
  const mark = masked ? 0x80 : 0;
  if (bytes.length < 126) head.push(mark | bytes.length);
  else if (bytes.length < 65536) head.push(mark | 126, bytes.length >> 8, bytes.length & 255);
  else head.push(mark | 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => bytes.length >> shift & 255));
  if (!masked) return Buffer.concat([Buffer.from(head), bytes]);
  const mask = crypto.randomBytes(4);
  return Buffer.concat([Buffer.from(head), mask, bytes.map((byte, at) => byte ^ mask[at & 3])]);
}

/** A socket that speaks by hand. */
class RawClient {
  #bytes = Buffer.alloc(0);
  #changes = new Changes();

  constructor(socket) {
    this.socket = socket;
    this.ended = false;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#changes.tell();
    });
    socket.on('close', () => {
      this.ended = true;
      this.#changes.tell();
    });
  }

  write(bytes) {
    this.socket.write(bytes);
    return this;
  }

  // Resolves with what `take(bytes)` makes of the bytes so far: [length, result], or null while more are needed.
  async #next(take, what) {
    const [, result] = await this.#changes.until(() => {
      const taken = take(this.#bytes);
      if (taken !== null) this.#bytes = this.#bytes.subarray(taken[0]);
      else if (this.ended) throw new Error(`the connection ended before ${what}`);
      return taken;
    }, what);
    return result;
  }

  /** The head of the response: { status, headers, text }, names in lower case. */
  head() {
    return this.#next((bytes) => {
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) return null;
      const text = bytes.toString('latin1', 0, end);
      const [line, ...fields] = text.split('\r\n');
      const headers = Object.fromEntries(fields.map((field) => {
        const colon = field.indexOf(':');
        return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
      }));
      return [end + 4, { status: Number(line.split(' ')[1]), headers, text }];
    }, 'a response');
  }

  /** The next frame: { fin, rsv, opcode, payload }. */
  frame() {
    return this.#next((bytes) => {
      if (bytes.length < 2) return null;
      const short = bytes[1] & 0x7f;
      const start = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (bytes.length < start) return null;
      const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
      if (bytes.length < start + length) return null;
      return [start + length, {
        fin: bytes[0] >= 128,
        rsv: bytes[0] >> 4 & 7,
        opcode: bytes[0] & 15,
        payload: bytes.subarray(start, start + length),
      }];
    }, 'a frame');
  }

  /** [code, reason] of the Close frame that comes next but for others. */
  async closeFrame() {
    for (;;) {
      const { opcode, payload } = await this.frame();
      if (opcode !== OPCODES.close) continue;
      return payload.length === 0 ? [1005, ''] : [payload.readUInt16BE(0), payload.toString('utf8', 2)];
    }
  }

  /** Resolves when the server has closed the connection. */
  close() {
    return this.#next(() => (this.ended ? [0] : null), 'the end');
  }
}

/** A raw client, connected, over TLS if the server is. */
async function dialRaw(recorded) {
  const { port } = recorded;
  const isTls = recorded.server.isUseSSL();
  const socket = track(isTls ? tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: pki.ca }) :
    net.connect(port, '127.0.0.1'));
  await event(socket, isTls ? 'secureConnect' : 'connect');
  return new RawClient(socket);
}

module.exports = { OPCODES, RecordedWebSockets, dial, dialRaw, frame, request, webSockets };
