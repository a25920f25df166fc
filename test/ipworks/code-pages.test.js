'use strict';

// Code pages: what is sent and read in each of them, and those that are refused.

const assert = require('assert');
const { SSLServer } = require('../../ipworks');
const { decode, encode } = require('../../lib/ipworks/event-objects');
const { event, readBytes } = require('../support/net');
const { failsWith, listening } = require('../support/ipworks');
const { rowsOf } = require('../support/rows');

/** A text that an encoding has, and its bytes, as Python's codecs have them. */
const SAMPLES = {
  'utf-8': ['é€😀', 'c3a9e282acf09f9880'],
  'utf-16le': ['é€', 'e900ac20'],
  'utf-16be': ['é€', '00e920ac'],
  'utf-32le': ['é😀', 'e900000000f60100'],
  'utf-32be': ['é😀', '000000e90001f600'],
  '7-bit ASCII': ['Az~', '417a7e'],
  'latin1 (exact 1:1)': ['\x80\x9fé', '809fe9'],
  'big5': ['中文', 'a4a4a4e5'],
  'euc-jp': ['日本', 'c6fccbdc'],
  'euc-kr': ['한국', 'c7d1b1b9'],
  'gb18030': ['中😀', 'd6d09439fc36'],
  'gbk': ['中文', 'd6d0cec4'],
  'ibm866': ['Жя', '86ef'],
  'iso-2022-jp': ['日本', '1b2442467c4b5c1b2842'],
  'iso-8859-15': ['€', 'a4'],
  'iso-8859-2': ['Łż', 'a3bf'],
  'iso-8859-3': ['Ħ', 'a1'],
  'iso-8859-4': ['Ąŋ', 'a1bf'],
  'iso-8859-5': ['Жя', 'b6ef'],
  'iso-8859-6': ['س', 'd3'],
  'iso-8859-7': ['Ωα', 'd9e1'],
  'iso-8859-8': ['אב', 'e0e1'],
  'iso-8859-8-i': ['אב', 'e0e1'],
  'koi8-r': ['Жя', 'f6d1'],
  'koi8-u': ['Їя', 'b7d1'],
  'macintosh': ['é€', '8edb'],
  'shift_jis': ['日本', '93fa967b'],
  'windows-1250': ['Łż', 'a3bf'],
  'windows-1251': ['Жя', 'c6ff'],
  'windows-1252': ['é€', 'e980'],
  'windows-1253': ['Ωα', 'd9e1'],
  'windows-1254': ['ğİ', 'f0dd'],
  'windows-1255': ['אב', 'e0e1'],
  'windows-1256': ['س€', 'd380'],
  'windows-1257': ['ąž', 'e0fe'],
  'windows-1258': ['đ₫', 'f0fe'],
  'windows-874': ['กข', 'a1a2'],
  'x-mac-cyrillic': ['Жя', '86df'],
};

/** Of OEM pages: their number decides. */
const OEM = {
  437: ['éα', '82e0'],
  720: ['éس', '82ab'],
  737: ['Ωα', '9798'],
  775: ['ąž', 'd0d8'],
  850: ['éð', '82d0'],
  852: ['Łż', '9dbe'],
  855: ['Жя', 'eade'],
  857: ['ğİ', 'a798'],
  858: ['é€', '82d5'],
  860: ['éã', '8284'],
  861: ['éþ', '8295'],
  862: ['אב', '8081'],
  863: ['éÀ', '828e'],
  864: ['٠٩', 'b0b9'],
  865: ['éø', '829b'],
  869: ['Ωα', 'd5d6'],
};

/** A number that stands twice in the documents is another page on macOS; it means the page that is not macOS's. */
const taken = new Set(rowsOf('SSL-CP').filter(({ item }) => !/Mac OS only/.test(item)).map(({ item }) => item.split(' ')[0]));

describe('code pages', () => {
  for (const { id, item, encoding } of rowsOf('SSL-CP')) {
    const [number] = item.split(' ');
    const page = Number(number);

    if (encoding === null) {
      it(`${id}: ${item} is refused with a sentence`, async () => {
        assert.ok(!/Mac OS only/.test(item) || !taken.has(number));
        const server = new SSLServer();
        await failsWith(10022, server.config(`CodePage=${number}`), new RegExp(`CodePage: .*\\b${page}\\b.*not supported`));
        assert.strictEqual(await server.config('CodePage'), '65001');
      });
      continue;
    }

    it(`${id}: ${item}`, async () => {
      const server = new SSLServer();
      assert.strictEqual(await server.config(`CodePage=${number}`), String(page));
      const [text, hex] = encoding === 'oem' ? OEM[page] : SAMPLES[encoding];
      assert.strictEqual(Buffer.from(encode(text, page)).toString('hex'), hex);
      assert.strictEqual(decode(Buffer.from(hex, 'hex'), page), text);
    });
  }

  it('SSL-C-59, SSL-E-11, SSL-M-13: what is read and sent is in the code page', async () => {
    const recorded = await listening(() => {}, { settings: ['CodePage=1251'] });
    const { client, id } = await recorded.connect();
    client.write(Buffer.from('c6ff', 'hex'));
    assert.deepStrictEqual(await recorded.data(1), [['Жя', true]]);
    const [{ textB }] = recorded.of('DataIn');
    assert.strictEqual(Buffer.from(textB).toString('hex'), 'c6ff');
    await recorded.server.sendText(id, 'Жя');
    await recorded.server.sendLine(id, 'я');
    assert.strictEqual((await readBytes(client, 5)).toString('hex'), 'c6ffff0d0a');
    // It may change at any time.
    await recorded.server.config('CodePage=65001');
    await recorded.server.sendText(id, 'я');
    assert.strictEqual((await readBytes(client, 2)).toString('hex'), 'd18f');
    client.end();
    await event(client, 'close');
  });

  it('a character that a page does not have, and bytes that are none, are replaced', () => {
    assert.strictEqual(encode('a中', 1252).length, 2);
    assert.strictEqual(decode(Buffer.from('61ff62', 'hex'), 65001), 'a\ufffdb');
  });
});
