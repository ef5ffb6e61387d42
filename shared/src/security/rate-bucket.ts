/** How many sessions a subject may open: an exact sliding window, without a clock or a store. */

/** Length of the window, in milliseconds. */
export const RATE_WINDOW_MS = 60_000;

/** What is kept of a subject: plain data, to be stored as JSON. */
export interface RateBucket {
  /** When the calls that may still count were allowed, oldest first, in milliseconds since 1970. */
  readonly takenAtMs: readonly number[];
}

/** The answer to one call. `state` is to be stored in place of the one that was given. */
export type RateDecision =
  | { readonly state: RateBucket; readonly allowed: true }
  | { readonly state: RateBucket; readonly allowed: false; readonly retryAfterSeconds: number };

/**
 * Asks for one call at `nowMs`. It is allowed unless `perMinute` calls were allowed within the 60 s
 * before it; refused calls do not count. A call `retryAfterSeconds` (at least 1) later is allowed
 * when nothing else was meanwhile.
 *
 * A token bucket would need one number where this keeps `perMinute` of them, but lets nearly twice
 * the limit through in the first minute. A clock that steps back counts as one that stands still.
 *
 * Throws a RangeError unless `perMinute` is a whole number of at least 1.
 */
export function takeFromBucket(
  state: RateBucket | undefined,
  nowMs: number,
  perMinute: number,
): RateDecision {
  if (!Number.isInteger(perMinute) || perMinute < 1) {
    throw new RangeError('perMinute must be a whole number of at least 1.');
  }
  const known = state?.takenAtMs ?? [];
  const atMs = Math.max(nowMs, known.at(-1) ?? nowMs);
  const counting = known.filter((takenAtMs) => takenAtMs + RATE_WINDOW_MS > atMs);
  // The call that has to leave the window first; after a lowered limit not the oldest of all.
  const blockingMs = counting.at(-perMinute);
  if (counting.length < perMinute || blockingMs === undefined) {
    return { state: { takenAtMs: [...counting, atMs] }, allowed: true };
  }
  const waitMs = blockingMs + RATE_WINDOW_MS - nowMs;
  return {
    state: { takenAtMs: counting },
    allowed: false,
    retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
  };
}
