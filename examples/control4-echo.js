'use strict';
// A TCP server as Control4 drivers make one, and a client that tries it.
// Look at: CreateServer with port 0 and a delimiter; the port comes with ONLINE; send and close in a row.

const net = require('net');
const { C4 } = require('..');    // in your program: require('c4tls')

C4.OnServerStatusChanged = (port, status, identifier) => {
  console.log(`server ${identifier} ${status}`);
  if (status === 'ONLINE') ask(port);
};

C4.OnServerConnectionStatusChanged = (handle, port, status, address) => {
  console.log(`connection from ${address} ${status}`);
  if (status === 'OFFLINE') C4.DestroyServer();
};

// One call for each line, however TCP has cut them.
C4.OnServerDataIn = (handle, data) => {
  console.log(`line ${JSON.stringify(String(data))}`);
  C4.ServerSend(handle, `you said ${data}`);
  if (String(data) === 'quit\r\n') C4.ServerCloseClient(handle);    // when all of the above is delivered
};

const [ok, error] = C4.CreateServer(0, '\r\n', false, 'echo');
if (!ok) console.log('no server:', error);

function ask(port) {
  const client = net.connect(port, '127.0.0.1');
  client.on('data', (answer) => process.stdout.write(`answer ${answer}`));
  client.write('hel');
  client.write('lo\r\nquit\r\n');
}
