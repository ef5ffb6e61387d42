/** Which bodies are read. */

import { GatewayError } from '../protocol/errors.ts';

/**
 * Lets through what is declared as JSON: a page of another site can send anything else without a
 * preflight. Errors: `unsupported_media_type`.
 */
export function requireJson(contentType: string | null): void {
  if (/^application\/(json|[\w.-]+\+json)\s*(;|$)/i.test(contentType ?? '')) return;
  throw new GatewayError(
    'unsupported_media_type',
    'Send the body as JSON, with the header `Content-Type: application/json`.',
  );
}
