/** Reads a request body without trusting its length. */

import { GatewayError } from '../protocol/errors.ts';
import { MAX_BODY_BYTES } from '../protocol/init-stream.ts';

/** A body that is too large; the rest of it is not read. */
export function bodyTooLarge(): GatewayError {
  return new GatewayError(
    'payload_too_large',
    `The body may have at most ${MAX_BODY_BYTES / 1024 / 1024} MiB.`,
  );
}

/** The body as text. Errors: `payload_too_large` past {@link MAX_BODY_BYTES}. */
export async function readBodyText(request: Request): Promise<string> {
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) throw bodyTooLarge();
  if (request.body === null) return '';
  const reader = request.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > MAX_BODY_BYTES) {
      await reader.cancel();
      throw bodyTooLarge();
    }
    text += decoder.decode(value, { stream: true });
  }
}
