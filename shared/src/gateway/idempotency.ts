/** `Idempotency-Key`: which requests are one and the same. */

import { GatewayError } from '../protocol/errors.ts';
import type { InitStreamRequest } from '../protocol/init-stream.ts';

/** Name of the header that says that an answer was given before. */
export const REPLAYED_HEADER = 'idempotent-replayed';

const KEY = /^[ -~]{1,255}$/;

const encoder = new TextEncoder();

/**
 * Judges the header `Idempotency-Key`; `null` where there is none. Errors: `validation_failed` for
 * anything but 1–255 printable ASCII characters.
 */
export function readIdempotencyKey(header: string | null): string | undefined {
  if (header === null) return undefined;
  if (KEY.test(header)) return header;
  const message = 'must be 1–255 printable ASCII characters';
  throw new GatewayError('validation_failed', `The header Idempotency-Key ${message}.`, {
    details: { fields: [{ path: 'Idempotency-Key', message }] },
  });
}

/**
 * SHA-256, in hex, of what a request asks for. Its token is left out, because a caller that tries
 * again may have a newer one; defaults are filled in, because what is meant counts.
 */
export async function fingerprintOf(request: InitStreamRequest): Promise<string> {
  const { n8nToken: _token, ...asked } = request;
  const digest = await crypto.subtle.digest('SHA-256', encoder.encode(canonicalJson(asked)));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** JSON with the fields of every object in one order, whatever order they came in. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
