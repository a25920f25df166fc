'use strict';

// Devices with certificates of their own at a Mosquitto broker.

const assert = require('assert');
const { randomBytes } = require('crypto');
const { once } = require('events');
const mqtt = require('mqtt');
const pki = require('../../support/pki');

const url = `mqtts://127.0.0.1:${process.env.SERVER_PORT}`;
const device = { ca: pki.ca, ...pki.pair('client'), reconnectPeriod: 0 };

async function main() {
  const result = {};
  const [sender, receiver] = await Promise.all([
    mqtt.connectAsync(url, device), mqtt.connectAsync(url, { ...device, protocolVersion: 5 })]);
  result.granted = await receiver.subscribeAsync('room/#', { qos: 2 });
  for (const qos of [0, 1, 2]) {
    const heard = once(receiver, 'message');
    await sender.publishAsync(`room/${qos}`, `level ${qos}`, { qos });
    const [topic, message] = await heard;
    result[topic] = `${message}`;
  }
  const data = randomBytes(2_000_000);
  const heard = once(receiver, 'message');
  await sender.publishAsync('room/large', data, { qos: 1 });
  assert.ok((await heard)[1].equals(data));

  const values = [];
  const all = new Promise((resolve) => {
    receiver.on('message', (topic, message) => {
      if (values.push(`${message}`) === 500) resolve();
    });
  });
  await Promise.all(Array.from({ length: 500 }, (_, i) => sender.publishAsync('room/value', `${i}`, { qos: 1 })));
  await all;
  result.values = values.join();
  await Promise.all([sender.endAsync(), receiver.endAsync()]);

  // The broker is not who it should be; the device has no certificate.
  const failure = async (options) => {
    const client = mqtt.connect(url, { ...device, ...options });
    const [{ code }] = await once(client, 'error');
    await client.endAsync(true);
    return code;
  };
  result.untrusted = await failure({ ca: pki.read('otherca.pem') });
  result.anonymous = /CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE/.test(await failure({ key: undefined, cert: undefined }));
  return result;
}

main().then((result) => console.log(JSON.stringify(result)));
