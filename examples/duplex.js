'use strict';
// TLS over a stream that is no socket at all: two ends of a pipe in memory.
// Look at: any stream.Duplex carries TLS, such as a tunnel, a serial line or a WebSocket.

const { Duplex } = require('stream');
const tls = require('..');    // in your program: require('c4tls')

// What is written to one end is read from the other.
class PipeEnd extends Duplex {
  _read() {
    const resume = this.waiting;
    this.waiting = undefined;
    resume?.();
  }

  _write(chunk, encoding, callback) {
    console.log('  on the pipe:', chunk.length, 'bytes');
    if (this.other.push(chunk)) callback();
    else this.other.waiting = callback;
  }

  _final(callback) {
    this.other.push(null);
    callback();
  }
}

const [left, right] = [new PipeEnd(), new PipeEnd()];
left.other = right;
right.other = left;

const { cert, key } = tls.generateCertificate({ names: ['pipe.example'] });
const server = new tls.TLSSocket(left, { isServer: true, secureContext: tls.createSecureContext({ cert, key }) });
server.on('data', (text) => server.end(String(text).toUpperCase()));

const client = tls.connect({ socket: right, ca: cert, servername: 'pipe.example' }, () => {
  console.log('secured with', client.getProtocol());
  client.write('quiet words');
});
client.on('data', (text) => console.log('answer:', String(text)));
