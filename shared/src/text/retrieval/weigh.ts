/** How many tokens a text will be, without a tokenizer. */

/** From here on a character is mostly a token of its own: Chinese, Japanese, Korean, emoji. */
const FIRST_DENSE = 0x2e80;

/** From here on about two characters make a token: Greek, Cyrillic, Arabic, Indic scripts. */
const FIRST_MIDDLE = 0x370;

/** Quarters of a token in one UTF-16 unit: an estimate that errs on the high side. */
export function quartersOf(unit: number): number {
  if (unit < FIRST_MIDDLE) return 1;
  return unit < FIRST_DENSE ? 2 : 4;
}

/** Quarters of a token from `start` up to `end`. */
export function weigh(text: string, start: number, end: number): number {
  let quarters = 0;
  for (let at = start; at < end; at += 1) quarters += quartersOf(text.charCodeAt(at));
  return quarters;
}
