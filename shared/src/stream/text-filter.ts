/** Holds an answer to rules of its text while it streams: what breaks them is never shown or kept. */

import type { ModelEvent } from '../providers/contract.ts';
import { createTagFilter } from './tag-filter.ts';

/**
 * Rules of an answer that cites numbered sources.
 *
 * - An answer that begins with `token` becomes `absence`, whatever follows; anywhere else the token
 *   is left out. Its beginning is held back until it is told apart, so that no half of it shows.
 * - Markers such as `[2]` and `[1, 3]` that name no source are left out.
 * - Pictures are left out but for their words, in Markdown and in HTML, as are other tags that load
 *   or run something: a picture that a browser loads can carry what the answer knows to any host.
 *   Links stay as they are written; following one is the reader's decision.
 */
export interface TextRules {
  readonly token: string;
  readonly absence: string;
  /** Number of sources; markers count from 1. */
  readonly sources: number;
}

/** A text on its way through the rules. */
export interface TextFilter {
  /** What can be shown now. */
  take(text: string): string;
  /** The rest of it. */
  end(): string;
}

/** Longest text that is held back until it is told apart, in characters. */
const MAX_HELD = 2_000;

/** What may stand around a token that is the whole answer. */
const AROUND_TOKEN = /^[\s`*_"'“”«»([{]+/;

const MARKER = /^[ \t]*[[【]\s*(\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*)\s*[\]】]/;
const MARKER_HEAD = /^[ \t]*(?:[[【][\d\s,;–-]{0,60})?$/;
const IMAGE = /^!\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\]|(?=[^([]))/;

/** Makes the filter. */
export function createTextFilter({ token, absence, sources }: TextRules): TextFilter {
  const tags = createTagFilter();
  const special = new RegExp(`[!【[${token[0]}]|[ \\t]`);
  let held = '';
  let last = '';
  let phase = 'undecided' as 'undecided' | 'absent' | 'told';

  function decide(isOver: boolean): typeof phase {
    const bare = held.replace(AROUND_TOKEN, '');
    if (bare.startsWith(token)) return 'absent';
    const isTold = isOver || held.length > MAX_HELD || !token.startsWith(bare);
    return isTold ? 'told' : 'undecided';
  }

  /** One piece of what is held, or `undefined` where it may still become something else. */
  function next(isOver: boolean): { readonly used: number; readonly out: string } | undefined {
    const at = held.search(special);
    if (at !== 0)
      return { used: at < 0 ? held.length : at, out: held.slice(0, at < 0 ? undefined : at) };
    const mayGrow = !isOver && held.length < MAX_HELD;
    const first = held.charAt(0);
    if (first === token[0]) {
      if (held.startsWith(token)) return { used: token.length, out: '' };
      if (mayGrow && token.startsWith(held)) return undefined;
    } else if (first === '!') {
      if (mayGrow && held === '!') return undefined;
      if (held.startsWith('![')) {
        const [whole, words = ''] = IMAGE.exec(held.slice(0, MAX_HELD)) ?? [];
        if (whole !== undefined) return { used: whole.length, out: words.replace(/!+\[/g, '[') };
        return mayGrow ? undefined : { used: 2, out: '' };
      }
    } else {
      const [whole, numbers] = MARKER.exec(held) ?? [];
      if (whole !== undefined && numbers !== undefined) {
        const valid = readNumbers(numbers).filter((number) => number >= 1 && number <= sources);
        const lead = /^[ \t]*/.exec(whole)?.[0] ?? '';
        const out = valid.length === 0 ? '' : `${lead}[${valid.join(', ')}]`;
        return { used: whole.length, out };
      }
      if (mayGrow && MARKER_HEAD.test(held)) return undefined;
      const blanks = /^[ \t]+/.exec(held)?.[0];
      if (blanks !== undefined) return { used: blanks.length, out: blanks };
    }
    return { used: 1, out: first };
  }

  function drain(isOver: boolean): string {
    const was = phase;
    if (was === 'undecided') phase = decide(isOver);
    if (phase === 'absent') {
      held = '';
      return was === 'absent' ? '' : absence;
    }
    if (phase === 'undecided') return '';
    let shown = '';
    while (held !== '') {
      const piece = next(isOver);
      if (piece === undefined) break;
      held = held.slice(piece.used);
      if (piece.out === '') continue;
      // What was left out between the two must not make a picture of them.
      shown += (last === '!' && piece.out.startsWith('[') ? ' ' : '') + piece.out;
      last = piece.out.slice(-1);
    }
    return tags.take(shown);
  }

  return {
    take(text) {
      held += text;
      return drain(false);
    },
    end: () => drain(true) + tags.end(),
  };
}

/** `1, 3–5` as numbers; a range of more than twenty is none. */
export function readNumbers(list: string): number[] {
  const numbers: number[] = [];
  for (const part of list.split(/[,;]/)) {
    const [from = 0, to = from] = part.split(/[–-]/).map((number) => Number.parseInt(number, 10));
    for (let number = from; number <= Math.min(to, from + 19); number += 1) numbers.push(number);
  }
  return [...new Set(numbers)];
}

/** The whole text by the rules. What they have passed passes them again as it is. */
export function filterText(rules: TextRules, text: string): string {
  const filter = createTextFilter(rules);
  return filter.take(text) + filter.end();
}

/** What a model says, by the rules. Batches that hold nothing yet are left out. */
export async function* filterEvents(
  rules: TextRules,
  source: AsyncIterable<readonly ModelEvent[]>,
): AsyncGenerator<readonly ModelEvent[]> {
  const filter = createTextFilter(rules);
  for await (const events of source) {
    const passed: ModelEvent[] = [];
    for (const event of events) {
      if (event.type === 'finish') passed.push(...textOf(filter.end()));
      if (event.type === 'text') passed.push(...textOf(filter.take(event.text)));
      else passed.push(event);
    }
    if (passed.length > 0) yield passed;
  }
  const rest = textOf(filter.end());
  if (rest.length > 0) yield rest;
}

function textOf(text: string): ModelEvent[] {
  return text === '' ? [] : [{ type: 'text', text }];
}
