/** The scorecard as text. */

import type { ScoreRow } from './scorecard.ts';
import type { Spread } from './statistics.ts';

const HEAD = ['what', 'server', 'median (min–max)', 'beside', 'its median (min–max)', 'ratio', 'n'];

/** Writes the rows as a Markdown table, which also reads well on a screen. */
export function formatTable(rows: readonly ScoreRow[]): string {
  const cells = rows.flatMap((row) =>
    row.beside.map(({ peer, spread, ratio }, at) => [
      at === 0 ? row.name : '',
      at === 0 ? row.peer : '',
      at === 0 ? formatSpread(row.spread, row.unit) : '',
      peer,
      formatSpread(spread, row.unit),
      formatRatio(row.spread, spread, ratio),
      String(row.spread.count),
    ]),
  );
  const widths = HEAD.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [line(HEAD), rule, ...cells.map(line)].join('\n');
}

function formatSpread({ median, min, max, count }: Spread, unit: string): string {
  if (count === 1) return `${formatNumber(median)} ${unit}`;
  return `${formatNumber(median)} ${unit} (${formatNumber(min)}–${formatNumber(max)})`;
}

function formatNumber(value: number): string {
  return value.toFixed(Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0);
}

/** Values below this, in any of the units, are nothing: a ratio to them says nothing. */
const NOTHING = 0.05;

function formatRatio(own: Spread, theirs: Spread, ratio: number): string {
  return own.min > NOTHING && theirs.min > NOTHING ? `${formatNumber(ratio)} ×` : '–';
}
