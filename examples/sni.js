'use strict';

const tls = require('..');

const names = ['localhost', 'shop.example', 'blog.example'];
const [main, shop, blog] = names.map((name) => tls.generateCertificate({ names: [name] }));

const server = tls.createServer({
  ...main,
  // For fixed names server.addContext(name, options) does. This answer may come later: other connections go on.
  SNICallback(name, callback) {
    if (name === 'blog.example') setTimeout(callback, 20, null, tls.createSecureContext(blog));
    else callback(null, name === 'shop.example' ? tls.createSecureContext(shop) : null);
  },
}, (socket) => socket.end());

server.listen(0, 'localhost', async () => {
  for (const servername of names) {
    await new Promise((resolve, reject) => {
      const options = { port: server.address().port, host: 'localhost', servername, ca: [main.cert, shop.cert, blog.cert] };
      const client = tls.connect(options, () => {
        console.log(servername, 'is served by the certificate of', client.getPeerCertificate().subject.CN);
      });
      client.resume().on('error', reject).on('close', resolve);
    });
  }
  server.close();
});
