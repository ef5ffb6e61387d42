/** The terms that a question is looked up by. */

import { termsOf } from './terms.ts';

/** Lucene's English stop words, then the words that make a sentence a question and say no more. */
const STOP_WORDS =
  'a an and are as at be but by for if in into is it no not of on or such that the their then there ' +
  'these they this to was will with ' +
  'what who whom whose which when where why how do does did';

const STOP_TERMS = new Set(termsOf(STOP_WORDS));

/** More of a text says nothing about what it asks for, and costs as much. */
const MAX_QUERY_CHARS = 16_384;

/**
 * The terms, each as often as it was said; without stop words unless there is nothing else. The
 * index holds these too, so that "The Who" can be found.
 */
export function queryTermsOf(query: string): ReadonlyMap<string, number> {
  const terms = termsOf(query.slice(0, MAX_QUERY_CHARS));
  const telling = terms.filter((term) => !STOP_TERMS.has(term));
  const counts = new Map<string, number>();
  for (const term of telling.length > 0 ? telling : terms) {
    counts.set(term, (counts.get(term) ?? 0) + 1);
  }
  return counts;
}
