/** The rate of new streams of every caller of one process. */

import {
  RATE_WINDOW_MS,
  type RateBucket,
  takeFromBucket,
} from '@headwater/shared/security/rate-bucket';

/** Counts callers. */
export interface SubjectLimits {
  /** Takes one from the caller's rate. Returns 0, or the seconds to wait. */
  admit(subject: string): number;
}

/** Makes the counter; callers that have been away for a full window are forgotten. */
export function createSubjectLimits(perMinute: number, nowMs: () => number): SubjectLimits {
  const buckets = new Map<string, { bucket: RateBucket; usedAtMs: number }>();
  let sweptAtMs = nowMs();

  function sweep(now: number): void {
    if (now - sweptAtMs < RATE_WINDOW_MS) return;
    sweptAtMs = now;
    for (const [subject, { usedAtMs }] of buckets) {
      if (now - usedAtMs > 2 * RATE_WINDOW_MS) buckets.delete(subject);
    }
  }

  return {
    admit(subject) {
      const now = nowMs();
      sweep(now);
      const decision = takeFromBucket(buckets.get(subject)?.bucket, now, perMinute);
      buckets.set(subject, { bucket: decision.state, usedAtMs: now });
      return decision.allowed ? 0 : decision.retryAfterSeconds;
    },
  };
}
