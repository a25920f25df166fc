'use strict';

// Makes test/ipworks/rows.json out of the feature table, a document of the project's owner with a Markdown table row
// for each documented item:
//
//   node test/support/make-rows.js FEATURES.md > test/ipworks/rows.json
//
// What a test can compare with is taken out of the sentences here, so that the tests need no document.
// ws-rows.json has WSServer's rows in the same form, by hand: their names are those of another edition in the table.

const fs = require('fs');

/** A default as the table writes it: a value, or the words. */
function valueOf(text) {
  if (text === '-') return undefined;
  const quoted = /^'([^']*)'/.exec(text);
  if (quoted) return quoted[1];
  if (/^(true|false)\b/.test(text)) return text.startsWith('true');
  const number = /^(\d+)(?: ms| sslpAutomatic| cstUser| \(min| \(from|$)/.exec(text);
  return number ? Number(number[1]) : text;
}

/** By group: what else a row says. */
const DETAILS = {
  // "text" What it means. from OS error EINTR
  'SSL-X'(behaviour) {
    const [, message] = /^"((?:[^"]|"(?! ))*)"/.exec(behaviour);
    const [, system = ''] = /from OS error ([A-Z_/]+)$/.exec(behaviour) ?? [];
    return { message, system: system === '' ? [] : system.split('/') };
  },
  'SSL-CS': (behaviour) => ({ refused: /refused/.test(behaviour) }),
  'SSL-CALG': (behaviour) => ({ chooses: behaviour.replace(/^Schannel id (mapped: )?/, '') }),
  'SSL-CP'(behaviour) {
    const [, encoding] = /^encoding (.+)$/.exec(behaviour) ?? [];
    return { encoding: encoding ?? (behaviour.startsWith('single-byte table') ? 'oem' : null) };
  },
};

function rowOf(line) {
  // A bar within a cell is written \|.
  const [, id, item, initial, behaviour, tags] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
  const found = /^(SSL-[A-Z]+)-\d+$/.exec(id ?? '');
  if (found === null) return null;
  const none = tags.split(' ').filter((tag) => /^(NOOP|REFUSE)$/.test(tag));
  return {
    id,
    item,
    default: valueOf(initial),
    ...(none.length > 0 ? { none: none[0] } : {}),
    ...DETAILS[found[1]]?.(behaviour),
  };
}

const rows = fs.readFileSync(process.argv[2], 'utf8').split('\n').map(rowOf).filter((row) => row !== null);
process.stdout.write(`[\n${rows.map((row) => `  ${JSON.stringify(row)}`).join(',\n')}\n]\n`);
