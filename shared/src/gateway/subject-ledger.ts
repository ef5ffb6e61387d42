/** Who may open how many streams, and which request was made before: one decision a new stream. */

import { GatewayError } from '../protocol/errors.ts';
import type { Settings } from '../protocol/settings.ts';
import type { MaybePromise } from '../stream/ports.ts';
import { rateLimited } from './rate-limited.ts';

/** A key is remembered for at most this long; a day is what payment services made customary. */
export const CLAIM_MS = 24 * 60 * 60 * 1000;

/**
 * What a caller at its limit of live streams is told to wait, in seconds: nobody knows when one of
 * them ends, and few answers take longer.
 */
export const LIVE_RETRY_SECONDS = 10;

/** A stream that wants to be opened. */
export interface AdmitRequest {
  readonly subject: string;
  readonly streamId: string;
  /** Kept beside the key, and given back word for word. `''` where the stream has no address. */
  readonly streamUrl: string;
  readonly idempotency?: {
    /** The caller's own; 1–255 printable ASCII characters. */
    readonly key: string;
    /** Equal for equal requests. */
    readonly fingerprint: string;
  };
  /** When the stream is over at the latest, in ms since 1970: heals a release that was lost. */
  readonly liveUntilMs: number;
  /** The caller's clock. Ledgers shared by several hosts go by one clock of their own instead. */
  readonly nowMs: number;
}

/** What a caller may do. */
export type Admission =
  | { readonly type: 'admitted' }
  /**
   * The key was used for an equal request. Unless `confirmed`, nobody knows whether that session
   * was kept: create it again, under this id.
   */
  | {
      readonly type: 'again';
      readonly streamId: string;
      readonly streamUrl: string;
      readonly confirmed: boolean;
    }
  /** The key was used for another request. */
  | { readonly type: 'conflict' }
  | {
      readonly type: 'limited';
      readonly by: 'rate' | 'live';
      readonly retryAfterSeconds: number;
    };

/** The limits of one subject. */
export interface SubjectLimits {
  /** New streams in any 60 s. */
  readonly perMinute: number;
  /** Streams that have not ended. */
  readonly maxLive: number;
}

/** What the settings allow a subject. */
export function subjectLimitsOf(
  settings: Pick<Settings, 'rateLimitPerMinute' | 'limits'>,
): SubjectLimits {
  return {
    perMinute: settings.rateLimitPerMinute,
    maxLive: settings.limits.maxLiveStreamsPerSubject,
  };
}

/** Counts streams by who opened them. */
export interface SubjectLedger {
  /**
   * Decides once and for all callers: first by key, then by live streams, then by rate. MUST be
   * atomic: of any number of calls at once no more are admitted than the limits allow, and one a
   * key. What is not `admitted` MUST count nothing. The same stream id again is admitted again and
   * counts once. A key is free again after {@link CLAIM_MS}, or at `liveUntilMs` if it was never
   * confirmed.
   */
  admit(request: AdmitRequest): MaybePromise<Admission>;
  /** The session is kept: the key stands for it from now on. An unknown key changes nothing. */
  confirm(subject: string, key: string): MaybePromise<void>;
  /** The stream has ended. Twice, or for an unknown stream, MUST change nothing. */
  release(subject: string, streamId: string): MaybePromise<void>;
}

/** The refusal of a caller that is not admitted. */
export function refusalOf(
  admission: Extract<Admission, { type: 'conflict' | 'limited' }>,
): GatewayError {
  if (admission.type === 'conflict') {
    return new GatewayError(
      'conflict',
      'This Idempotency-Key was used for another request. Send a new key with a new request.',
    );
  }
  const { by, retryAfterSeconds } = admission;
  if (by === 'rate') return rateLimited(retryAfterSeconds);
  return new GatewayError(
    'rate_limited',
    'Too many streams are live. Wait until one ends, or stop one with DELETE.',
    { details: { retryAfterSeconds } },
  );
}
