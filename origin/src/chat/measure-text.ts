/** Counts the tokens of texts that may be very long, beside streams that must not wait. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { countTokens } from '@headwater/shared/text/count-tokens';

/** Characters that are counted in one turn of the event loop: some 10 ms where no two words are alike. */
const SLICE_CHARS = 8192;

/**
 * Tokens of a text. Where they are more than `most`, the rest is not counted but reckoned by its
 * length: what does not fit anyway need not be known to the token.
 */
export async function measureText(text: string, most: number): Promise<number> {
  let tokens = 0;
  for (let at = 0; at < text.length; at += SLICE_CHARS) {
    if (at > 0) await nextTurn();
    const slice = text.slice(at, at + SLICE_CHARS);
    tokens += await countTokens(slice);
    if (tokens > most) return Math.ceil((tokens * text.length) / (at + slice.length));
  }
  return tokens;
}
