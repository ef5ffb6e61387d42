/** Which of the formats that can be read a file has. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import { SNIFF_BYTES, sniffMedia } from '../inputs/media/sniff.ts';

/** A format that can be read. */
export type DocumentFormat = 'text' | 'markdown' | 'html' | 'pdf';

/** How each is named on the wire. */
export const MEDIA_TYPES: Readonly<Record<DocumentFormat, string>> = {
  text: 'text/plain',
  markdown: 'text/markdown',
  html: 'text/html',
  pdf: 'application/pdf',
};

/** First bytes that are enough to tell. */
export const HEAD_BYTES = SNIFF_BYTES;

/** What is said of a file by whoever sends it. */
export interface DeclaredFile {
  /** With or without parameters, such as `text/html; charset=iso-8859-1`. */
  readonly mediaType?: string | undefined;
  readonly fileName?: string | undefined;
}

const BY_TYPE: Readonly<Record<string, DocumentFormat>> = {
  'text/plain': 'text',
  'text/markdown': 'markdown',
  'text/x-markdown': 'markdown',
  'text/html': 'html',
  'application/xhtml+xml': 'html',
  'application/pdf': 'pdf',
  'application/x-pdf': 'pdf',
};

/** Types that say nothing; forms and file servers send them for what they do not know. */
const SAYS_NOTHING: ReadonlySet<string> = new Set([
  '',
  'application/octet-stream',
  'binary/octet-stream',
  'application/x-www-form-urlencoded',
]);

const BY_ENDING: readonly (readonly [ending: RegExp, format: DocumentFormat])[] = [
  [/\.(?:md|markdown|mdown|mkd)$/i, 'markdown'],
  [/\.(?:html?|xhtml)$/i, 'html'],
  [/\.pdf$/i, 'pdf'],
];

const TAKEN = 'is no document that can be read here: text, Markdown, HTML and PDF are taken.';

/**
 * Tells the format. What the bytes say goes before what is declared: a PDF is one by its own head,
 * and nothing binary passes for text. Between the formats that are text the declared type decides,
 * then the ending of the name, then what a page begins with.
 *
 * Errors: `unsupported_media_type`; `validation_failed` for what claims to be a PDF and is none.
 */
export function tellFormat(head: Uint8Array, declared: DeclaredFile): DocumentFormat {
  const named = (declared.mediaType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const said = Object.hasOwn(BY_TYPE, named) ? BY_TYPE[named] : undefined;
  if (said === undefined && !SAYS_NOTHING.has(named)) {
    throw new GatewayError('unsupported_media_type', `The file ${TAKEN}`);
  }
  const start = Buffer.from(head.subarray(0, HEAD_BYTES)).toString('latin1');
  const byName = BY_ENDING.find(([ending]) => ending.test(declared.fileName ?? ''))?.[1];
  // Forms call a part without a type text/plain, and so do file servers what they do not know.
  const wanted =
    said === undefined || (said === 'text' && byName !== 'pdf') ? (byName ?? said) : said;
  // ISO 32000-1, appendix H.3.4.1: readers take a head anywhere in the first 1024 bytes.
  if (start.startsWith('%PDF-') || (wanted === 'pdf' && start.includes('%PDF-'))) return 'pdf';
  if (wanted === 'pdf') {
    throw new GatewayError('validation_failed', 'The file is no PDF: it does not begin as one.');
  }
  if (!isTextHead(head, start)) {
    throw new GatewayError('unsupported_media_type', `The file ${TAKEN}`);
  }
  if (wanted === 'html' || wanted === 'markdown') return wanted;
  const beginning = start.replace(/^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)/, '').replaceAll('\0', '');
  if (
    /^\s*(?:<\?xml[^>]*>\s*)?(?:<!--[\s\S]*?-->\s*)?<(?:!doctype\s+html|html)\b/i.test(beginning)
  ) {
    return 'html';
  }
  // A picture, a feed, a workbook: XML that is no page.
  if (/^\s*<(?:\?xml|svg)\b/i.test(beginning)) {
    throw new GatewayError('unsupported_media_type', `The file ${TAKEN}`);
  }
  return 'text';
}

/** No zero bytes but in UTF-16 that says so, and none of the beginnings of other kinds of files. */
function isTextHead(head: Uint8Array, start: string): boolean {
  if (/^(?:\xff\xfe|\xfe\xff)/.test(start)) return true;
  const sniffed = sniffMedia(head);
  if (sniffed !== undefined && sniffed.kind !== 'document') return false;
  return !head.some((byte) => byte < 0x09 || (byte > 0x0d && byte < 0x20 && byte !== 0x1b));
}
