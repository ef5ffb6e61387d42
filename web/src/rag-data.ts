/** Documents, and the passages that answers rest on, as the gateway shows them. */

import { fieldsOf, listOf, numberOf, textOf } from './wire.ts';

/** A document of the caller's. */
export interface DocumentItem {
  readonly id: string;
  readonly title: string;
  readonly mediaType: string;
  readonly passages: number;
}

/** A passage that the model was given. */
export interface Source {
  /** Counted from 1: the number by which an answer cites it. */
  readonly number: number;
  readonly title: string;
  /** Empty where it stands under none. */
  readonly heading: string;
  readonly page?: number;
  readonly text: string;
}

/** Reads one document. */
export function parseDocument(body: unknown): DocumentItem {
  const { document_id, title, media_type, passages } = fieldsOf(body);
  return {
    id: textOf(document_id) ?? '',
    title: textOf(title) ?? 'Untitled',
    mediaType: textOf(media_type) ?? '',
    passages: numberOf(passages) ?? 0,
  };
}

/** Reads `GET /ai/rag/documents`. */
export function parseDocuments(body: unknown): { items: DocumentItem[]; hasMore: boolean } {
  const { documents, next_after } = fieldsOf(body);
  return {
    items: listOf(documents).map(parseDocument),
    hasMore: textOf(next_after) !== undefined,
  };
}

/** Reads the data of the note `sources`. */
export function parseSources(data: unknown): Source[] {
  return listOf(fieldsOf(data)['sources']).map(({ title, heading, page, text }, at) => {
    const onPage = numberOf(page);
    return {
      number: at + 1,
      title: textOf(title) ?? 'Untitled',
      heading: textOf(heading) ?? '',
      ...(onPage === undefined ? {} : { page: onPage }),
      text: textOf(text) ?? '',
    };
  });
}

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });
const words = new Intl.Segmenter('en', { granularity: 'word' });

function wordsOf(text: string): Set<string> {
  const found = [...words.segment(text.toLowerCase())].filter(({ isWordLike }) => isWordLike);
  return new Set(found.map(({ segment }) => segment));
}

/** The sentence of a passage that shares most words with an answer; of equal ones the first. */
export function quoteFor(answer: string, passage: string): string {
  const said = wordsOf(answer);
  let best = '';
  let bestShared = -1;
  for (const { segment } of sentences.segment(passage)) {
    const shared = [...wordsOf(segment)].filter((word) => said.has(word)).length;
    if (shared <= bestShared) continue;
    best = segment;
    bestShared = shared;
  }
  return best.trim();
}

const MARKERS = /\[\s*(\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*)\s*\]/g;

/** The numbers that an answer cites, such as 1, 3, 4 and 5 of `[1]` and `[3-5]`. */
export function citedNumbers(answer: string): Set<number> {
  const cited = new Set<number>();
  for (const [, list = ''] of answer.matchAll(MARKERS)) {
    for (const part of list.split(/[,;]/)) {
      const [first = 0, last = first] = part.split(/[–-]/).map(Number);
      for (let number = first; number <= last; number += 1) cited.add(number);
    }
  }
  return cited;
}
