'use strict';

// The face has every documented item under its name, with its default; and each has a test of what it does.

const assert = require('assert');
const fs = require('fs');
const path = require('path');
const ipworks = require('../../ipworks');
const { dial, failsWith, listening } = require('../support/ipworks');
const { event } = require('../support/net');
const pki = require('../support/pki');
const { ROWS, fieldsOf, idsIn, idsTestedIn, plainName, rowsOf, testedIds } = require('../support/rows');

const { Certificate, CertStoreTypes, Connection, SSLServer } = ipworks;

/** Rows that no test of behaviour names, and why. Settings without an effect are stored, as is seen below. */
const WITHOUT_TEST = {
  ...Object.fromEntries(rowsOf('SSL-C').filter(({ none }) => none === 'NOOP').map(({ id }) => [id, 'it does nothing'])),
};

/** What a getter gives, as the table writes it. */
const shown = (value) => (value instanceof Uint8Array ? Buffer.from(value).toString() : value);

/** An accessor of `object` and the plain property give `expected`; what can be set has a setter. */
function assertProperty(object, name, expected, isWritable) {
  const getter = typeof expected === 'boolean' ? `is${name}` : `get${name}`;
  assert.strictEqual(typeof object[getter], 'function', getter);
  assert.strictEqual(shown(object[getter]()), expected, getter);
  assert.strictEqual(shown(object[plainName(name)]), expected, plainName(name));
  assert.strictEqual(typeof object[`set${name}`], isWritable ? 'function' : 'undefined', `set${name}`);
  if (!isWritable) assert.throws(() => { object[plainName(name)] = expected; }, TypeError);
}

