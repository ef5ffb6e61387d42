/** The structure of documents, as far as it tells that one is complete. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import { type ByteSource, truncated } from './byte-cursor.ts';

/** ISO 32000-1, appendix H: readers look for the end of a PDF within its last 1024 bytes. */
const PDF_END_BYTES = 1024;

/** Bytes of a text that are looked at together. */
const TEXT_BYTES = 64 * 1024;

/** Errors: `validation_failed` for a PDF without an end; `unsupported_media_type` for no UTF-8. */
export async function checkDocument(source: ByteSource, mediaType: string): Promise<void> {
  return mediaType === 'application/pdf' ? checkPdf(source) : checkText(source);
}

async function checkPdf(source: ByteSource): Promise<void> {
  const at = Math.max(0, source.size - PDF_END_BYTES);
  const tail = await source.read(at, PDF_END_BYTES);
  if (!String.fromCharCode(...tail).includes('%%EOF')) throw truncated();
}

async function checkText(source: ByteSource): Promise<void> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for (let at = 0; at < source.size; at += TEXT_BYTES) {
      const bytes = await source.read(at, TEXT_BYTES);
      if (bytes.includes(0)) throw new TypeError('a zero byte');
      decoder.decode(bytes, { stream: true });
    }
    decoder.decode();
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new GatewayError('unsupported_media_type', 'is no text in UTF-8.', { cause });
  }
}
