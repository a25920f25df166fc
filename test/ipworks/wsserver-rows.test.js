'use strict';

// WSServer has every documented item under its name, with its default; and each has a test of what it does.

const assert = require('assert');
const path = require('path');
const ipworks = require('../../ipworks');
const { failsWith } = require('../support/ipworks');
const pki = require('../support/pki');
const { ROWS, fieldsOf, plainName, rowsOf, testedIds } = require('../support/rows');
const { dial, webSockets } = require('../support/websocket');

const { IPWorksSSLError, WSConnection, WSServer, WebSocketDataFormats } = ipworks;

/** Rows that no test of behaviour names: settings without an effect, which are stored, as is seen below. */
const WITHOUT_TEST = new Set(rowsOf('WS-C').filter(({ item, none }) => none === 'NOOP' || item === 'MaxReadTime')
  .map(({ id }) => id));

/** A setting that is SSLServer's too, of one code: its row there. */
const SHARED = new Map(rowsOf('WS-C').map(({ id, item }) => [id, rowsOf('SSL-C').find((row) => row.item === item)?.id]));

describe('documented items of WSServer', () => {
  it('are all here', () => {
    const counts = { G: 7, P: 34, M: 14, E: 42, C: 62, X: 2 };
    for (const [group, count] of Object.entries(counts)) assert.strictEqual(rowsOf(`WS-${group}`).length, count, group);
    assert.strictEqual(new Set(ROWS.map(({ id }) => id).filter((id) => id.startsWith('WS-'))).size, 161);
  });

  describe('properties', () => {
    for (const { id, item, default: initial } of rowsOf('WS-P')) {
      const [, name, verbs] = /^(\w+) (.+)$/.exec(item);
      it(`${id}: ${item}`, () => {
        if (name === 'DataFormat') {
          const [number, format] = verbs.split(' ');
          assert.strictEqual(WebSocketDataFormats[format], Number(number));
          return;
        }
        const [, own] = /^WSConnection(?!Count)(\w+)$/.exec(name) ?? [];
        const object = own === undefined ? new WSServer() : new WSConnection();
        const called = own ?? name;
        if (verbs.includes('get')) {
          const getter = `${typeof initial === 'boolean' ? 'is' : 'get'}${called}`;
          assert.strictEqual(object[getter](), initial, getter);
          assert.strictEqual(object[plainName(called)], initial, plainName(called));
          if (own !== undefined) assert.strictEqual(typeof WSServer.prototype[`get${name}`], 'function');
        }
        const setter = verbs.includes('set') ? 'function' : 'undefined';
        assert.strictEqual(typeof object[`set${called}`], setter, `set${called}`);
        if (own !== undefined) assert.strictEqual(typeof WSServer.prototype[`set${name}`], setter, `set${name}`);
        if (setter === 'undefined') assert.throws(() => { object[plainName(called)] = initial; }, TypeError);
      });
    }
  });

  describe('methods', () => {
    for (const { id, item } of rowsOf('WS-M')) {
      const [, names, parameters] = /^([\w/]+)\((.*)\)$/.exec(item);
      for (const name of names.split('/')) {
        it(`${id}: ${name}`, async () => {
          const least = parameters === '' ? 0 : parameters.split(',').length;
          assert.ok(WSServer.prototype[name].length >= least, `${name} takes ${WSServer.prototype[name].length}`);
          const promise = new WSServer()[name]();
          assert.ok(promise instanceof Promise);
          await promise.catch((error) => assert.ok(error instanceof IPWorksSSLError, error.stack));
        });
      }
    }
  });

  describe('events', () => {
    const seen = new Map();         // by event, the first one: field -> [value, writable]

    before(async () => {
      const note = (name) => (e) => {
        if (!seen.has(name)) seen.set(name, fieldsOf(e));
      };
      const recorded = await webSockets((server) => {
        server.setSSLAuthenticateClients(true);
        for (const { item } of rowsOf('WS-E')) server.on(item.split(/[. ]/)[0], note(item.split(/[. ]/)[0]));
      }, { tls: true, settings: ['MaxConnections=1', `SSLCACerts=${pki.ca}`] });
      const { client } = await recorded.connect({ ...pki.pair('client'), protocols: ['a', 'b'] });
      client.send('hello');
      client.ws.ping('x');
      await recorded.data(1);
      await assert.rejects(dial(recorded, pki.pair('client')).opened);
      await recorded.first('Error');
      client.ws.close(1000);
      await recorded.first('Disconnected');
    });

    for (const { id, item, fields: listed, default: expected } of rowsOf('WS-E')) {
      if (item.startsWith('close code')) continue;
      const [name, one] = item.replace(' (writable)', '').split('.');
      it(`${id}: ${item}`, () => {
        assert.ok(seen.has(name), name);
        const fields = seen.get(name);
        for (const field of listed ?? (one === undefined ? [] : [one])) {
          assert.ok(fields.has(field), `${field} of ${[...fields.keys()]}`);
        }
        if (one === undefined) return;
        const [value, isWritable] = fields.get(one);
        assert.strictEqual(isWritable, item.endsWith('(writable)'));
        if (one === 'connectionId') assert.match(value, /^\d+$/);
        else if (expected === 'offered list') assert.strictEqual(value, 'a,b');
        else if (expected !== undefined) assert.strictEqual(value, expected);
      });
    }
  });

  describe('configuration settings', () => {
    const asText = (value) => (typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value));

    for (const { id, item, default: expected } of rowsOf('WS-C')) {
      const [, name, ofConnection] = /^(\w+)(\[\w+\])?/.exec(item);
      if (item.startsWith('SSLNegotiated') || name === 'ConnectionUID') continue;
      it(`${id}: ${item}`, async () => {
        const server = new WSServer();
        const value = await server.config(name);
        assert.strictEqual(await server.config(name.toLowerCase()), value);
        if (/^same list/.test(expected)) assert.strictEqual(value, await new ipworks.SSLServer().config(name));
        else if (/^system/.test(expected)) assert.strictEqual(value, '0');
        else if (/ ms/.test(expected)) assert.strictEqual(value, /^\d+/.exec(expected)[0]);
        else if (expected !== undefined) assert.strictEqual(value, asText(expected));
        if (/^(Build|License)Info$/.test(name)) await failsWith(10022, server.config(`${name}=x`));
        else assert.strictEqual(await server.config(`${name}=${value}`), value);
        if (ofConnection !== undefined) await failsWith(126, server.config(`${name}[0]`));
      });
    }

    for (const { id, item } of rowsOf('WS-C').filter((row) => /^(SSLNegotiated|ConnectionUID)/.test(row.item))) {
      it(`${id}: ${item}`, async () => {
        const name = item.split('[')[0];
        await failsWith(10022, new WSServer().config(name));
        await failsWith(126, new WSServer().config(`${name}[0]`));
      });
    }
  });

  describe('errors', () => {
    for (const { id, message } of rowsOf('WS-X').filter((row) => row.message !== undefined)) {
      it(`${id}: ${message}`, () => {
        assert.strictEqual(new IPWorksSSLError(4202).message, message);
      });
    }

    it('WS-X-02: the codes are SSLServer\'s', async () => {
      const error = await new WSServer().disconnect('0').catch((reason) => reason);
      assert.ok(error instanceof ipworks.IPWorksSSLError);
      assert.strictEqual(error.message, rowsOf('SSL-X').find(({ item }) => item === '126').message);
    });
  });

  it('every item has a test of what it does, or a reason why not', () => {
    const tested = testedIds(path.basename(__filename), 'rows.test.js');
    for (const { id } of rowsOf('WS-X')) tested.add(id);
    const isTested = (id) => tested.has(id) || tested.has(SHARED.get(id)) || WITHOUT_TEST.has(id);
    const open = ROWS.map(({ id }) => id).filter((id) => id.startsWith('WS-') && !isTested(id));
    assert.deepStrictEqual(open, []);
  });
});
