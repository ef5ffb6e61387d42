/** What a reader's process gives back; it has been under the hand of strangers, and is checked. */

import type { DocumentText, PassageSpan } from '@headwater/shared/text/retrieval/document-text';
import { MAX_DOCUMENT_CHARS } from './text-builder.ts';

/**
 * A document that was read and cut into passages. Its blocks stay in the reader: there may be hundreds
 * of thousands of them, and the passages say what was in them.
 */
export interface ReadDocument {
  readonly text: string;
  readonly passages: readonly PassageSpan[];
  /** As the document itself names it. */
  readonly title?: string;
  readonly language?: string;
  /** Its first one. */
  readonly heading?: string;
}

/** A reader has one attempt at one document. */
export const READER_ATTEMPT = 1;

const MAX_NAME_CHARS = 300;
const MAX_PATH_CHARS = 10_000;

/** What a reader says of a document. */
export function describeRead(
  content: DocumentText,
  passages: readonly PassageSpan[],
): ReadDocument {
  const { text, blocks, title, language } = content;
  const heading = blocks.find(({ kind }) => kind === 'heading');
  return {
    text,
    passages,
    ...(title === undefined ? {} : { title }),
    ...(language === undefined ? {} : { language }),
    ...(heading === undefined
      ? {}
      : { heading: text.slice(heading.start, heading.end).slice(0, MAX_NAME_CHARS) }),
  };
}

/** Checks what decides anything; `undefined` for what no honest reader says. */
export function checkRead(result: unknown): ReadDocument | undefined {
  if (!isObject(result)) return undefined;
  const { text, passages, title, language, heading } = result;
  if (typeof text !== 'string' || text.length > MAX_DOCUMENT_CHARS) return undefined;
  if (text.includes('\0') || !text.isWellFormed()) return undefined;
  if (![title, language, heading].every(isNameOrNone)) return undefined;
  if (!Array.isArray(passages) || passages.length === 0) return undefined;
  return passages.every(isPassageOf(text)) ? (result as unknown as ReadDocument) : undefined;
}

function isPassageOf({ length }: string): (span: unknown) => boolean {
  let from = 0;
  return (span) => {
    if (!isObject(span)) return false;
    const { start, end, page, heading } = span;
    if (!isCount(start) || !isCount(end) || start < from || end <= start || end > length) {
      return false;
    }
    from = start;
    const isPlaced = page === undefined || (isCount(page) && page > 0);
    return isPlaced && typeof heading === 'string' && heading.length <= MAX_PATH_CHARS;
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isNameOrNone(value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && value.length <= MAX_NAME_CHARS);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
