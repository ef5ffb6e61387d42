/** Work that somebody waits for, until nobody does. */

import { GatewayError } from '@headwater/shared/protocol/errors';

/**
 * Settles as `work` does, or rejects as soon as `signal` aborts, as {@link leftBecause} says: a host
 * that goes down may leave work unsettled for good. What becomes of it then is nobody's concern.
 */
export async function unlessLeft<Result>(
  work: Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  const left = Promise.withResolvers<never>();
  const leave = () => left.reject(leftBecause(signal));
  if (signal.aborted) leave();
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([work, left.promise]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

/** Why nobody waits any more: the signal's own `GatewayError`, else `unavailable`. It is no failure. */
export function leftBecause({ reason }: AbortSignal): GatewayError {
  if (reason instanceof GatewayError) return reason;
  return new GatewayError('unavailable', 'Nobody waits for the answer any more.', {
    cause: reason,
  });
}
