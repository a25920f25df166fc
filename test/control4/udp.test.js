'use strict';

// CreateServer over UDP.

const assert = require('assert');
const dgram = require('dgram');
const { setTimeout: delay } = require('timers/promises');
const { makeDriver } = require('../support/control4');
const { track } = require('../support/cleanup');
const { event } = require('../support/net');
const { itWith, start } = require('../support/program');

/** A bound UDP socket of Node's. */
async function peer(address = '127.0.0.1') {
  const socket = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4');
  track({ destroy: () => socket.close() });
  socket.bind(0, address);
  await event(socket, 'listening');
  return socket;
}

const udp = (identifier, port = 0) => (driver) => driver.CreateServer(port, '', true, identifier);

describe('Control4 CreateServer over UDP', () => {
  it('C4-05 C4-06 C4-53 a call for each datagram, empty ones too, with its sender; no connection is told', async () => {
    const d = makeDriver();
    const port = await d.online((driver) => driver.CreateServer(0, '\n', true, 'udp'));
    const client = await peer();
    const big = Buffer.alloc(9000, 'b');
    for (const datagram of ['one\ntwo\n', '', 'three', big]) client.send(datagram, port, '127.0.0.1');
    await d.count('data', 4);
    const [[handle]] = d.of('data');
    assert.deepStrictEqual(d.of('data'), ['one\ntwo\n', '', 'three', big].map((data) =>
      [handle, Buffer.from(data), '127.0.0.1', client.address().port, 'udp']));
    assert.ok(handle > 0 && handle < 2 ** 31);
    assert.deepStrictEqual(d.of('connection'), []);
    d.driver.DestroyServer(port);
    await d.offline('server', port);
    assert.strictEqual(d.driver.ServerSend(handle, 'late'), false);
  });

  it('C4-64 C4-70 D-02 each peer has a handle, by which it is answered', async () => {
    const d = makeDriver();
    const port = await d.online(udp());
    const clients = [await peer(), await peer()];
    clients.forEach((client, i) => client.send(`from ${i}`, port, '127.0.0.1'));
    const data = await d.count('data', 2);
    assert.notStrictEqual(data[0][0], data[1][0]);
    for (const [handle, text] of data) {
      const answer = event(clients[Number(String(text).at(-1))], 'message');
      assert.strictEqual(d.driver.ServerSend(handle, `to ${text}`), true);
      const [got, from] = await answer;
      assert.deepStrictEqual([String(got), from.port], [`to ${text}`, port]);
      d.driver.ServerCloseClient(handle);
      assert.strictEqual(d.driver.ServerSend(handle, ''), true);
    }
  });

  it('C4-72 ServerSend(port, payload, address) sends from the UDP server', async () => {
    const d = makeDriver();
    assert.strictEqual(d.driver.ServerSend(9, 'x', '127.0.0.1'), false);
    const port = await d.online(udp());
    const client = await peer();
    const message = event(client, 'message');
    assert.strictEqual(d.driver.ServerSend(String(client.address().port), 'hello', '127.0.0.1'), true);
    const [text, from] = await message;
    assert.deepStrictEqual([String(text), from.port], ['hello', port]);
    for (const wrong of [0, -1, 70000, 'x', undefined]) assert.strictEqual(d.driver.ServerSend(wrong, 'x', '127.0.0.1'), false);
    assert.strictEqual(d.driver.ServerSend(9, Buffer.alloc(70_000), '127.0.0.1'), false);
  });

  it('C4-61 IPv6 senders, where there is IPv6', async function () {
    const d = makeDriver();
    const port = await d.online(udp());
    const client = await peer('::1').catch(() => this.skip());
    client.send('six', port, '::1');
    const [handle, , address] = await d.first('data');
    assert.strictEqual(address, '::1');
    const answer = event(client, 'message');
    d.driver.ServerSend(handle, 'seven');
    assert.strictEqual(String((await answer)[0]), 'seven');
  });

  it('C4-10 C4-12 a taken port is [false, EADDRINUSE]; a TCP server may have the same number', async () => {
    const d = makeDriver();
    const port = await d.online(udp());
    assert.match(makeDriver().driver.CreateServer(port, '', true)[1], /^bind EADDRINUSE/);
    const tcp = d.driver.CreateServer(port);
    if (tcp[0]) await d.count('server', 2);
    d.driver.DestroyServer(port);
    assert.deepStrictEqual(d.driver.CreateServer(port, '', true), [true]);
  });

  it('C4-76 maxUdpPeers: the one that was silent for longest gives its handle up', async () => {
    const d = makeDriver({ limits: { maxUdpPeers: 2 } });
    const port = await d.online(udp('few'));
    const clients = [await peer(), await peer(), await peer()];
    for (const [i, client] of clients.entries()) {
      client.send('x', port, '127.0.0.1');
      await d.count('data', i + 1);
    }
    const handles = d.of('data').map(([handle]) => handle);
    assert.deepStrictEqual(handles.map((handle) => d.driver.ServerSend(handle, 'y')), [false, true, true]);
    assert.deepStrictEqual(d.of('limit'), [[
      { name: 'maxUdpPeers', value: 2, port, identifier: 'few', handle: handles[0], address: '127.0.0.1' },
    ]]);
  });

  it('C4-76 udpPeerIdleMs: a silent peer is forgotten', async () => {
    const d = makeDriver({ limits: { udpPeerIdleMs: 40 } });
    const port = await d.online(udp());
    const client = await peer();
    client.send('x', port, '127.0.0.1');
    const [handle] = await d.first('data');
    // A send is a sign of life too, so each silence is longer than the one before.
    for (let silence = 60; d.driver.ServerSend(handle, 'y'); silence *= 2) await delay(silence);
    client.send('again', port, '127.0.0.1');
    await d.count('data', 2);
    assert.notStrictEqual(d.of('data')[1][0], handle);
    assert.deepStrictEqual(d.of('limit'), []);
  });

  itWith('python3', 'discovery with a Python peer: it asks, the driver answers and asks back', async () => {
    const d = makeDriver({ encoding: 'latin1' });
    const port = await d.online(udp('discovery'));
    d.driver.OnServerDataIn = (handle, data, address, from) => {
      d.note('data', [handle, data]);
      if (data.startsWith('M-SEARCH')) {
        d.driver.ServerSend(handle, 'HTTP/1.1 200 OK\r\nUSN: c4tls\r\n\r\n');
        d.driver.ServerSend(from, 'WHO?', address);
      }
    };
    const program = start('python3', ['-c', `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(8)
s.bind(("127.0.0.1", 0))
s.sendto(b"M-SEARCH * HTTP/1.1\\r\\nST: c4tls\\r\\n\\r\\n", ("127.0.0.1", ${port}))
answer, sender = s.recvfrom(2048)
assert answer.startswith(b"HTTP/1.1 200 OK") and sender == ("127.0.0.1", ${port}), (answer, sender)
assert s.recvfrom(2048)[0] == b"WHO?"
s.sendto(bytes(range(256)), sender)
print("done")
`]);
    const { code, stdout, stderr } = await program.ended;
    assert.deepStrictEqual({ code, stdout, stderr }, { code: 0, stdout: 'done\n', stderr: '' });
    const [[, asked], [, bytes]] = await d.count('data', 2);
    assert.match(asked, /^M-SEARCH/);
    assert.deepStrictEqual(Buffer.from(bytes, 'latin1'), Buffer.from(Array.from({ length: 256 }, (_, i) => i)));
  });
});
