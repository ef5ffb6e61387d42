/** Which pages may read a stream by WebSocket. The same on both hosts. */

import { type CorsPolicy, corsHeaders } from '../protocol/cors.ts';
import { GatewayError } from '../protocol/errors.ts';
import { accessTokenFrom } from '../security/read-token.ts';

/** The parts of an upgrade that matter. */
export interface SocketUpgrade {
  readonly query: URLSearchParams;
  readonly authorization: string | null;
  /** The `Origin` header: the page that connects; null where it is no browser. */
  readonly origin: string | null;
  /** The gateway's own host and port, as the request names it. */
  readonly host: string;
}

/**
 * A browser sends its cookies with a socket of any page, and lets the page read the answer: CORS does
 * not hold for sockets. So a token by cookie alone counts from the gateway's own pages and those of
 * `ALLOWED_ORIGINS`. A token in the URL or a header was put there by who holds it.
 *
 * Errors: `forbidden`.
 */
export function requireSocketOrigin(upgrade: SocketUpgrade, policy: CorsPolicy): void {
  const { query, authorization, origin, host } = upgrade;
  if (origin === null || corsHeaders(origin, policy) !== undefined) return;
  if (accessTokenFrom({ query: query.get('access_token'), authorization }) !== undefined) return;
  if (URL.canParse(origin) && new URL(origin).host === host) return;
  throw new GatewayError(
    'forbidden',
    'This page may not read the stream by its cookie. Use the streamUrl as it was given, or add the page to ALLOWED_ORIGINS.',
  );
}
