/** Bytes of a text to a string. */

import { GatewayError } from '@headwater/shared/protocol/errors';

/** Bytes in which a page says its encoding (HTML Standard, §4.2.5.5). */
const META_BYTES = 1024;

/** Share of control characters from which bytes are no text in any encoding. */
const MAX_CONTROL_SHARE = 0.01;

/**
 * Decodes by the byte order mark; else as declared (`charset=` of the media type, or a page's own
 * `meta`); else as UTF-8; and, where it is none, as Windows-1252, which takes everything. Errors:
 * `unsupported_media_type` for what is no text.
 */
export function decodeText(bytes: Uint8Array, mediaType: string, isHtml: boolean): string {
  const text = decode(bytes, encodingsOf(bytes, mediaType, isHtml));
  const controls = countControls(text);
  if (controls > text.length * MAX_CONTROL_SHARE) {
    throw new GatewayError('unsupported_media_type', 'The file is no text in a known encoding.');
  }
  return text;
}

function encodingsOf(bytes: Uint8Array, mediaType: string, isHtml: boolean): string[] {
  const [first, second, third] = bytes;
  if (first === 0xff && second === 0xfe) return ['utf-16le'];
  if (first === 0xfe && second === 0xff) return ['utf-16be'];
  if (first === 0xef && second === 0xbb && third === 0xbf) return ['utf-8'];
  const declared = /;\s*charset\s*=\s*"?([\w:.-]{1,40})/i.exec(mediaType)?.[1];
  const own = isHtml ? metaCharset(bytes) : undefined;
  return [declared, own, 'utf-8'].filter((label) => label !== undefined);
}

/** The first that takes every byte; Windows-1252 where none does. */
function decode(bytes: Uint8Array, labels: readonly string[]): string {
  for (const label of labels) {
    try {
      return new TextDecoder(label, { fatal: true }).decode(bytes);
    } catch {
      // Unknown to this system, or not what the bytes are: the next one may be.
    }
  }
  return new TextDecoder('windows-1252').decode(bytes);
}

function metaCharset(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, META_BYTES)).toString('latin1');
  const label = /<meta\b[^>]*?charset\s*=\s*["']?\s*([\w:.-]{1,40})/i.exec(head)?.[1];
  // HTML Standard, §13.2.3.2: what says so in bytes of ASCII cannot be UTF-16.
  return label !== undefined && /^utf-?16/i.test(label) ? 'utf-8' : label;
}

function countControls(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 && (code < 0x09 || (code > 0x0d && code !== 0x1b))) count += 1;
  }
  return count;
}
