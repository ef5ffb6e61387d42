/** Which passages an answer cites, and the sentence of each that says it. */

import { readNumbers } from '../../stream/text-filter.ts';

/** A source that may be cited. Offsets are those of its text within its document. */
export interface CitableSource {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** One citation: the n-th source, and the words of it that fit best. */
export interface Citation {
  /** As it stands in the answer, such as `[2]`. */
  readonly marker: string;
  /** 1-based. */
  readonly source: number;
  readonly start: number;
  readonly end: number;
  readonly quote: string;
}

/** Longest quotation, in characters. */
const MAX_QUOTE_CHARS = 600;

const MARKERS = /\[\s*(\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*)\s*\]/g;

/**
 * The citations of an answer, in the order in which they first stand; numbers without a source are
 * none. The quotation is the sentence of the source that shares most with the sentences that cite it.
 */
export function readCitations(answer: string, sources: readonly CitableSource[]): Citation[] {
  const claims = new Map<number, string[]>();
  for (const sentence of sentencesOf(answer)) {
    for (const [, list = ''] of sentence.text.matchAll(MARKERS)) {
      for (const number of readNumbers(list)) {
        if (number < 1 || number > sources.length) continue;
        claims.set(number, [...(claims.get(number) ?? []), sentence.text]);
      }
    }
  }
  return [...claims].flatMap(([number, said]) => {
    const source = sources[number - 1];
    if (source === undefined) return [];
    const quote = fittingSentence(source.text, said.join(' '));
    const start = source.start + quote.start;
    return [
      {
        marker: `[${number}]`,
        source: number,
        start,
        end: start + quote.text.length,
        quote: quote.text,
      },
    ];
  });
}

/** A sentence of a text. */
export interface Sentence {
  /** In the text they were cut from. */
  readonly start: number;
  readonly text: string;
}

/** Sentences, with a marker that follows the full stop among the one before it. */
function sentencesOf(text: string): Sentence[] {
  const sentences: Sentence[] = [];
  for (const match of text.matchAll(
    /\S[\s\S]*?(?:[.!?…。！？]+["'”’»)\]]*(?:\s*\[[\d\s,;–-]+\])*(?=\s|$)|\n\s*\n|$)/g,
  )) {
    const sentence = match[0].trimEnd();
    if (sentence !== '') sentences.push({ start: match.index, text: sentence });
  }
  return sentences;
}

/** The sentence that shares most with a claim, cut to a length; the beginning where none does. */
export function fittingSentence(text: string, claim: string): Sentence {
  const wanted = wordsOf(claim);
  let best: Sentence | undefined;
  let bestScore = 0;
  for (const sentence of sentencesOf(text)) {
    const words = wordsOf(sentence.text);
    let shared = 0;
    for (const word of words) if (wanted.has(word)) shared += 1;
    // Among sentences that share as much, the shorter one says it more plainly.
    const score = shared / Math.sqrt(words.size + 4);
    if (score > bestScore) [best, bestScore] = [sentence, score];
  }
  return cut(best ?? { start: 0, text });
}

function cut({ start, text }: Sentence): Sentence {
  // Not in the middle of a character of two code units.
  return { start, text: text.slice(0, MAX_QUOTE_CHARS).replace(/[\ud800-\udbff]$/, '') };
}

function wordsOf(text: string): Set<string> {
  const words =
    text
      .replace(MARKERS, ' ')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  return new Set(words.filter((word) => word.length > 2 || /[^\p{Script=Latin}]/u.test(word)));
}
