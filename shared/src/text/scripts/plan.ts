/** Divides a script of a wanted length into parts, and the parts into calls of a model. */

import type { TemplatePart } from './template.ts';

/** Most words that one call is asked for: models that are asked for more write less. */
const CALL_WORDS = 900;

/** A part with fewer words is joined with the next one: it would be a sentence or two. */
const LEAST_PART_WORDS = 40;

/** A part of the script that is to be written. */
export interface PlannedPart {
  readonly name: string;
  readonly purpose: string;
  readonly words: number;
}

/** One call, in the order of writing. */
export interface PlannedCall {
  /** Index of its part. */
  readonly part: number;
  /** The n-th call, from 1, of so many of its part. */
  readonly index: number;
  readonly of: number;
  readonly words: number;
}

/** What is written by which calls. */
export interface ScriptPlan {
  readonly parts: readonly PlannedPart[];
  readonly calls: readonly PlannedCall[];
}

/** Plans a script of `lengthTarget` words by the shares of the parts. */
export function planScript(parts: readonly TemplatePart[], lengthTarget: number): ScriptPlan {
  const whole = parts.reduce((sum, { share }) => sum + share, 0);
  const planned = joinSmall(
    parts.map(({ name, purpose, share }) => ({
      name,
      purpose,
      words: (share / whole) * lengthTarget,
    })),
  );
  const calls = planned.flatMap(({ words }, part) => {
    const of = Math.max(1, Math.ceil(words / CALL_WORDS));
    return Array.from({ length: of }, (_, at) => ({ part, index: at + 1, of, words: words / of }));
  });
  return { parts: planned, calls };
}

/** Joins parts, in order, until each has enough words; what is left over belongs to the last one. */
function joinSmall(parts: readonly PlannedPart[]): PlannedPart[] {
  const joined: PlannedPart[] = [];
  let open: PlannedPart | undefined;
  for (const part of parts) {
    open = open === undefined ? part : join(open, part);
    if (open.words < LEAST_PART_WORDS) continue;
    joined.push(open);
    open = undefined;
  }
  if (open === undefined) return joined;
  const last = joined.pop();
  return [...joined, last === undefined ? open : join(last, open)];
}

function join(first: PlannedPart, second: PlannedPart): PlannedPart {
  return {
    name: `${first.name}, ${second.name}`,
    purpose: `${first.purpose} Then: ${second.purpose}`,
    words: first.words + second.words,
  };
}
