'use strict';
// Client and server agree on an application protocol during the handshake.
// Look at: the server's order decides; a client that offers nothing in common is refused.

const { once } = require('events');
const tls = require('..');    // in your program: require('c4tls')

const pair = tls.generateCertificate();

async function offer(port, ALPNProtocols) {
  const socket = tls.connect({ port, host: '127.0.0.1', ca: pair.cert, ALPNProtocols });
  try {
    await once(socket, 'secureConnect');
    console.log(ALPNProtocols, '->', socket.alpnProtocol);
    socket.end();
    await once(socket, 'close');
  } catch (error) {
    console.log(ALPNProtocols, '->', error.code);
  }
}

async function serve(options, offers) {
  const server = tls.createServer({ ...pair, ...options }, (socket) => socket.end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  for (const protocols of offers) await offer(server.address().port, protocols);
  server.close();
}

async function main() {
  console.log('ALPNProtocols:');
  await serve({ ALPNProtocols: ['chat/2', 'chat/1'] }, [['chat/1', 'chat/2'], ['chat/1'], ['mail/1']]);

  console.log('ALPNCallback:');
  await serve({
    ALPNCallback: ({ servername, protocols }) => {
      console.log('  asked for', protocols, servername ? `by a client of ${servername}` : 'without a name');
      return protocols.at(-1);      // one of them, or undefined to refuse
    },
  }, [['chat/1', 'chat/2']]);
}

main();
