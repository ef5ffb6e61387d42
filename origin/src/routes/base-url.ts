/** Where callers find what an answer points at. */

import { BASE_URL_HEADER } from '@headwater/shared/gateway/forwarded-subject';
import type { Settings } from '@headwater/shared/protocol/settings';
import { sameSecret } from '@headwater/shared/security/same-secret';
import type { FastifyRequest } from 'fastify';
import { headerOf } from './header.ts';

/**
 * Scheme and host, without a slash at the end: `PUBLIC_URL`; else that of the edge which holds the
 * `INTERNAL_API_KEY`; else that of the request.
 */
export async function baseUrlOf(
  request: FastifyRequest,
  { publicUrl, internalApiKey }: Pick<Settings, 'publicUrl' | 'internalApiKey'>,
): Promise<string> {
  if (publicUrl !== undefined) return publicUrl.replace(/\/+$/, '');
  const own = `${request.protocol}://${request.host}`;
  const forwarded = headerOf(request, BASE_URL_HEADER);
  const apiKey = headerOf(request, 'x-api-key');
  if (forwarded === null || apiKey === null || internalApiKey === undefined) return own;
  if (!/^https?:\/\/[^\s/?#@]+$/.test(forwarded)) return own;
  return (await sameSecret(apiKey, internalApiKey)) ? forwarded : own;
}
