'use strict';

const net = require('net');
const tls = require('..');

const { key, cert } = tls.generateCertificate({ names: ['localhost'] });

const server = net.createServer((plain) => {
  plain.once('data', (line) => {
    console.log('in clear text:', String(line).trim());
    plain.write('go ahead\n');
    const secure = new tls.TLSSocket(plain, { isServer: true, key, cert });
    secure.on('error', (error) => console.log(error.message));
    secure.on('data', (text) => secure.end(`got ${text} in secret`));
  });
});

server.listen(0, 'localhost', () => {
  const plain = net.connect(server.address().port, 'localhost');
  plain.write('STARTTLS\n');
  plain.once('data', () => {
    const secure = tls.connect({ socket: plain, servername: 'localhost', ca: cert }, () => secure.write('the password'));
    secure.setEncoding('utf8').on('data', (text) => console.log(text));
    secure.on('close', () => server.close());
  });
});
