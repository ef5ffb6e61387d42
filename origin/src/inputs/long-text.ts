/** A string of a JSON body that was too long for memory: it lies in a file, as it stood there. */

import { createReadStream } from 'node:fs';
import { GatewayError } from '@headwater/shared/protocol/errors';

/** Where it lies. Its bytes are what stood between the quotes, escapes and all. */
export interface LongText {
  readonly path: string;
  readonly bytes: number;
  /** SHA-256 of these bytes, hex. */
  readonly sha256: string;
}

const known = new WeakSet<object>();

/** Marks a text, so that no object of a body can pass for one. */
export function markLongText(text: LongText): LongText {
  known.add(text);
  return text;
}

/** Whether a value of a scanned body is a text that lies in a file. */
export function isLongText(value: unknown): value is LongText {
  return typeof value === 'object' && value !== null && known.has(value);
}

/** Reads it in pieces, without its escapes. Errors: `validation_failed` where it is no JSON string. */
export async function* readLongText({ path }: LongText): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let carried = '';
  for await (const chunk of createReadStream(path)) {
    const piece =
      carried + decodeBytes(() => decoder.decode(chunk as Uint8Array, { stream: true }));
    // An escape that is cut in two waits for the rest of it.
    const cut = escapeCutAt(piece);
    carried = piece.slice(cut);
    if (cut > 0) yield withoutEscapes(piece.slice(0, cut));
  }
  const rest = carried + decodeBytes(() => decoder.decode());
  if (rest !== '') yield withoutEscapes(rest);
}

/** The whole of it. Errors: `validation_failed`. */
export async function joinLongText(text: LongText): Promise<string> {
  let joined = '';
  for await (const piece of readLongText(text)) joined += piece;
  return joined;
}

/** Where an escape begins that does not end within the piece; its length where there is none. */
function escapeCutAt(piece: string): number {
  for (let at = Math.max(0, piece.length - 5); at < piece.length; at += 1) {
    if (piece[at] !== '\\' || !isEscape(piece, at)) continue;
    const length = piece[at + 1] === 'u' ? 6 : 2;
    if (at + length > piece.length) return at;
    at += length - 1;
  }
  return piece.length;
}

/** A backslash begins an escape where an even number of them stands before it. */
function isEscape(piece: string, at: number): boolean {
  let before = at;
  while (before > 0 && piece[before - 1] === '\\') before -= 1;
  return (at - before) % 2 === 0;
}

function withoutEscapes(piece: string): string {
  try {
    return JSON.parse(`"${piece}"`) as string;
  } catch (cause) {
    throw notJson(cause);
  }
}

function decodeBytes(decode: () => string): string {
  try {
    return decode();
  } catch (cause) {
    throw notJson(cause);
  }
}

/** The refusal of a body that claims to be JSON. */
export function notJson(cause?: unknown): GatewayError {
  return new GatewayError('validation_failed', 'The body is not valid JSON in UTF-8.', { cause });
}
