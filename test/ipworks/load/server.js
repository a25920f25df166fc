'use strict';

// The server of sslserver-load.test.js. Runs with --expose-gc.

const { SSLServer } = require('../../../ipworks');
const { certificateOf } = require('../../support/ipworks');
const { answerLines } = require('../../support/lines');

const server = new SSLServer();
const told = { Connected: 0, Disconnected: 0, DataIn: 0, Error: 0, failed: 0 };
for (const name of ['Connected', 'Disconnected', 'DataIn', 'Error']) {
  server.on(name, (e) => {
    told[name]++;
    if (e.statusCode) told.failed++;
  });
}

function resident() {
  global.gc();
  return process.memoryUsage.rss();
}

answerLines({
  async listen({ connections }) {
    server.setSSLCert(certificateOf());
    server.setLocalHost('127.0.0.1');
    server.setDefaultEOL('\n');
    server.setConnectionBacklog(1024);
    await server.config(`MaxConnections=${connections}`);
    await server.startListening();
    return { port: server.getLocalPort(), rss: resident() };
  },

  look: () => ({ ...told, size: server.getConnections().size, rss: resident() }),

  async broadcast({ text }) {
    const cpu = process.cpuUsage();
    const sends = [];
    for (const [id] of server.getConnections()) sends.push(server.sendLine(id, text));
    await Promise.all(sends);
    const { user, system } = process.cpuUsage(cpu);
    return { sends: sends.length, cpu: (user + system) / 1000 };
  },

  async shutdown() {
    await server.shutdown();
    return told;
  },
});
