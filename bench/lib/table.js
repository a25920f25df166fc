'use strict';

/** The middle of `values`, or the mean of the two in the middle. */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Least, middle and greatest of the numbers among `values`; null without any. */
function spread(values) {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return null;
  return { min: Math.min(...finite), median: median(finite), max: Math.max(...finite) };
}

/** A number with two decimals at most, fewer when it has three digits without them. */
function figure(value) {
  if (!Number.isFinite(value)) return '-';
  const digits = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Math.min(2, Math.max(0, 2 - digits)));
}

/** Lines of `rows` (arrays of cells) with columns of equal width; all but the first two columns to the right. */
function align(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((cells) => cells[column].length)));
  return rows.map((cells) =>
    cells
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ')
      .trimEnd(),
  );
}

/**
 * The results as text: for every row the medians of the peers, and for every peer but the base the ratio to the base of
 * the same round, as least, median and greatest over the rounds; then why something was not measured.
 */
exports.table = function table(results, { details }) {
  const [base, ...others] = [...results.peers].reverse();
  others.reverse();
  const head = ['', '', 'better', base, ...others.flatMap((peer) => [peer, 'ratio', 'min', 'max'])];
  const rows = [head];
  const reasons = new Set();
  let title = null;
  for (const row of results.rows) {
    const { unit, better, detail, values, summary, unmeasured } = row;
    if (detail && !details) continue;
    const value = (peer) => (unmeasured[peer] ? 'not measured' : figure(spread(values[peer])?.median));
    for (const [peer, reason] of Object.entries(unmeasured)) reasons.add(`${peer}: ${row.title}: ${reason}`);
    const cells = [row.title === title ? '' : row.title, unit, better, value(base)];
    title = row.title;
    for (const peer of others) {
      const ratio = summary[peer];
      cells.push(value(peer));
      for (const which of ['median', 'min', 'max']) cells.push(ratio ? ratio[which].toFixed(2) : '-');
    }
    rows.push(cells);
  }
  const notes = [...reasons].map((reason) => `not measured: ${reason}`);
  return [...align(rows), ...(notes.length > 0 ? ['', ...notes] : [])].join('\n');
};

exports.spread = spread;
