/** The ledger of a host that alone decides about a subject: one process, or one Durable Object. */

import { RATE_WINDOW_MS, type RateBucket, takeFromBucket } from '../security/rate-bucket.ts';
import type { LeaseBook } from './subject-leases.ts';
import {
  type Admission,
  CLAIM_MS,
  LIVE_RETRY_SECONDS,
  type SubjectLedger,
  type SubjectLimits,
} from './subject-ledger.ts';

/** A key that was used. */
export interface Claim {
  readonly fingerprint: string;
  readonly streamId: string;
  readonly streamUrl: string;
  readonly confirmed: boolean;
  readonly claimedAtMs: number;
  readonly expiresAtMs: number;
}

/** Keeps claims. Nothing here may wait: between a look and its consequence no other call may come. */
export interface ClaimStore {
  /** Also one that has expired. */
  get(subject: string, key: string): Claim | undefined;
  /** MUST replace the whole claim. */
  put(subject: string, key: string, claim: Claim): void;
  /** Forgets what has expired. */
  sweep(nowMs: number): void;
}

/** A ledger that decides at once. */
export interface LocalLedger extends SubjectLedger {
  admit(request: Parameters<SubjectLedger['admit']>[0]): Admission;
  confirm(subject: string, key: string): void;
  release(subject: string, streamId: string): void;
  /** Forgets what has expired; while calls come, this happens by itself, once a minute. */
  sweep(nowMs: number): void;
}

const ADMITTED: Admission = { type: 'admitted' };

/**
 * Makes the ledger. The rate lives in memory alone: a restart forgives at most a minute, and a full
 * minute needs no memory. How long claims and leases last is for their stores to say.
 */
export function createLocalLedger(
  limits: SubjectLimits,
  stores: { readonly claims: ClaimStore; readonly leases: LeaseBook },
): LocalLedger {
  const { claims, leases } = stores;
  const buckets = new Map<string, { bucket: RateBucket; usedAtMs: number }>();
  let sweptAtMs = Number.NEGATIVE_INFINITY;

  function sweep(nowMs: number): void {
    sweptAtMs = nowMs;
    claims.sweep(nowMs);
    leases.sweep(nowMs);
    for (const [subject, { usedAtMs }] of buckets) {
      if (nowMs - usedAtMs >= RATE_WINDOW_MS) buckets.delete(subject);
    }
  }

  function takeRate(subject: string, nowMs: number): Admission {
    const known = buckets.get(subject);
    const decision = takeFromBucket(known?.bucket, nowMs, limits.perMinute);
    // The newest call of the bucket: a clock that steps back must not make it look forgotten.
    const usedAtMs = decision.state.takenAtMs.at(-1) ?? nowMs;
    buckets.set(subject, { bucket: decision.state, usedAtMs });
    if (decision.allowed) return ADMITTED;
    return { type: 'limited', by: 'rate', retryAfterSeconds: decision.retryAfterSeconds };
  }

  return {
    admit({ subject, streamId, streamUrl, idempotency, liveUntilMs, nowMs }) {
      if (nowMs - sweptAtMs >= RATE_WINDOW_MS) sweep(nowMs);
      if (idempotency !== undefined) {
        const claim = claims.get(subject, idempotency.key);
        if (claim !== undefined && claim.expiresAtMs > nowMs) {
          if (claim.fingerprint !== idempotency.fingerprint) return { type: 'conflict' };
          if (claim.streamId === streamId) return ADMITTED;
          const { confirmed } = claim;
          return { type: 'again', streamId: claim.streamId, streamUrl: claim.streamUrl, confirmed };
        }
      }
      if (leases.has(subject, streamId)) return ADMITTED;
      if (leases.count(subject, nowMs, limits.maxLive) >= limits.maxLive) {
        return { type: 'limited', by: 'live', retryAfterSeconds: LIVE_RETRY_SECONDS };
      }
      const admission = takeRate(subject, nowMs);
      if (admission.type !== 'admitted') return admission;
      if (idempotency !== undefined) {
        claims.put(subject, idempotency.key, {
          fingerprint: idempotency.fingerprint,
          streamId,
          streamUrl,
          confirmed: false,
          claimedAtMs: nowMs,
          expiresAtMs: Math.min(liveUntilMs, nowMs + CLAIM_MS),
        });
      }
      leases.add(subject, streamId, liveUntilMs);
      return ADMITTED;
    },
    confirm(subject, key) {
      const claim = claims.get(subject, key);
      if (claim === undefined || claim.confirmed) return;
      const expiresAtMs = claim.claimedAtMs + CLAIM_MS;
      claims.put(subject, key, { ...claim, confirmed: true, expiresAtMs });
    },
    release: leases.drop,
    sweep,
  };
}
