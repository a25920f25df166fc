'use strict';
// What Node's net publishes on diagnostics_channel, where this package stands in for net.
const diagnostics = require('diagnostics_channel');

const major = parseInt(process.versions.node, 10);

const clientSockets = diagnostics.channel('net.client.socket');
const serverSockets = diagnostics.channel('net.server.socket');
// Node 18 has the channels, but its net says nothing on them.
const listening = major >= 20 ? diagnostics.tracingChannel('net.server.listen') : null;

/** A client's socket is told to connect. Before Node 22 only net.connect() publishes, so tls.connect() did not. */
function publishClient(socket) {
  if (major >= 22 && clientSockets.hasSubscribers) clientSockets.publish({ socket });
}

/** Whether somebody wants to see accepted connections. */
function wantsAccepted() {
  return serverSockets.hasSubscribers;
}

function publishAccepted(socket) {
  if (serverSockets.hasSubscribers) serverSockets.publish({ socket });
}

function publishListening(server) {
  listening?.asyncEnd.publish({ server });
}

function publishListenError(server, error) {
  listening?.error.publish({ server, error });
}

module.exports = { publishAccepted, publishClient, publishListenError, publishListening, wantsAccepted };
