/** A file's text, by its format. Loaded by the reader's process alone. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { DocumentText } from '@headwater/shared/text/retrieval/document-text';
import { decodeText } from './decode-text.ts';
import type { DocumentFormat } from './document-format.ts';

/**
 * Reads it. Errors: `validation_failed` for what is damaged or has no text, `unsupported_media_type`
 * for what is no text, `payload_too_large` for too much of it.
 */
export async function readDocument(
  bytes: Uint8Array,
  format: DocumentFormat,
  mediaType: string,
): Promise<DocumentText> {
  const content = await readAs(bytes, format, mediaType);
  if (content.text !== '') return content;
  throw new GatewayError('validation_failed', 'The document is empty: it has no text to read.');
}

/** Each format's code is loaded where it is needed: a text has no use for a reader of PDF. */
async function readAs(
  bytes: Uint8Array,
  format: DocumentFormat,
  mediaType: string,
): Promise<DocumentText> {
  if (format === 'pdf') return (await import('./read-pdf.ts')).readPdf(bytes);
  const text = decodeText(bytes, mediaType, format === 'html');
  if (format === 'html') return (await import('./read-html.ts')).readHtml(text);
  if (format === 'markdown') return (await import('./read-markdown.ts')).readMarkdown(text);
  return (await import('./read-plain.ts')).readPlain(text);
}
