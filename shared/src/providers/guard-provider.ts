/** Everything that stands between a host and a vendor that fails. */

import type { UpstreamGuard } from '../protocol/upstream-settings.ts';
import type { ModelProvider } from './contract.ts';
import type { SleepClock } from './sleep.ts';
import { type CircuitLook, withBreaker } from './with-breaker.ts';
import { DEFAULT_RETRY_POLICY, withRetries } from './with-retries.ts';

export interface GuardOptions extends UpstreamGuard {
  /** Default: the platform's. */
  readonly clock?: (SleepClock & { nowMs(): number }) | undefined;
  /** From 0 up to 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** Longer than Ollama's five minutes to a first token. */
const PROBE_MS = 330_000;

/**
 * The provider with retries around a circuit breaker. The breaker is the inner one: it counts the
 * failure of each attempt, and a retry that finds it open ends there instead of reaching the vendor.
 * 0 switches either of them off.
 */
export function guardProvider<Provider extends ModelProvider>(
  provider: Provider,
  options: GuardOptions,
): Provider & Partial<CircuitLook> {
  const { maxRetries, breakerFailures, breakerOpenMs, clock, random } = options;
  const broken: Provider & Partial<CircuitLook> =
    breakerFailures === 0
      ? provider
      : withBreaker(provider, {
          policy: { failures: breakerFailures, openMs: breakerOpenMs, probeMs: PROBE_MS },
          nowMs: clock?.nowMs,
        });
  if (maxRetries === 0) return broken;
  const policy = { ...DEFAULT_RETRY_POLICY, maxRetries };
  return withRetries(broken, { policy, clock, random });
}
