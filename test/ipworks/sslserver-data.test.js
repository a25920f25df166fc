'use strict';

// SSLServer's DataIn: what it is told of, and when.

const assert = require('assert');
const { once } = require('events');
const tls = require('tls');
const { track } = require('../support/cleanup');
const { failsWith, listening } = require('../support/ipworks');
const { dialTcp, readBytes } = require('../support/net');
const pki = require('../support/pki');
const { until } = require('../support/time');

const text = (events) => events.map((e) => e.text).join('');

/** Resolves when so many bytes of DataIn have come. */
function bytes(recorded, count) {
  const length = () => recorded.of('DataIn').reduce((sum, e) => sum + e.textB.length, 0);
  return recorded.until(() => length() >= count, `${count} bytes`);
}

/** Writes pieces `[bytes, events]`, each when so many DataIn events have come of those before. */
async function inPieces(recorded, client, pieces) {
  for (const [piece, count] of pieces) {
    client.write(piece);
    if (count === undefined) await new Promise(setImmediate);
    else await recorded.data(count);
  }
}

describe('SSLServer, DataIn', () => {
  it('SSL-E-09 to 13, SSL-P-03: without EOL bytes come as they are, and EOL is true', async () => {
    const recorded = await listening();
    const { client, id } = await recorded.connect();
    client.write('grüße\r\n');
    await bytes(recorded, 9);
    client.write(Buffer.from([0, 255, 13]));
    await bytes(recorded, 12);
    assert.strictEqual(Buffer.concat(recorded.of('DataIn').map((e) => e.textB)).toString('latin1'),
      `${Buffer.from('grüße\r\n').toString('latin1')}\0\xff\r`);
    for (const e of recorded.of('DataIn')) {
      assert.strictEqual(e.connectionId, id);
      assert.strictEqual(e.EOL, true);
      assert.ok(e.textB instanceof Uint8Array);
    }
    assert.strictEqual(recorded.of('DataIn')[0].text, 'grüße\r\n');
  });

  it('SSL-CN-05, SSL-CN-06, D-41: an EOL of several bytes, NUL among them, ends messages and is removed', async () => {
    const recorded = await listening((server) => server.setDefaultEOL(Buffer.from('\0<>')));
    const { client, id } = await recorded.connect();
    assert.strictEqual(recorded.connection(id).getEOL(), '\0<>');
    assert.deepStrictEqual([...recorded.connection(id).getEOLB()], [0, 60, 62]);
    await inPieces(recorded, client, [
      ['one\0<>two\0<>\0<>thr', 3], ['ee\0'], ['<'], ['>four\0<five\0\0<>', 5],
    ]);
    assert.deepStrictEqual(await recorded.data(5),
      [['one', true], ['two', true], ['', true], ['three', true], ['four\0<five\0', true]]);
  });

  it('SSL-CN-09, SSL-P-05, SSL-E-13: a line longer than MaxLineLength comes in parts, of which the last has EOL', async () => {
    const recorded = await listening((server) => {
      server.setDefaultEOL('\r\n');
      server.setDefaultMaxLineLength(256);
    });
    const { client, id } = await recorded.connect();
    assert.strictEqual(recorded.connection(id).getMaxLineLength(), 256);
    client.write(`${'a'.repeat(600)}\r\n${'b'.repeat(256)}\r\n${'c'.repeat(257)}\r`);
    await recorded.data(5);
    client.write('\n.\r\n');
    assert.deepStrictEqual((await recorded.data(7)).map(([line, ended]) => [line[0], line.length, ended]), [
      ['a', 256, false], ['a', 256, false], ['a', 88, true], ['b', 256, true], ['c', 256, false], ['c', 1, true],
      ['.', 1, true],
    ]);
    failsWith(10022, () => recorded.connection(id).setMaxLineLength(255));
    recorded.connection(id).setMaxLineLength(300);
    client.write(`${'d'.repeat(300)}\r\n`);
    assert.strictEqual((await recorded.data(8))[7][0].length, 300);
  });

  it('SSL-X-112: MaxLineLength cannot change while a line has begun', async () => {
    const recorded = await listening((server) => server.setDefaultEOL('\n'));
    const { client, id } = await recorded.connect();
    client.write('done\nbegun');
    await recorded.data(1);
    // The line is told before the thread has looked at what is behind it.
    await until(() => {
      try {
        recorded.connection(id).setMaxLineLength(2048);
        return false;
      } catch {
        return true;
      }
    }, 6_000, 'a line has begun');
    failsWith(112, () => recorded.connection(id).setMaxLineLength(4096));
    client.write(' and done\n');
    await recorded.data(2);
    recorded.connection(id).setMaxLineLength(4096);
    assert.strictEqual(recorded.connection(id).getMaxLineLength(), 4096);
  });

  it('SSL-E-13: what has no end comes before Disconnected, EOL false', async () => {
    const recorded = await listening((server) => server.setDefaultEOL('\r\n'));
    const { client } = await recorded.connect();
    client.end('whole\r\nrest\r');
    await recorded.first('Disconnected');
    assert.deepStrictEqual(await recorded.data(2), [['whole', true], ['rest\r', false]]);
    assert.strictEqual(recorded.events.at(-1)[0], 'Disconnected');
  });

  it('SSL-CN-14, SSL-P-06: lines end in CR, LF or CRLF, and EOL does not count', async () => {
    const recorded = await listening((server) => {
      server.setDefaultSingleLineMode(true);
      server.setDefaultEOL('b');
    });
    const { client, id } = await recorded.connect();
    assert.strictEqual(recorded.connection(id).isSingleLineMode(), true);
    // A CRLF that comes in two packets is one end.
    await inPieces(recorded, client, [['abc\rdef\nghi\r\n\r\n\n\rj', 6], ['k\r', 7], ['\nlast', 7]]);
    client.end();
    await recorded.first('Disconnected');
    assert.deepStrictEqual(await recorded.data(8),
      [...['abc', 'def', 'ghi', '', '', '', 'jk'].map((line) => [line, true]), ['last', false]]);
  });

  it('SSL-M-01, SSL-CN-11: records of a length, from within DataIn and back', async () => {
    const recorded = await listening((server) => server.setDefaultEOL('\n'));
    const { server } = recorded;
    const { client, id } = await recorded.connect();
    const seen = [];
    let body = false;
    server.on('DataIn', (e) => {
      seen.push([e.text, e.EOL]);
      body = !body;
      assert.strictEqual(server.connections.get(id).recordLength, body ? 0 : seen.at(-2)[0].length);
      server.changeRecordLength(id, body ? e.text.length : 0);
    });
    // As many bytes of a record as its line has, all in one packet.
    client.write('abc\n\n\n\nxy\n12three\nabc');
    await recorded.data(5);
    client.write('de');
    await recorded.data(6);
    client.write('tail\n');
    assert.deepStrictEqual((await recorded.data(7), seen),
      [['abc', true], ['\n\n\n', true], ['xy', true], ['12', true], ['three', true], ['abcde', true], ['tail', true]]);
    await failsWith(10022, server.changeRecordLength(id, -1));
    await failsWith(10022, server.changeRecordLength(id, 1.5));
    await failsWith(10022, server.changeRecordLength(id, '1'));
  });

  it('SSL-M-01: records come before lines and EOL, and a remainder at the end', async () => {
    const recorded = await listening((server) => {
      server.setDefaultSingleLineMode(true);
      server.setDefaultEOL('c');
    });
    const { server } = recorded;
    const { client, id } = await recorded.connect();
    await server.changeRecordLength(id, 4);
    assert.strictEqual(recorded.connection(id).getRecordLength(), 4);
    client.write('ab\ncdefgh');
    await recorded.data(2);
    client.end();
    await recorded.first('Disconnected');
    assert.deepStrictEqual(await recorded.data(3), [['ab\nc', true], ['defg', true], ['h', false]]);
  });

  it('SSL-M-01: large records are whole', async () => {
    const recorded = await listening();
    const { client, id } = await recorded.connect();
    await recorded.server.changeRecordLength(id, 100_000);
    const sent = Buffer.alloc(1_000_000, 'abcdefghijklmnopqrstuvwxyz0');
    client.write(sent);
    await bytes(recorded, sent.length);
    assert.deepStrictEqual(recorded.of('DataIn').map((e) => e.textB.length), Array(10).fill(100_000));
    assert.ok(Buffer.concat(recorded.of('DataIn').map((e) => e.textB)).equals(sent));
  });

  it('SSL-CN-05: another EOL counts from the next byte on, set within DataIn', async () => {
    const recorded = await listening((server) => server.setDefaultEOL('\n'));
    const { server } = recorded;
    const { client } = await recorded.connect();
    server.on('DataIn', (e) => {
      const connection = server.connections.get(e.connectionId);
      if (e.text === 'semicolons') connection.setEOL(';');
      else if (e.text === 'none') connection.setEOLB(new Uint8Array(0));
      else if (e.text === 'lines') connection.singleLineMode = true;
    });
    client.write('a\nsemicolons\nb\n;lines;c;d\re\n');
    assert.deepStrictEqual(await recorded.data(6),
      ['a', 'semicolons', 'b\n', 'lines', 'c;d', 'e'].map((line) => [line, true]));
  });

  it('SSL-M-06, SSL-M-07, SSL-CN-01: nothing comes while paused, the writer is held back, all comes afterwards', async () => {
    const recorded = await listening((server) => server.setDefaultEOL('\n'));
    const { server } = recorded;
    const { client, id } = await recorded.connect();
    await server.pauseData(id);
    assert.strictEqual(recorded.connection(id).isAcceptData(), false);
    const line = `${'x'.repeat(999)}\n`;
    const count = 32_000;
    // More than the kernel's buffers hold.
    client.write(Buffer.alloc(count * line.length, line));
    for (let i = 0; i < 20; i++) await server.doEvents();
    assert.deepStrictEqual(recorded.of('DataIn'), []);
    assert.ok(client.writableLength > 0, 'nothing held the writer back');
    let got = 0;
    server.removeAllListeners('DataIn');
    const all = new Promise((resolve, reject) => {
      server.on('DataIn', (e) => {
        if (e.text.length !== 999 || !e.EOL) reject(new Error(`line ${got} has ${e.text.length}`));
        if (++got === count) resolve();
      });
    });
    await server.processData(id);
    assert.strictEqual(recorded.connection(id).isAcceptData(), true);
    await all;
  });

  it('SSL-M-06: a pause within DataIn holds for the next message of the same packet', async () => {
    const recorded = await listening((server) => server.setDefaultEOL('\n'));
    const { server } = recorded;
    const { client, id } = await recorded.connect();
    const pause = (e) => { if (e.text === '2') server.pauseData(id); };
    server.on('DataIn', pause);
    client.write('1\n2\n3\n4\n');
    await recorded.data(2);
    client.end('rest');
    for (let i = 0; i < 5; i++) await server.doEvents();
    assert.strictEqual(recorded.of('DataIn').length, 2);
    assert.strictEqual(recorded.of('Disconnected').length, 0);
    await server.processData(id);
    await recorded.first('Disconnected');
    assert.deepStrictEqual(recorded.of('DataIn').map((e) => [e.text, e.EOL]),
      [['1', true], ['2', true], ['3', true], ['4', true], ['rest', false]]);
    assert.strictEqual(recorded.events.at(-1)[0], 'Disconnected');
  });

  it('SSL-G-02: whoever awaits one event after another misses none', async () => {
    const recorded = await listening((server) => server.setDefaultEOL('\n'));
    const { client } = await recorded.connect();
    client.write(Array.from({ length: 50 }, (_, i) => `${i}\n`).join(''));
    for (let i = 0; i < 50; i++) {
      const [{ text: line }] = await once(recorded.server, 'DataIn');
      assert.strictEqual(line, String(i));
    }
  });

  it('a connection is an async iterator of its data, and waits for the loop', async () => {
    const recorded = await listening((server) => server.setDefaultEOL('\n'));
    const { server } = recorded;
    const { client, id } = await recorded.connect();
    const other = await recorded.connect();
    const lines = server.connections.get(id)[Symbol.asyncIterator]();
    failsWith(10037, () => server.connections.get(id)[Symbol.asyncIterator]());
    other.client.write('not mine\n');
    const line = `${'x'.repeat(998)}`;
    const count = 32_000;
    client.end(Buffer.from(Array.from({ length: count }, (_, i) => `${line}${i % 10}\n`).join('')));
    assert.deepStrictEqual({ ...(await lines.next()).value.toJSON() }, { connectionId: id, text: `${line}0`, EOL: true });
    await until(() => !server.connections.get(id).isAcceptData(), 6_000, 'a pause');
    for (let i = 0; i < 20; i++) await server.doEvents();
    assert.ok(recorded.of('DataIn').length < 1000, String(recorded.of('DataIn').length));
    assert.ok(client.writableLength > 0, 'nothing held the writer back');
    let got = 1;
    for await (const { text: found } of lines) assert.strictEqual(found, `${line}${got++ % 10}`);
    assert.strictEqual(got, count);
    await recorded.first('Disconnected');
    // A loop that is left leaves the rest to the others.
    const rest = server.connections.get(other.id);
    other.client.write(Array.from({ length: 100 }, (_, i) => `${i}\n`).join(''));
    for await (const { text: found } of rest) if (found === '3') break;
    await recorded.until(() => recorded.of('DataIn').at(-1).text === '99', 'the rest');
    other.client.end();
    await recorded.first('Disconnected', 1);
    failsWith(126, () => rest[Symbol.asyncIterator]());
  });

  it('what the program has paused stays paused, though a loop wants more', async () => {
    const recorded = await listening((server) => server.setDefaultEOL('\n'));
    const { server } = recorded;
    const { client, id } = await recorded.connect();
    const connection = server.connections.get(id);
    const lines = connection[Symbol.asyncIterator]();
    const first = lines.next();
    client.write(Array.from({ length: 100 }, (_, i) => `${i}\n`).join(''));
    assert.strictEqual((await first).value.text, '0');
    await until(() => !connection.isAcceptData(), 6_000, 'a pause');
    await server.pauseData(id);
    const held = recorded.of('DataIn').length;
    assert.ok(held < 100, String(held));
    for (let i = 1; i < held; i++) assert.strictEqual((await lines.next()).value.text, String(i));
    const next = lines.next();
    for (let i = 0; i < 5; i++) await server.doEvents();
    assert.deepStrictEqual([recorded.of('DataIn').length, connection.isAcceptData()], [held, false]);
    await server.processData(id);
    assert.strictEqual((await next).value.text, String(held));
  });

  it('SSL-G-09: events do not begin within another', async () => {
    const recorded = await listening((server) => server.setDefaultEOL('\n'));
    const { server } = recorded;
    const first = await recorded.connect();
    const second = await recorded.connect();
    let depth = 0;
    const around = (listener) => (e) => {
      assert.strictEqual(depth, 0);
      depth++;
      listener?.(e);
      depth--;
    };
    server.on('DataIn', around((e) => {
      server.pauseData(e.connectionId);
      server.processData(e.connectionId);
      server.changeRecordLength(e.connectionId, 2);
      server.changeRecordLength(e.connectionId, 0);
      server.sendLine(e.connectionId, 'x');
      if (e.text === 'end') for (const id of [first.id, second.id]) server.disconnect(id);
    }));
    for (const name of ['Disconnected', 'ReadyToSend']) server.on(name, around());
    second.client.write('1\n2\n3\n');
    await recorded.data(3);
    first.client.write('1\nend\nnever\n');
    await recorded.first('Disconnected', 1);
    assert.strictEqual(depth, 0);
    assert.ok(!text(recorded.of('DataIn')).includes('never'), 'data behind disconnect()');
  });

  it('SSL-C-59: text is that of the code page, here and there', async () => {
    const recorded = await listening((server) => server.setDefaultEOL('\n'), { settings: ['CodePage=1252'] });
    const { server } = recorded;
    const { client, id } = await recorded.connect();
    client.write(Buffer.from('\x80 caf\xe9\n', 'latin1'));
    assert.deepStrictEqual(await recorded.data(1), [['€ café', true]]);
    assert.strictEqual(Buffer.from(recorded.of('DataIn')[0].textB).toString('latin1'), '\x80 caf\xe9');
    await server.sendText(id, 'é€');
    await server.sendLine(id, 'ü');
    assert.strictEqual((await readBytes(client, 5)).toString('latin1'), '\xe9\x80\xfc\r\n');
    await failsWith(10022, server.config('CodePage=37'), /37/);
    await failsWith(10022, server.config('CodePage=latin'));
    assert.strictEqual(await server.config('CodePage'), '1252');
    // Bytes are bytes.
    await server.send(id, Buffer.from('é'));
    assert.strictEqual(String(await readBytes(client, 2)), 'é');
    // From now on.
    await server.config('CodePage=65001');
    client.write('é\n');
    assert.deepStrictEqual((await recorded.data(2))[1], ['é', true]);
  });

  it('defaults count for connections that come later, not for those that are there', async () => {
    const recorded = await listening((server) => server.setDefaultEOL('\n'));
    const { server } = recorded;
    const early = await recorded.connect();
    server.setDefaultEOL(';');
    server.setDefaultMaxLineLength(512);
    const late = await recorded.connect();
    assert.deepStrictEqual([early, late].map(({ id }) => recorded.connection(id))
      .map((connection) => [connection.getEOL(), connection.getMaxLineLength()]), [['\n', 2048], [';', 512]]);
    early.client.write('a;b\n');
    late.client.write('c\nd;');
    const got = await recorded.data(2);
    assert.deepStrictEqual(got.sort(), [['a;b', true], ['c\nd', true]]);
  });

  it('a client that was accepted before a change of the defaults has those of before', async () => {
    const recorded = await listening((server) => server.setDefaultEOL('\n'));
    const { server } = recorded;
    const raw = await dialTcp(recorded.port);
    // Who comes later is accepted later.
    await recorded.connect();
    server.setDefaultEOL('');
    const client = track(tls.connect({ socket: raw, ca: pki.ca, servername: 'localhost' }));
    const { connectionId } = await recorded.first('Connected', 1);
    assert.strictEqual(recorded.connection(connectionId).getEOL(), '\n');
    client.write('one\ntwo');
    assert.deepStrictEqual(await recorded.data(1), [['one', true]]);
    client.end();
    await recorded.first('Disconnected');
    assert.deepStrictEqual((await recorded.data(2))[1], ['two', false]);
  });

  it('SSL-CN-05: another EOL counts for what waits for its end', async () => {
    const recorded = await listening((server) => server.setDefaultEOL('\n'));
    const { client, id } = await recorded.connect();
    const connection = recorded.connection(id);
    const begun = () => {
      try {
        connection.setMaxLineLength(2048);
        return false;
      } catch (error) {
        return error.code === 112;
      }
    };
    let count = 0;
    for (const [eol, other] of [[';', '\n'], ['\n', ';'], [';', '\n']]) {
      client.write(`a${eol}b`);
      await until(begun, 6_000, 'the beginning of a line');
      connection.setEOL(eol);
      assert.deepStrictEqual((await recorded.data(++count)).at(-1), ['a', true]);
      client.write(`${other}c${eol}`);
      assert.deepStrictEqual((await recorded.data(++count)).at(-1), [`b${other}c`, true]);
    }
  });
});