describe('documented items', () => {
  it('are all here', () => {
    const counts = { G: 10, P: 15, M: 16, E: 42, CT: 42, CST: 25, CN: 18, C: 62, CS: 62, CALG: 50, X: 73, CP: 174 };
    for (const [group, count] of Object.entries(counts)) assert.strictEqual(rowsOf(`SSL-${group}`).length, count, group);
    assert.strictEqual(new Set(ROWS.map(({ id }) => id).filter((id) => id.startsWith('SSL-'))).size, 589);
  });

  describe('properties', () => {
    for (const { id, item, default: initial } of rowsOf('SSL-P')) {
      const [, name, verbs] = /^(\w+) (.+)$/.exec(item);
      it(`${id}: ${name}`, () => {
        const server = new SSLServer();
        if (name === 'Connections') {
          assert.ok(server.getConnections() instanceof ipworks.ConnectionMap);
          assert.deepStrictEqual([...server.connections], []);
          return;
        }
        if (name === 'SSLCert') {
          assert.deepStrictEqual([server.getSSLCert().getSubject(), server.sslCert instanceof Certificate], ['', true]);
          assert.strictEqual(typeof server.setSSLCert, 'function');
          return;
        }
        assertProperty(server, name, initial, verbs.includes('set'));
      });
    }
  });

  describe('methods', () => {
    for (const { id, item } of rowsOf('SSL-M')) {
      const [, name, parameters] = /^(\w+)\((.*)\)$/.exec(item);
      it(`${id}: ${name}`, async () => {
        assert.strictEqual(typeof SSLServer.prototype[name], 'function');
        const least = parameters === '' ? 0 : parameters.split(',').length;
        assert.ok(SSLServer.prototype[name].length >= least, `${name} takes ${SSLServer.prototype[name].length}`);
        const promise = new SSLServer()[name]();
        assert.ok(promise instanceof Promise);
        await promise.catch(() => {});
      });
    }
  });

  describe('events', () => {
    const initial = new Map();      // by event, what the first one looked like: field -> [value, writable]

    before(async () => {
      const note = (name) => (e) => {
        if (!initial.has(name)) initial.set(name, fieldsOf(e));
      };
      const recorded = await listening((server) => {
        server.setSSLAuthenticateClients(true);
        const names = new Set(rowsOf('SSL-E').map(({ item }) => item.split(/[. ]/)[0]));
        for (const name of names) server.on(name, note(name));
      }, { settings: ['MaxConnections=1', `SSLClientCACerts=${pki.ca}`] });
      const { client } = await recorded.connect(pki.pair('client'));
      client.write('hello');
      await recorded.data(1);
      dial(recorded.port);
      await recorded.first('Error');
      client.end();
      await event(client, 'close');
      await recorded.first('Disconnected');
    });

    for (const { id, item, default: expected } of rowsOf('SSL-E')) {
      const [name, field] = item.replace(' (writable)', '').split('.');
      it(`${id}: ${item}`, () => {
        assert.ok(initial.has(name), name);
        if (field === undefined) return;
        const fields = initial.get(name);
        assert.ok(fields.has(field), `${field} of ${[...fields.keys()]}`);
        const [value, isWritable] = fields.get(field);
        assert.strictEqual(isWritable, item.endsWith('(writable)'));
        if (field === 'connectionId' && name !== 'Error') assert.match(value, /^\d+$/);
        else if (expected === 'true if EOL empty' || expected === 'verification result') assert.strictEqual(value, true);
        else if (expected !== undefined) assert.strictEqual(value, expected);
      });
    }

    it('have no other fields', () => {
      const documented = (name) => rowsOf('SSL-E').map(({ item }) => item.replace(' (writable)', '').split('.'))
        .filter(([of, field]) => of === name && field !== undefined).map(([, field]) => field);
      for (const [name, fields] of initial) {
        assert.deepStrictEqual([...fields.keys()].sort(), documented(name).sort(), name);
      }
    });
  });

  describe('Certificate', () => {
    const writable = new Set(
      ['KeyPassword', 'Store', 'StoreB', 'StorePassword', 'StoreType', 'Subject', 'Encoded', 'EncodedB']);

    for (const { id, item, default: expected } of rowsOf('SSL-CT')) {
      if (!/^\w+$/.test(item)) continue;
      it(`${id}: ${item}`, () => {
        assertProperty(new Certificate(), item, item === 'KeyPassword' ? '' : expected, writable.has(item));
      });
    }

    for (const { id, item } of rowsOf('SSL-CST')) {
      const [, number, name] = /^(\d+) (\w+)$/.exec(item) ?? [];
      if (name === undefined) continue;
      it(`${id}: ${name}`, () => {
        assert.strictEqual(CertStoreTypes[name], Number(number));
        new Certificate().setStoreType(Number(number));
      });
    }
  });

  describe('Connection', () => {
    const writable = new Set(
      ['EOL', 'EOLB', 'IdleTimeout', 'MaxLineLength', 'SingleLineMode', 'Timeout', 'UserData', 'UserDataB']);

    for (const { id, item, default: expected } of rowsOf('SSL-CN')) {
      if (!/^\w+$/.test(item)) continue;
      it(`${id}: ${item}`, () => {
        assertProperty(new Connection(), item, expected, writable.has(item));
      });
    }
  });

  describe('configuration settings', () => {
    const asText = (value) => (typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value));
    const flags = rowsOf('SSL-C').filter(({ item }) => /^SSL(SecurityFlags|EnabledProtocols) /.test(item));

    for (const { id, item, default: expected } of rowsOf('SSL-C')) {
      if (!/^\w+$/.test(item)) continue;
      it(`${id}: ${item}`, async () => {
        const server = new SSLServer();
        const value = await server.config(item);
        assert.strictEqual(typeof value, 'string');
        assert.strictEqual(await server.config(item.toUpperCase()), value);
        assert.strictEqual(await server.config(item.toLowerCase()), value);
        if (item === 'TLS12SignatureAlgorithms') {
          assert.deepStrictEqual(value.split(','), ['sha512', 'sha384', 'sha256', 'sha224', 'sha1']
            .flatMap((hash) => ['ecdsa', 'rsa', 'dsa'].map((key) => `${hash}-${key}`)));
        } else if (expected === 'system') {
          assert.strictEqual(value, '0');
        } else if (/ms/.test(expected)) {
          assert.strictEqual(value, /^\d+/.exec(expected)[0]);
        } else if (expected !== undefined) {
          assert.strictEqual(value, asText(expected));
        }
        // What was read can be set, unless it tells of the build.
        if (/^(Build|License)Info$/.test(item)) await failsWith(10022, server.config(`${item}=x`));
        else assert.strictEqual(await server.config(`${item}=${value}`), value);
      });
    }

    for (const { id, item } of flags) {
      const [, name, bits] = /^(\w+) (?:value )?(\S+)$/.exec(item);
      it(`${id}: ${item}`, async () => {
        const server = new SSLServer();
        const value = bits.startsWith('0x') ? bits : /^(\d+)/.exec(rowsOf('SSL-C').find((row) => row.id === id).default)[0];
        assert.strictEqual(await server.config(`${name}=${value}`), String(Number(value)));
      });
    }

    for (const { id, item } of rowsOf('SSL-C').filter((row) => row.item.endsWith('[connId]'))) {
      it(`${id}: ${item}`, async () => {
        const recorded = await listening();
        const { id: connectionId } = await recorded.connect();
        const [name] = item.split('[');
        assert.match(await recorded.server.config(`${name}[${connectionId}]`), /./);
        await failsWith(10022, recorded.server.config(name));
        await failsWith(126, recorded.server.config(`${name}[0]`));
        await failsWith(10022, recorded.server.config(`${name}[${connectionId}]=x`));
      });
    }
  });

  it('have a type, and a sentence in README when a code page is missing', () => {
    const root = path.join(__dirname, '..', '..');
    const folder = path.join(root, 'lib', 'ipworks', 'types');
    const files = [path.join(root, 'ipworks.d.ts'), ...fs.readdirSync(folder).map((name) => path.join(folder, name))];
    const types = files.map((name) => fs.readFileSync(name, 'utf8')).join('\n');
    for (const { id, item, default: initial } of ROWS) {
      const has = (pattern) => assert.match(types, new RegExp(pattern), id);
      if (/^SSL-(P|CN|CT)-/.test(id) && /^\w+( get| is|$)/.test(item)) {
        const [name] = item.split(' ');
        has(`\\b${typeof initial === 'boolean' ? 'is' : 'get'}${name}\\(\\): `);
        has(`\\b${plainName(name)}(\\(\\))?: `);
      } else if (/^SSL-(C|CST|M|E)-/.test(id)) {
        // Of `0 cstUser` and `Connected.description` the second word.
        has(`\\b${/^(?:\d+ |\w+\.)?(\w+)/.exec(item)[1]}\\b`);
      } else if (/^SSL-X-/.test(id)) {
        has(`\\b${item}: \\w`);
      }
    }
    const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8');
    const [, listed] = /Not there: ([^]+?)\n\n/.exec(readme);
    const ranges = [...listed.matchAll(/(\d+)(?:\s+to\s+(\d+))?/g)]
      .map(([, from, to = from]) => [Number(from), Number(to)]);
    const isListed = (page) => ranges.some(([from, to]) => page >= from && page <= to);
    for (const { item, encoding, id } of rowsOf('SSL-CP')) {
      const [number] = item.split(' ');
      if (!number.startsWith('0x')) assert.strictEqual(isListed(Number(number)), encoding === null, `${id} ${item}`);
    }
  });

  describe('and their tests', () => {
    it('ids are found', () => {
      assert.deepStrictEqual(idsIn('a row (SSL-P-01, 03 to 05 and 07), SSL-M-02: 16 of them'),
        ['SSL-P-01', 'SSL-P-03', 'SSL-P-04', 'SSL-P-05', 'SSL-P-07', 'SSL-M-02']);
      const source = '  // SSL-P-01\n/** SSL-P-04 */\nit(\'SSL-P-02\', () => {}); it(`SSL-P-03`, y); rowsOf(\'SSL-G\');';
      const group = rowsOf('SSL-G').map(({ id }) => id);
      assert.deepStrictEqual(idsTestedIn(source).sort(), [...group, 'SSL-P-02', 'SSL-P-03']);
    });

    it('every item has a test of what it does, or a reason why not', () => {
      const tested = testedIds(path.basename(__filename));
      const open = ROWS.map(({ id }) => id).filter((id) => !tested.has(id) && !Object.hasOwn(WITHOUT_TEST, id));
      assert.deepStrictEqual(open, []);
    });
  });
});
