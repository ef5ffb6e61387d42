/** Plain text: paragraphs between blank lines. */

import type { DocumentText } from '@headwater/shared/text/retrieval/document-text';
import { cleanText, createTextBuilder } from './text-builder.ts';

/** Reads it. Errors: `payload_too_large`. */
export function readPlain(text: string): DocumentText {
  const builder = createTextBuilder();
  for (const paragraph of cleanText(text).split(/\n[^\S\n]*\n\s*?(?=\S|$)/)) {
    builder.add({ kind: 'paragraph' }, paragraph);
  }
  return builder.build();
}
