'use strict';

// The benchmark's own parts: which peers it takes, what it refuses, and the chart. It needs no other runtime.

const assert = require('assert');
const path = require('path');
const { chart } = require('../../bench/lib/chart');
const { checkOpenFiles, choosePhases, peersOf } = require('../../bench/lib/options');
const { choosePeers } = require('../../bench/lib/peers');
const { NOT_SERVED, PHASES, measurePhase } = require('../../bench/lib/phases');
const { table } = require('../../bench/lib/table');
const { run } = require('../support/program');

const RUN = path.join(__dirname, '..', '..', 'bench', 'run.js');

const KNOWN = { fast: { command: 'a' }, gone: { command: null }, base: { command: 'b' } };

/** Results as of one round: every ratio is 1.5, but that `gone` has no numbers, and names have to be escaped. */
function makeResults() {
  const peers = ['a<b&"c"', 'gone', 'base'];
  const rows = PHASES.flatMap(({ name: phase, title, rows: metrics }) => metrics.map((metric) => ({
    phase, title, ...metric,
    values: { [peers[0]]: [3], gone: [null], base: [2] },
    summary: { [peers[0]]: { min: 1.4, median: 1.5, max: 1.6 }, gone: null, base: { min: 1, median: 1, max: 1 } },
    unmeasured: { gone: 'it cannot' },
  })));
  const machine = { cpu: 'CPU', cores: 2, system: 'Linux' };
  return { peers, rows, machine, date: '2026-01-02T03:04:05Z', settings: { rounds: 1, seconds: 1, idle: 10 } };
}

/** The texts of the elements of `xml`; throws unless every element is closed in order and nothing is left unescaped. */
function readXml(xml) {
  const open = [];
  const texts = [];
  let at = 0;
  for (const tag of xml.matchAll(/<(\/?)([a-z]\w*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/gi)) {
    const between = xml.slice(at, tag.index);
    at = tag.index + tag[0].length;
    assert.doesNotMatch(between, /<|&(?!#\d+;)/);
    assert.doesNotMatch(tag[3], /&(?!#\d+;)/);
    if (between.trim()) {
      assert.ok(open.length > 0, between);
      texts.push(between.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code)));
    }
    if (tag[1]) assert.strictEqual(open.pop(), tag[2]);
    else if (!tag[4]) open.push(tag[2]);
  }
  assert.deepStrictEqual({ open, rest: xml.slice(at).trim() }, { open: [], rest: '' });
  return texts;
}

describe('the benchmark', () => {
  it('takes all peers that are installed and tells how to install the others', () => {
    const { peers, notice } = choosePeers(undefined, KNOWN);
    assert.deepStrictEqual(peers.map(({ name }) => name), ['fast', 'base']);
    assert.match(notice, /not installed: gone; to install: npm --prefix bench ci$/);
  });

  it('takes the peers that are named, also one twice', () => {
    const { peers, notice } = choosePeers('base,base', KNOWN);
    assert.deepStrictEqual(peers.map(({ name }) => name), ['base', 'base#2']);
    assert.strictEqual(notice, null);
  });

  it('refuses peers that are unknown or not installed', () => {
    assert.throws(() => choosePeers('fast,nobody', KNOWN), { name: 'RangeError', message: /unknown peer nobody/ });
    assert.throws(() => choosePeers('constructor', KNOWN), { name: 'RangeError', message: /unknown peer constructor/ });
    assert.throws(() => choosePeers('gone', KNOWN), { name: 'RangeError', message: /gone .*: npm --prefix bench ci$/ });
  });

  it('measures a group of phases, and its peers, only when it is named', () => {
    const names = (phases) => phases.map(({ name }) => name);
    const isOfGroup = (name) => name.startsWith('websocket-');
    assert.ok(!names(choosePhases()).some(isOfGroup));
    assert.deepStrictEqual(names(choosePhases('websocket')), names(PHASES).filter(isOfGroup));
    assert.deepStrictEqual(names(choosePhases('websocket-64x1,idle')).sort(), ['idle', 'websocket-64x1']);
    assert.ok('uwebsockets' in peersOf(choosePhases('websocket-64x1')));
    assert.ok(!('uwebsockets' in peersOf(choosePhases())));
  });

  it('refuses more idle connections than a process may open files', () => {
    checkOpenFiles(10_000, 20_000);
    assert.throws(() => checkOpenFiles(10_000, 4096), { name: 'RangeError', message: /ulimit -Hn .*--idle 3896/ });
  });

  for (const [args, message] of [
    [['--peers', 'nobody'], 'unknown peer nobody'],
    [['--only', 'nothing'], 'unknown phase'],
    [['--results', '../up'], 'no file name'],
    [['--rounds', '0'], 'not a number from 1 to 50'],
  ]) {
    it(`refuses ${args.join(' ')} before it measures anything`, async () => {
      const { code, stdout, stderr } = await run(process.execPath, [RUN, ...args]);
      assert.deepStrictEqual({ code, stdout }, { code: 1, stdout: '' });
      assert.ok(stderr.includes(message), stderr);
    });
  }
});

describe('the benchmark\'s results', () => {
  it('as a chart are well-formed and have every row', () => {
    const results = makeResults();
    const texts = readXml(chart(results));
    for (const row of results.rows.filter(({ detail }) => !detail)) {
      const arrow = row.better === 'more' ? '↑' : '↓';
      assert.ok(texts.includes(row.title), row.title);
      assert.ok(texts.includes(`${row.unit} ${arrow}`), row.unit);
      assert.ok(texts.includes(`${row.title}, ${row.unit}, a<b&"c": 1.50 (1.40–1.60)`), row.unit);
    }
    assert.ok(texts.includes('gone: not measured'));
  });

  it('as a chart have no bar for a peer without the service', () => {
    const results = makeResults();
    const named = (texts) => texts.filter((text) => text === 'gone: not measured').length;
    const before = named(readXml(chart(results)));
    results.rows[0].unmeasured.gone = NOT_SERVED;
    assert.strictEqual(named(readXml(chart(results))), before - 1);
  });

  it('have words in place of the values of a service that a peer does not have', () => {
    const [phase] = PHASES;
    const values = measurePhase(phase, {}, { ports: {} });
    assert.deepStrictEqual(Object.keys(values), phase.rows.map(({ metric }) => metric));
    assert.deepStrictEqual(new Set(Object.values(values)), new Set([NOT_SERVED]));
  });

  it('as a table tell why something was not measured', () => {
    const text = table(makeResults(), { details: false });
    const cells = ['echo 1 KiB, 64 connections', 'messages/s', 'more', '2.00', '3.00', '1.50', '1.40', '1.60', 'not measured'];
    assert.match(text, new RegExp(cells.join(' +')));
    assert.match(text, /^not measured: gone: idle connections: it cannot$/m);
  });
});
