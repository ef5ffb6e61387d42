/** The body of a request as such. */

import type { Readable } from 'node:stream';
import { GatewayError } from '@headwater/shared/protocol/errors';

/** Bytes and time, in ms, for which a refused body is still taken, so that its sender reads why. */
const LEFTOVER_BYTES = 8 * 1024 * 1024;
const LEFTOVER_MS = 5_000;

/** Errors: `unsupported_media_type`. A body without a type is taken for JSON. */
export function bodyKindOf(contentType: string | undefined): 'json' | 'form' {
  const [mediaType = '', ...parameters] = (contentType ?? 'application/json').split(';');
  const type = mediaType.trim().toLowerCase();
  if (type === 'multipart/form-data') return 'form';
  const charset = parameters.map((one) => /^\s*charset\s*=\s*"?([^"\s]+)/i.exec(one)?.[1])[0];
  const isUtf8 = charset === undefined || /^(?:utf-?8|us-ascii)$/i.test(charset);
  if (/^application\/(?:[\w.-]+\+)?json$/.test(type) && isUtf8) return 'json';
  throw new GatewayError(
    'unsupported_media_type',
    'Send application/json in UTF-8, or multipart/form-data.',
  );
}

/**
 * Reads past what is left of a refused body, for a while, and then hangs up: a sender that is cut
 * off at once sees a broken connection where the answer should be.
 */
export function letGo(body: Readable): void {
  if (body.readableEnded || body.destroyed) return;
  let left = LEFTOVER_BYTES;
  const hangUp = setTimeout(() => body.destroy(), LEFTOVER_MS).unref();
  body.on('data', (chunk: Uint8Array) => {
    left -= chunk.length;
    if (left < 0) body.destroy();
  });
  // It is refused already; how it ends says nothing more.
  body.on('error', () => undefined).on('close', () => clearTimeout(hangUp));
  // Whoever read it until now is off only with the next tick; before, it would not flow.
  setImmediate(() => body.resume());
}
