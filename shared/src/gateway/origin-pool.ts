/** Several origins, of which one that works is to answer. */

import { GatewayError } from '../protocol/errors.ts';
import {
  admit,
  type CircuitPolicy,
  type CircuitState,
  CLOSED_CIRCUIT,
  report,
} from '../providers/circuit-breaker.ts';

/** One origin, for one request. Exactly one of its reports is to be made. */
export interface OriginAttempt {
  /** Without a slash at the end. */
  readonly url: string;
  /** When the origin last answered, in ms since 1970; absent where it never has. */
  readonly answeredAtMs?: number;
  /** The origin answered, whatever it said. */
  answered(): void;
  /** It could not be reached, or something in front of it says so. */
  failed(): void;
  /** Nobody waits for its answer any more. */
  abandoned(): void;
}

/** The origins of an edge, with what is known of each in this isolate. */
export interface OriginPool {
  /**
   * Origins to try, one after the other, each request beginning with another one; those that keep
   * failing are left out. Errors: `unavailable`, once none is left.
   */
  attempts(): Generator<OriginAttempt, never>;
}

/** An origin is left alone after so many failures in a row, for so long; a probe takes no longer. */
const POLICY: CircuitPolicy = { failures: 3, openMs: 5_000, probeMs: 30_000 };

/** Makes the pool of `ORIGIN_URL`. */
export function createOriginPool(
  urls: readonly string[],
  nowMs: () => number = Date.now,
): OriginPool {
  const origins = urls.map((url) => ({
    url,
    state: CLOSED_CIRCUIT as CircuitState,
    answeredAtMs: undefined as number | undefined,
  }));
  let turn = 0;

  return {
    *attempts() {
      if (origins.length === 0) {
        throw new GatewayError('unavailable', 'This edge has no origin: set ORIGIN_URL.');
      }
      const first = turn;
      turn = (turn + 1) % origins.length;
      let shortestWaitMs = POLICY.openMs;
      for (let at = 0; at < origins.length; at += 1) {
        const origin = origins[(first + at) % origins.length];
        if (origin === undefined) continue;
        const admission = admit(origin.state, nowMs(), POLICY);
        origin.state = admission.state;
        if (!('era' in admission)) {
          shortestWaitMs = Math.min(shortestWaitMs, admission.retryAfterMs);
          continue;
        }
        const tell = (what: 'succeeded' | 'failed' | 'abandoned') => {
          origin.state = report(origin.state, admission.era, what, nowMs(), POLICY);
        };
        yield {
          url: origin.url,
          ...(origin.answeredAtMs === undefined ? {} : { answeredAtMs: origin.answeredAtMs }),
          answered() {
            origin.answeredAtMs = nowMs();
            tell('succeeded');
          },
          failed: () => tell('failed'),
          abandoned: () => tell('abandoned'),
        };
      }
      throw new GatewayError('unavailable', 'No origin of ORIGIN_URL answers. Try again.', {
        details: { retryAfterSeconds: Math.max(1, Math.ceil(shortestWaitMs / 1000)) },
      });
    },
  };
}
