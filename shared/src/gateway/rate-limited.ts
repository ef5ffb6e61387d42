/** The refusal of a caller that opens streams, or sends requests, too fast. */

import { GatewayError } from '../protocol/errors.ts';

/** `rate_limited`, with the seconds to wait. */
export function rateLimited(
  retryAfterSeconds: number,
  what: 'streams' | 'requests' = 'streams',
): GatewayError {
  return new GatewayError(
    'rate_limited',
    `Too many new ${what} in a minute. Try again in ${Math.ceil(retryAfterSeconds)} s.`,
    { details: { retryAfterSeconds } },
  );
}
