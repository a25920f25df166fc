'use strict';

const tls = require('..');

const { key, cert } = tls.generateCertificate({ names: ['localhost'] });
const server = tls.createServer({ key, cert }, (socket) => socket.end('good day\n'));

server.listen(0, 'localhost', () => {
  const { port } = server.address();
  const client = tls.connect({ port, host: 'localhost', ca: cert }, () => {
    console.log(client.getProtocol(), client.getCipher().name);
    console.log('certificate of', client.getPeerCertificate().subject.CN, 'until', client.getPeerCertificate().valid_to);
  });
  client.setEncoding('utf8').on('data', (text) => console.log('received', text.trim()));
  client.on('close', () => distrust(port));
});

/** Without `ca` nobody vouches for this certificate: the connection is refused. */
function distrust(port) {
  const client = tls.connect({ port, host: 'localhost' });
  client.on('error', (error) => console.log('refused:', error.code));
  client.on('close', () => server.close());
}
