/** The outline that a model makes before it writes: what happens in each part. */

import * as z from 'zod';
import type { ScriptPlan } from './plan.ts';

/** Bounds of what is taken over; the rest is left out. */
const MAX_BEATS = 12;
const MAX_TITLE_CHARS = 200;
const MAX_BEAT_CHARS = 500;

/** What is to be in one part. */
export interface OutlinePart {
  readonly title: string;
  /** What happens, in order. */
  readonly beats: readonly string[];
}

/** One entry for each part of the plan. */
export type Outline = readonly OutlinePart[];

const cut = (max: number) =>
  z.string().transform((text) =>
    text
      .replaceAll(/[\s\0]+/g, ' ')
      .trim()
      .slice(0, max)
      .toWellFormed(),
  );

const outlinePart = z.object({
  title: cut(MAX_TITLE_CHARS),
  beats: z
    .array(cut(MAX_BEAT_CHARS))
    .transform((beats) => beats.filter((beat) => beat !== '').slice(0, MAX_BEATS)),
});

/** As it is kept between the attempts of a task. */
export const outlineSchema = z.array(outlinePart);

/** Reads a model's answer; `fault` tells the model what to mend. */
export function readOutline(
  answer: string,
  { parts }: ScriptPlan,
): { readonly outline: Outline } | { readonly fault: string } {
  const given = parseObject(answer);
  if (given === undefined) return { fault: 'It is not one JSON object.' };
  const read = z.object({ parts: outlineSchema }).safeParse(given);
  if (!read.success) {
    return {
      fault: '`parts` must be a list of objects with `title` and `beats`, a list of texts.',
    };
  }
  const outline = read.data.parts;
  if (outline.length === parts.length) return { outline };
  return { fault: `\`parts\` must have ${parts.length} entries; it has ${outline.length}.` };
}

/** The plan alone, where no model made an outline. */
export function plainOutline({ parts }: ScriptPlan): Outline {
  return parts.map(({ name, purpose }) => ({ title: name, beats: [purpose] }));
}

/** Models like to say something around JSON, whatever they are told. */
function parseObject(answer: string): unknown {
  const from = answer.indexOf('{');
  const to = answer.lastIndexOf('}');
  if (from === -1 || to < from) return undefined;
  try {
    return JSON.parse(answer.slice(from, to + 1));
  } catch {
    // The parser's message quotes the answer; where it broke is of no use to a model.
    return undefined;
  }
}
