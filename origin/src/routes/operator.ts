/** Who may look at what is no caller's business: whoever holds the `INTERNAL_API_KEY`. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { Settings } from '@headwater/shared/protocol/settings';
import { sameSecret } from '@headwater/shared/security/same-secret';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { headerOf } from './header.ts';

/**
 * Lets the holder of the `INTERNAL_API_KEY` pass, by `X-API-Key` or as the password of HTTP Basic,
 * whatever the name; in DEV_MODE also who shows nothing. Errors: `unauthorized`, with the header by
 * which a browser asks for a password.
 */
export async function requireOperator(
  request: FastifyRequest,
  reply: FastifyReply,
  { internalApiKey, devMode }: Pick<Settings, 'internalApiKey' | 'devMode'>,
): Promise<void> {
  const shown = headerOf(request, 'x-api-key') ?? passwordOf(headerOf(request, 'authorization'));
  if (shown === undefined && devMode) return;
  if (shown !== undefined && internalApiKey !== undefined) {
    if (await sameSecret(shown, internalApiKey)) return;
  }
  reply.header('www-authenticate', 'Basic realm="Headwater", charset="UTF-8"');
  throw new GatewayError(
    'unauthorized',
    'Show the INTERNAL_API_KEY: as X-API-Key, or as the password of HTTP Basic.',
  );
}

/** The password of HTTP Basic; `''` for credentials that are none, which fit no key. */
function passwordOf(authorization: string | null): string | undefined {
  if (authorization === null) return undefined;
  const match = /^basic +([A-Za-z0-9+/=]+) *$/i.exec(authorization);
  if (match?.[1] === undefined) return '';
  const pair = Buffer.from(match[1], 'base64').toString('utf8');
  const at = pair.indexOf(':');
  return at === -1 ? '' : pair.slice(at + 1);
}
