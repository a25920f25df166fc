'use strict';

// The ratios as an SVG. One fixed kind of chart needs few lines, and a chart library brings dozens of packages.

const { NOT_SERVED } = require('./phases');
const { spread } = require('./table');

const WIDTH = 900;
const MARGIN = 24;
/** Where the bars begin and end; the names of the rows are left of them, the ratios right. */
const PLOT = { left: 230, right: WIDTH - MARGIN - 140 };
const BAR = 12;
const HEAD = 132;
const LEGEND = 82;
const GROUP = 30;
const ROW_GAP = 9;
/** Bars end at this many times better or worse; the number beside them goes on. */
const FARTHEST = 16;

/** Fills on white and on black; more peers than colours begin again. */
const FILLS = [['#2563eb', '#6ea8fe'], ['#d97706', '#f5b942'], ['#0d9668', '#3ddc97'], ['#9333ea', '#c792ea']];

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328; }
  .paper { fill: #ffffff; }
  .title { font-size: 18px; font-weight: 600; }
  .group { font-size: 13px; font-weight: 600; }
  .soft, .figure { fill: #59636e; }
  .figure { font-size: 10px; }
  .grid { stroke: #d8dee4; }
  .base { stroke: #59636e; }
  .range { stroke: #1f2328; stroke-opacity: 0.55; }
${FILLS.map(([light], index) => `  .peer${index} { fill: ${light}; }`).join('\n')}
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .paper { fill: #0d1117; }
    .soft, .figure { fill: #9198a1; }
    .grid { stroke: #30363d; }
    .base { stroke: #9198a1; }
    .range { stroke: #e6edf3; }
${FILLS.map(([, dark], index) => `    .peer${index} { fill: ${dark}; }`).join('\n')}
  }
`;

const escape = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const text = (x, y, content, attributes = '') => `<text x="${x}" y="${y}" ${attributes}>${escape(content)}</text>`;
const line = (x1, y1, x2, y2, name) => `<line class="${name}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;

/** How many times better than the base: the ratio, or its inverse where less is better; NaN when there is none. */
function gain(ratio, better) {
  return ratio > 0 ? (better === 'more' ? ratio : 1 / ratio) : NaN;
}

/** A logarithmic axis with equality in the middle, wide enough for `gains`. */
function makeAxis(gains) {
  const farthest = Math.max(2, ...gains.map((value) => Math.max(value, 1 / value)));
  const reach = Math.log2(Math.min(FARTHEST, 2 ** Math.ceil(Math.log2(farthest))));
  const middle = (PLOT.left + PLOT.right) / 2;
  const scale = (PLOT.right - PLOT.left) / 2 / reach;
  const x = (value) => Math.round((middle + Math.max(-reach, Math.min(reach, Math.log2(value))) * scale) * 10) / 10;
  const ticks = [];
  for (let power = -reach; power <= reach; power++) {
    ticks.push({ x: x(2 ** power), name: power === 0 ? 'base' : 'grid', label: `${2 ** Math.abs(power)}×` });
  }
  return { x, ticks, middle };
}

/** The bar of one peer in one row: as long as its median, with a line from its least to its greatest ratio. */
function bar(row, peer, index, axis, y) {
  const summary = row.summary[peer];
  if (!summary) return [text(PLOT.right + 8, y + BAR - 3, `${peer}: not measured`, 'class="figure"')];
  const middle = axis.x(gain(summary.median, row.better));
  const ends = [summary.min, summary.max].map((ratio) => axis.x(gain(ratio, row.better)));
  const figures = `${summary.median.toFixed(2)} (${summary.min.toFixed(2)}–${summary.max.toFixed(2)})`;
  const parts = [text(PLOT.right + 8, y + BAR - 3, figures, 'class="figure"')];
  if (Number.isFinite(middle)) {
    const [from, width] = [Math.min(axis.middle, middle), Math.abs(middle - axis.middle)];
    const label = escape(`${row.title}, ${row.unit}, ${peer}: ${figures}`);
    parts.push(
      `<rect class="peer${index % FILLS.length}" x="${from}" y="${y}" width="${width.toFixed(1)}" height="${BAR - 2}">` +
      `<title>${label}</title></rect>`,
    );
    if (ends.every(Number.isFinite)) parts.push(line(ends[0], y + BAR / 2 - 1, ends[1], y + BAR / 2 - 1, 'range'));
  }
  return parts;
}

function legend(peers, y) {
  const step = 110;
  return peers.flatMap((peer, index) => [
    `<rect class="peer${index % FILLS.length}" x="${MARGIN + index * step}" y="${y - 9}" width="10" height="10"/>`,
    text(MARGIN + index * step + 16, y, peer),
  ]);
}

/** The results as an SVG document: for every row of the table a bar for every peer with its service, but the base. */
exports.chart = function chart(results) {
  const base = results.peers.at(-1);
  const peers = results.peers.slice(0, -1);
  const rows = results.rows.filter((row) => !row.detail);
  const gains = rows.flatMap((row) => peers.map((peer) => gain(row.summary[peer]?.median, row.better)));
  const axis = makeAxis(gains.filter(Number.isFinite));

  const body = [];
  let y = HEAD;
  let title = null;
  for (const row of rows) {
    if (row.title !== title) {
      title = row.title;
      y += GROUP;
      body.push(text(MARGIN, y - 8, title, 'class="group"'));
    }
    const shown = peers.filter((peer) => row.unmeasured[peer] !== NOT_SERVED);
    const height = shown.length * BAR;
    const value = spread(row.values[base]) ? '' : ` (${base}: not measured)`;
    const name = `${row.unit} ${row.better === 'more' ? '↑' : '↓'}${value}`;
    body.push(text(PLOT.left - 12, y + height / 2 + 4, name, 'class="soft" text-anchor="end"'));
    for (const [place, peer] of shown.entries()) {
      body.push(...bar(row, peer, peers.indexOf(peer), axis, y + place * BAR));
    }
    y += height + ROW_GAP;
  }

  const { cpu, cores, system } = results.machine;
  const { rounds, seconds, idle } = results.settings;
  const heading = `${peers.join(', ') || base} compared with ${base}`;
  const grid = axis.ticks.flatMap((tick) => [
    line(tick.x, HEAD, tick.x, y, tick.name),
    text(tick.x, HEAD - 6, tick.label, 'class="figure" text-anchor="middle"'),
  ]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y + MARGIN}" viewBox="0 0 ${WIDTH} ${y + MARGIN}" role="img">`,
    `<title>${escape(heading)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${WIDTH}" height="${y + MARGIN}"/>`,
    text(MARGIN, 34, heading, 'class="title"'),
    text(MARGIN, 54, `${cpu}, ${cores} cores, ${system}; ${results.date.slice(0, 10)}; ` +
      `${rounds} × ${seconds} s, ${idle} idle connections`, 'class="soft"'),
    ...legend(peers, LEGEND),
    text(PLOT.right, LEGEND, '↑ more is better, ↓ less is better', 'class="soft" text-anchor="end"'),
    text(axis.middle - 12, HEAD - 22, `← worse than ${base}`, 'class="soft" text-anchor="end"'),
    text(axis.middle + 12, HEAD - 22, `better than ${base} →`, 'class="soft"'),
    text(PLOT.right + 8, HEAD - 22, 'ratio (min–max)', 'class="soft"'),
    ...grid,
    ...body,
    '</svg>',
    '',
  ].join('\n');
};
