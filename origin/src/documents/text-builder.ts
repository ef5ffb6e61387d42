/** Puts a document's text together, block by block, and knows where each one is. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { DocumentText, TextBlock } from '@headwater/shared/text/retrieval/document-text';

/** Most characters of one document, in UTF-16 code units. */
export const MAX_DOCUMENT_CHARS = 10_000_000;

/** Longest title and language that a document may give itself. */
const MAX_TITLE_CHARS = 300;
const MAX_LANGUAGE_CHARS = 35;

/**
 * What nobody sees and a model reads all the same: control characters, soft hyphens, marks of width
 * zero, changes of direction, and the tag characters that can spell out whole sentences. ZWNJ and
 * ZWJ stay: Persian and the scripts of India are written with them.
 */
const INVISIBLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
  /[\0-\x08\x0b\x0e-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|\u034f|\udb40[\udc00-\udfff]/g;

/** One block to be; offsets come with its place. */
type BlockFacts = Omit<TextBlock, 'start' | 'end'>;

/** A text that grows. */
export interface TextBuilder {
  /** Adds a block, a blank line after the one before. Empty ones are left out. Errors: `payload_too_large`. */
  add(facts: BlockFacts, text: string): void;
  build(names?: { readonly title?: string; readonly language?: string }): DocumentText;
}

/** Makes an empty one. */
export function createTextBuilder(maxChars: number = MAX_DOCUMENT_CHARS): TextBuilder {
  const pieces: string[] = [];
  const blocks: TextBlock[] = [];
  let length = 0;

  return {
    add(facts, raw) {
      const text = cleanText(raw)
        .trimEnd()
        .replace(/^\s*\n/, '');
      if (text.trim() === '') return;
      const start = length === 0 ? 0 : length + 2;
      const end = start + text.length;
      if (end > maxChars) {
        throw new GatewayError(
          'payload_too_large',
          `The document has more than ${maxChars.toLocaleString('en-US')} characters of text.`,
        );
      }
      if (length > 0) pieces.push('\n\n');
      pieces.push(text);
      blocks.push({ ...facts, start, end });
      length = end;
    },
    build({ title = '', language = '' } = {}) {
      const named = oneLine(title).slice(0, MAX_TITLE_CHARS).trim();
      const spoken = oneLine(language).slice(0, MAX_LANGUAGE_CHARS);
      return {
        text: pieces.join(''),
        blocks,
        ...(named === '' ? {} : { title: named }),
        ...(spoken === '' ? {} : { language: spoken }),
      };
    },
  };
}

/** Only what a reader would see, with `\n` for every kind of line break, composed (NFC). */
export function cleanText(raw: string): string {
  return raw
    .replace(/\r\n?|[\u2028\u2029\f\v]/g, '\n')
    .toWellFormed()
    .replace(INVISIBLE, '')
    .normalize('NFC');
}

/** The text with one blank for every stretch of white space. */
export function oneLine(raw: string): string {
  return cleanText(raw).replace(/\s+/g, ' ').trim();
}
