/** Leaves a vendor alone for a while that keeps failing. */

import {
  type AttemptReport,
  admit,
  type CircuitPolicy,
  type CircuitState,
  CLOSED_CIRCUIT,
  lookAt,
  report,
} from './circuit-breaker.ts';
import type { ModelEvent, ModelProvider } from './contract.ts';
import { FAILURE_FACTS, failureKindOf, VendorError } from './vendor-error.ts';

export interface BreakerOptions {
  readonly policy: CircuitPolicy;
  /** Default: the platform's clock. */
  readonly nowMs?: (() => number) | undefined;
}

/** A look at a vendor's circuit. */
export interface CircuitLook {
  circuit(): CircuitState['kind'];
}

type Read = IteratorResult<readonly ModelEvent[]>;

const OVER: Read = { done: true, value: undefined };

/**
 * The provider with a circuit breaker, one for all its answers. While it is open, an answer fails at
 * once with `unavailable` and `retryAfterSeconds`, and nothing is sent. The state lives in this
 * process alone.
 */
export function withBreaker<Provider extends ModelProvider>(
  provider: Provider,
  options: BreakerOptions,
): Provider & CircuitLook {
  const { policy, nowMs = Date.now } = options;
  let state: CircuitState = CLOSED_CIRCUIT;

  function enter(): number {
    const admission = admit(state, nowMs(), policy);
    state = admission.state;
    if ('era' in admission) return admission.era;
    throw leftAlone(provider.name, admission.retryAfterMs);
  }

  function stream(...[request, signal]: Parameters<ModelProvider['stream']>) {
    return {
      [Symbol.asyncIterator]: () => {
        let inner: AsyncIterator<readonly ModelEvent[]> | undefined;
        let era = 0;
        let hasSpoken = false;
        let hasEnded = false;

        const tell = (input: AttemptReport) => {
          state = report(state, era, input, nowMs(), policy);
        };
        const end = (input: AttemptReport) => {
          if (!hasEnded) tell(input);
          hasEnded = true;
        };
        const take = (result: Read) => {
          if (result.done) end(signal.aborted ? 'abandoned' : 'succeeded');
          else if (!hasSpoken) {
            hasSpoken = true;
            tell('spoke');
          }
          return result;
        };
        const fail = (thrown: unknown): never => {
          end(signal.aborted ? 'abandoned' : reportOf(thrown));
          throw thrown;
        };
        return {
          // Made once an answer: the only cost of a read is the promise that `then` returns.
          next() {
            if (inner === undefined) {
              if (hasEnded) return Promise.resolve(OVER);
              // Nobody listens any more: the vendor ends this quietly, without a request.
              if (!signal.aborted) {
                try {
                  era = enter();
                } catch (thrown) {
                  hasEnded = true;
                  return Promise.reject(thrown);
                }
              }
              inner = provider.stream(request, signal)[Symbol.asyncIterator]();
            }
            return inner.next().then(take, fail);
          },
          return() {
            // Not asked at all is no report: `era` is that of nobody.
            if (inner !== undefined) end('abandoned');
            hasEnded = true;
            return inner?.return?.() ?? Promise.resolve(OVER);
          },
        };
      },
    };
  }

  return { ...provider, stream, circuit: () => lookAt(state, nowMs()) };
}

/** A vendor that refuses has answered, and so is well; what is no vendor's failure says nothing. */
function reportOf(thrown: unknown): AttemptReport {
  const kind = failureKindOf(thrown);
  if (kind === undefined) return 'abandoned';
  return FAILURE_FACTS[kind].isOutage ? 'failed' : 'succeeded';
}

function leftAlone(vendor: string, retryAfterMs: number): VendorError {
  const retryAfterSeconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  return new VendorError(
    'left_alone',
    'unavailable',
    `The model provider "${vendor}" kept failing and is left alone for ${retryAfterSeconds} s.`,
    { details: { retryAfterSeconds } },
  );
}
