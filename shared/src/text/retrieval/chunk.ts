/** Cuts a document into passages that can be read, found and cited on their own. */

import { cutLines, cutSentences, type Piece } from './cut-long.ts';
import type { DocumentText, PassageSpan, TextBlock } from './document-text.ts';
import { weigh } from './weigh.ts';

/** How long passages are. */
export interface PassageOptions {
  /** Parts are joined up to here, in tokens as {@link weigh} estimates them. Default 200. */
  readonly targetTokens?: number;
  /** No passage is longer; at least 8. Default 320. */
  readonly maxTokens?: number;
}

/** A part that is not cut any further. */
interface Atom extends Piece {
  readonly isHeading: boolean;
  /** Of a heading; 7 of what no heading begins. */
  readonly level: number;
  /** The headings above it, outermost first. */
  readonly path: readonly string[];
  readonly page: number | undefined;
  /** Of prose that had to be cut: its block, so that a sentence may be in both parts. */
  readonly block: number | undefined;
}

const NO_LEVEL = 7;

/** Longest name of one heading in a path, in characters. */
const HEADING_CHARS = 120;

/**
 * The passages, in order. Together they hold every character that is not white. A new section
 * begins a new passage unless the one before it is small; prose that is too long is cut between
 * sentences, the last of which is in both parts where it is short; code, tables and lists stay whole
 * where they fit and are cut between lines where not. The time is linear in the text.
 */
export function cutPassages(content: DocumentText, options: PassageOptions = {}): PassageSpan[] {
  const max = Math.max(8, options.maxTokens ?? 320) * 4;
  const target = Math.min(max, (options.targetTokens ?? 200) * 4);
  const passages: PassageSpan[] = [];
  let group: Atom[] = [];
  let weight = 0;

  const close = () => {
    const [first] = group;
    if (first !== undefined) passages.push(toSpan(content.text, first, group));
    group = [];
    weight = 0;
  };
  const add = (atom: Atom) => {
    const before = group.at(-1);
    // The gap is part of the passage as well.
    if (before !== undefined && before.end < atom.start) {
      weight += weigh(content.text, before.end, atom.start);
    }
    group.push(atom);
    weight += atom.weight;
  };
  const fits = (atom: Atom, most: number) => {
    const gap = atom.start - (group.at(-1)?.end ?? atom.start);
    return weight + atom.weight + Math.max(0, gap) * 4 <= most;
  };

  for (const atom of atomsOf(content, max)) {
    const beginsSection = atom.isHeading && atom.level <= levelOf(group);
    if (group.length > 0 && beginsSection && (weight >= target / 4 || !fits(atom, max))) close();
    // A little more beats a passage that says nothing by itself.
    const most = weight < target / 3 ? max : target;
    if (group.length > 0 && !fits(atom, most)) {
      const carried = carriedOver(group, atom, target, max);
      if (carried.length < group.length) {
        if (carried[0]?.isHeading) group.length -= carried.length;
        close();
        for (const again of carried) add(again);
      }
      // What was carried is worth less than the bound.
      if (!fits(atom, max)) close();
    }
    add(atom);
  }
  close();
  return passages;
}

/** What the next passage begins with: the headings at the end, or the sentence before a cut. */
function carriedOver(
  group: readonly Atom[],
  next: Atom,
  target: number,
  max: number,
): readonly Atom[] {
  let from = group.length;
  while (group[from - 1]?.isHeading) from -= 1;
  if (from < group.length) return group.slice(from);
  const last = group.at(-1);
  const isCut = last?.block !== undefined && last.block === next.block;
  const isSmall = isCut && last.weight <= target / 4 && last.weight + next.weight <= max;
  return isSmall && group.length > 1 ? [last] : [];
}

/** The level of the highest section that a group is in; 0 lets nothing begin one. */
function levelOf(group: readonly Atom[]): number {
  return group.reduce((least, { level }) => Math.min(least, level), NO_LEVEL);
}

function toSpan(text: string, first: Atom, group: readonly Atom[]): PassageSpan {
  let end = group.at(-1)?.end ?? first.end;
  while (end > first.start && /\s/.test(text.charAt(end - 1))) end -= 1;
  const { path, page } = first;
  let shared = path.length;
  for (const { path: other } of group) {
    let same = 0;
    while (same < shared && path[same] === other[same]) same += 1;
    shared = same;
  }
  return {
    start: first.start,
    end,
    heading: path.slice(0, shared).join(' › '),
    ...(page === undefined ? {} : { page }),
  };
}

function* atomsOf({ text, blocks }: DocumentText, max: number): Generator<Atom> {
  const open: { readonly level: number; readonly name: string }[] = [];
  let path: readonly string[] = [];
  let level = NO_LEVEL;
  for (const [number, block] of blocks.entries()) {
    const [start, end] = trimmed(text, block);
    if (start === end) continue;
    const isHeading = block.kind === 'heading';
    if (isHeading) {
      level = block.level ?? 1;
      while ((open.at(-1)?.level ?? 0) >= level) open.pop();
      open.push({ level, name: nameOf(text, start, end) });
      path = open.map(({ name }) => name);
    }
    const weight = weigh(text, start, end);
    const shared = { level, path, page: block.page };
    if (weight <= max) {
      yield { ...shared, start, end, weight, isHeading, block: undefined };
      continue;
    }
    const isProse = isHeading || block.kind === 'paragraph';
    const cut = isProse ? cutSentences : cutLines;
    for (const piece of cut(text, start, end, max)) {
      yield { ...shared, ...piece, isHeading: false, block: isProse ? number : undefined };
    }
  }
}

function nameOf(text: string, start: number, end: number): string {
  const name = text
    .slice(start, Math.min(end, start + 4 * HEADING_CHARS))
    .trim()
    .replace(/\s+/g, ' ');
  return Array.from(name).slice(0, HEADING_CHARS).join('').toWellFormed();
}

function trimmed(text: string, block: TextBlock): readonly [start: number, end: number] {
  let { start, end } = block;
  while (start < end && /\s/.test(text.charAt(start))) start += 1;
  while (end > start && /\s/.test(text.charAt(end - 1))) end -= 1;
  return [start, end];
}
