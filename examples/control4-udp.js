'use strict';
// Discovery over UDP, as drivers do it: a device asks, the driver answers the handle, and asks an address by itself.

const dgram = require('dgram');
const { Driver } = require('../control4');            // in your program: require('c4tls/control4')

const driver = new Driver({ encoding: 'latin1' });
const device = dgram.createSocket('udp4');

driver.OnServerStatusChanged = (port, status) => {
  console.log(`server ${status}`);
  if (status === 'ONLINE') device.send('SEARCH', port, '127.0.0.1');
};

driver.OnServerDataIn = (handle, data, address, port) => {
  console.log(`driver got ${data} from ${address}`);
  if (data === 'SEARCH') {
    driver.ServerSend(handle, 'HERE');                // by its handle, which a UDP peer has without a connection
    driver.ServerSend(port, 'WHO?', address);         // the same by address
  } else {
    driver.DestroyServer();
    device.close();
  }
};

device.on('message', (message, { port }) => {
  console.log(`device got ${message}`);
  if (String(message) === 'WHO?') device.send('a thermostat', port, '127.0.0.1');
});

driver.CreateServer(0, '', true);
