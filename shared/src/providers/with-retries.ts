/** Asks a vendor again that failed before its answer began. */

import type { GatewayError } from '../protocol/errors.ts';
import type { ModelEvent, ModelProvider } from './contract.ts';
import { type SleepClock, timerClock } from './sleep.ts';
import { FAILURE_FACTS, VendorError } from './vendor-error.ts';

/** How often, and how soon. */
export interface RetryPolicy {
  /** Attempts after the first. */
  readonly maxRetries: number;
  /** Pause before the first of them; each next is twice as long. */
  readonly baseMs: number;
  /** Longest pause of our own choice. */
  readonly maxMs: number;
  /** A vendor that asks for a longer pause is not waited for: its caller can decide. */
  readonly maxRetryAfterMs: number;
}

/** Half a second to eight, as both vendors' SDKs wait. */
export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  maxRetries: 2,
  baseMs: 500,
  maxMs: 8000,
  maxRetryAfterMs: 20_000,
};

export interface RetryOptions {
  readonly policy?: RetryPolicy | undefined;
  /** Default: the platform's timers. */
  readonly clock?: SleepClock | undefined;
  /** From 0 up to 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

type Batches = AsyncIterator<readonly ModelEvent[]>;
type Read = IteratorResult<readonly ModelEvent[]>;

const OVER: Read = { done: true, value: undefined };

/**
 * The provider with retries. Only an answer of which nothing came is asked for again, and only after
 * a failure that time may mend ({@link FAILURE_FACTS}). From the first batch on, reads are the inner
 * provider's own.
 */
export function withRetries<Provider extends ModelProvider>(
  provider: Provider,
  options: RetryOptions = {},
): Provider {
  const { policy = DEFAULT_RETRY_POLICY, clock = timerClock, random = Math.random } = options;

  function stream(...[request, signal]: Parameters<ModelProvider['stream']>) {
    return {
      [Symbol.asyncIterator]: () => {
        const stop = new AbortController();
        let inner: Batches | undefined;
        let hasBegun = false;

        const attempt = () => provider.stream(request, signal)[Symbol.asyncIterator]();

        async function begin(): Promise<Read> {
          for (let failures = 0; !stop.signal.aborted; ) {
            inner = attempt();
            try {
              const first = await inner.next();
              hasBegun = true;
              return first;
            } catch (thrown) {
              if (stop.signal.aborted || signal.aborted) return OVER;
              const pauseMs = pauseAfter(thrown, failures, policy, random);
              if (pauseMs === undefined) {
                hasBegun = true;
                throw thrown;
              }
              failures += 1;
              await sleepUntilAborted(clock, pauseMs, signal, stop);
              if (signal.aborted) return OVER;
            }
          }
          return OVER;
        }

        return {
          next: () => (hasBegun && inner ? inner.next() : begin()),
          return() {
            stop.abort();
            hasBegun = true;
            return inner?.return?.() ?? Promise.resolve(OVER);
          },
        };
      },
    };
  }

  return { ...provider, stream };
}

/** Undefined where there is no next attempt. */
export function pauseAfter(
  thrown: unknown,
  failures: number,
  policy: RetryPolicy,
  random: () => number,
): number | undefined {
  if (failures >= policy.maxRetries || !isRetryable(thrown)) return undefined;
  const askedMs = (thrown.details?.retryAfterSeconds ?? 0) * 1000;
  if (askedMs > policy.maxRetryAfterMs) return undefined;
  const fullMs = Math.min(policy.baseMs * 2 ** failures, policy.maxMs);
  // Half of it at random: callers that failed together must not come back together.
  const ownMs = fullMs / 2 + (random() * fullMs) / 2;
  return askedMs + (askedMs === 0 ? ownMs : ownMs / 4);
}

function isRetryable(thrown: unknown): thrown is GatewayError {
  return thrown instanceof VendorError && FAILURE_FACTS[thrown.kind].isRetryable;
}

/** Either the caller's abort or the iterator's return ends the pause. */
async function sleepUntilAborted(
  clock: SleepClock,
  ms: number,
  signal: AbortSignal,
  stop: AbortController,
): Promise<void> {
  const forward = () => stop.abort();
  signal.addEventListener('abort', forward, { once: true });
  await clock.sleep(ms, stop.signal);
  signal.removeEventListener('abort', forward);
}
