/** Reads the images of a message, which come as URLs. */

import { GatewayError } from '../protocol/errors.ts';

/** An image inside the request, or where it lies. */
export type ImageSource =
  | { readonly mediaType: string; readonly base64: string }
  | { readonly url: string };

/**
 * Reads `https:` and base64 `data:` URLs; throws `validation_failed` for every other. The URL itself
 * stays out of the message: it may be megabytes long, or hold a secret.
 */
export function readImageUrl(url: string): ImageSource {
  const [, mediaType, base64] =
    /^data:(image\/[a-z0-9.+-]+);base64,([A-Za-z0-9+/]+={0,2})$/.exec(url) ?? [];
  if (mediaType !== undefined && base64 !== undefined) return { mediaType, base64 };
  if (/^https:\/\/\S+$/i.test(url)) return { url };
  throw refusedImage('must be an https URL or a base64 data: URL of an image');
}

/** `validation_failed` for an image that cannot be sent on. */
export function refusedImage(message: string): GatewayError {
  return new GatewayError('validation_failed', `An image_url ${message}.`, {
    details: { fields: [{ path: 'messages', message: `image_url ${message}` }] },
  });
}
