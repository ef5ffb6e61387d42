/** An answer without a model: the sentence of the passages that fits the question. */

import { fittingSentence } from '@headwater/shared/text/rag/citations';
import { neutraliseText } from '@headwater/shared/text/rag/neutralise-text';
import type { PromptPassage } from '@headwater/shared/text/rag/rag-prompt';
import { queryTermsOf } from '@headwater/shared/text/retrieval/query-terms';
import { termsOf } from '@headwater/shared/text/retrieval/terms';

/** Share of the terms of a question that a passage holds if it may answer it. */
const ENOUGH = 0.5;

const NOTICE = 'No model answered. The passage that fits best says:';

/**
 * Quotes the best of the passages, the first one of those that hold as many terms of the question;
 * `undefined` where none holds {@link ENOUGH} of them.
 */
export function quotePassage(
  question: string,
  passages: readonly PromptPassage[],
): string | undefined {
  const wanted = [...queryTermsOf(question).keys()];
  let best = -1;
  let most = 0;
  for (const [at, { title, heading, text }] of passages.entries()) {
    const terms = new Set(termsOf(`${title}\n${heading}\n${text}`));
    const held = wanted.filter((term) => terms.has(term)).length;
    if (held > most) [best, most] = [at, held];
  }
  const passage = passages[best];
  if (passage === undefined || most < ENOUGH * wanted.length) return undefined;
  const quote = neutraliseText(fittingSentence(passage.text, question).text, []);
  return `${NOTICE} ${quote.replace(/\s+/g, ' ').trim()} [${best + 1}]`;
}
