/** The scorecard as text. */

import type { BesideCell, ScoreRow } from './scorecard.ts';
import type { Spread } from './statistics.ts';
import type { Verdict } from './targets.ts';

const HEAD = [
  'what',
  'server',
  'median (min–max)',
  'beside',
  'its median (min–max)',
  'ratio',
  'must be',
  'met',
  'n',
];

/** Writes the rows as a Markdown table, which also reads well on a screen. */
export function formatTable(rows: readonly ScoreRow[]): string {
  const cells = rows.flatMap(linesOf);
  const widths = HEAD.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [line(HEAD), rule, ...cells.map(line)].join('\n');
}

function linesOf(row: ScoreRow): string[][] {
  const own = [row.name, row.peer, formatSpread(row.spread, row.unit)];
  const count = String(row.spread.count);
  const lines = row.beside.map((cell) => [...besideOf(row, cell), count]);
  // A bound on the figure itself stands on a line of its own, in front of the peers.
  if (row.target !== undefined || lines.length === 0)
    lines.unshift(['', '', '', ...verdictOf(row.target), count]);
  return lines.map((line, at) => [...(at === 0 ? own : ['', '', '']), ...line]);
}

function besideOf(row: ScoreRow, cell: BesideCell): string[] {
  if ('missing' in cell) return [cell.peer, cell.missing, '–', '', ''];
  const { peer, spread, ratio, target } = cell;
  return [
    peer,
    formatSpread(spread, row.unit),
    formatRatio(row.spread, spread, ratio),
    ...verdictOf(target),
  ];
}

function verdictOf(target: Verdict | undefined): string[] {
  return target === undefined ? ['', ''] : [target.text, target.met ? 'yes' : 'NO'];
}

function formatSpread({ median, min, max, count }: Spread, unit: string): string {
  const shown = `${formatNumber(median)} ${unit}`.trimEnd();
  return count === 1 ? shown : `${shown} (${formatNumber(min)}–${formatNumber(max)})`;
}

function formatNumber(value: number): string {
  return value.toFixed(Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0);
}

/** Values below this, in any of the units, are nothing: a ratio to them says nothing. */
const NOTHING = 0.05;

function formatRatio(own: Spread, theirs: Spread, ratio: number): string {
  return own.min > NOTHING && theirs.min > NOTHING ? `${formatNumber(ratio)} ×` : '–';
}
