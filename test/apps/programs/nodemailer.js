'use strict';

// nodemailer sends to smtp-server by STARTTLS, and by TLS from the first byte.

const { randomBytes } = require('crypto');
const { once } = require('events');
const nodemailer = require('nodemailer');
const { SMTPServer } = require('smtp-server');
const pki = require('../../support/pki');

const attachment = randomBytes(1_000_000);

async function send({ secure, ...tls }) {
  const received = [];
  const server = new SMTPServer({
    ...pki.pair('rsa'), secure, authMethods: ['PLAIN'],
    onAuth: ({ username, password }, session, callback) => {
      if (username !== 'app' || password !== 'secret') callback(new Error('wrong password'));
      else callback(null, { user: `${username} ${session.secure}` });
    },
    onData(stream, session, callback) {
      let length = 0;
      stream.on('data', (chunk) => {
        length += chunk.length;
      });
      stream.on('end', () => {
        const { version, name } = session.tlsOptions;
        received.push({ user: session.user, version, name, length });
        callback(null, 'taken');
      });
    },
  });
  server.on('error', () => {});      // a client that does not trust the server
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const transport = nodemailer.createTransport({
    host: '127.0.0.1', port: server.server.address().port, secure, requireTLS: !secure, pool: true, maxConnections: 2,
    auth: { user: 'app', pass: 'secret' }, tls: { ca: pki.ca, ...tls },
  });
  const mail = {
    from: 'a@example.test', to: 'b@example.test', subject: 'hello', text: 'hello', date: new Date(0),
    messageId: '<1@example.test>', attachments: [{ filename: 'data', content: attachment }],
  };
  const outcome = (await Promise.allSettled([mail, mail, mail].map((one) => transport.sendMail(one)))).map(
    ({ status, reason, value }) => [status, reason?.code, value?.response]);
  transport.close();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return { outcome, received: received.map(({ length, ...rest }) => ({ ...rest, complete: length > 1_300_000 })) };
}

async function main() {
  return {
    starttls: await send({ secure: false }),
    secure: await send({ secure: true }),
    untrusted: (await send({ secure: false, ca: pki.read('otherca.pem') })).outcome,
  };
}

main().then((result) => console.log(JSON.stringify(result)));
