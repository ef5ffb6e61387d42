/** Files by value: base64 as text, with or without the head of a `data:` URL. */

import { GatewayError } from '@headwater/shared/protocol/errors';

/** Longest head of a `data:` URL: `data:<media type>;base64,`. */
const MAX_HEAD_LENGTH = 256;

/** Both alphabets of RFC 4648, and padding at the end. */
const BASE64 = /^[A-Za-z0-9+/_-]*(={0,2})$/;

/**
 * Decodes as the text comes. Line breaks and blanks are skipped, as RFC 2045 has them. Errors:
 * `validation_failed` that begins with `field`.
 */
export async function* decodeBase64(
  text: Iterable<string> | AsyncIterable<string>,
  field: string,
): AsyncGenerator<Uint8Array> {
  let carried = '';
  let padding = 0;
  for await (const piece of withoutHead(text, field)) {
    const [clean, padded] = BASE64.exec(piece.replace(/\s+/g, '')) ?? [];
    if (clean === undefined || padded === undefined) throw notBase64(field);
    const digits = clean.length - padded.length;
    // What follows padding would be a second file.
    if (padding > 0 && digits > 0) throw notBase64(field);
    padding += padded.length;
    carried += clean.slice(0, digits);
    const whole = carried.length - (carried.length % 4);
    if (whole > 0) yield Buffer.from(carried.slice(0, whole), 'base64');
    carried = carried.slice(whole);
  }
  if (carried.length === 1 || padding > 2) throw notBase64(field);
  if (carried !== '') yield Buffer.from(carried, 'base64');
}

/** The text, without the head of a `data:` URL where it has one. */
async function* withoutHead(
  text: Iterable<string> | AsyncIterable<string>,
  field: string,
): AsyncGenerator<string> {
  let start: string | undefined = '';
  for await (const piece of text) {
    if (start === undefined) {
      yield piece;
      continue;
    }
    start += piece;
    if (start.length < MAX_HEAD_LENGTH) continue;
    yield cutHead(start, field);
    start = undefined;
  }
  if (start !== undefined) yield cutHead(start, field);
}

function cutHead(start: string, field: string): string {
  if (!/^data:/i.test(start)) return start;
  const end = start.indexOf(',');
  if (end < 0 || end > MAX_HEAD_LENGTH || !/;base64$/i.test(start.slice(0, end))) {
    throw refusal(field, 'is a data: URL that is not base64.');
  }
  return start.slice(end + 1);
}

function notBase64(field: string): GatewayError {
  return refusal(field, 'is neither base64 nor a URL of data:, https: or s3:.');
}

function refusal(field: string, message: string): GatewayError {
  return new GatewayError('validation_failed', `${field} ${message}`, {
    details: { fields: [{ path: field, message }] },
  });
}
