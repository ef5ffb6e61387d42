/** When a vendor that keeps failing is left alone: (state, input, now) → state. */

/** How long a circuit is patient. */
export interface CircuitPolicy {
  /** Failures in a row that open it. At least 1. */
  readonly failures: number;
  /** For how long it stays open before one attempt may look again. */
  readonly openMs: number;
  /**
   * After how long a probe that never reported is given up: a host may drop a request without a
   * word. Longer than any wait for a first token.
   */
  readonly probeMs: number;
}

/**
 * `closed` lets everything through, `open` nothing, `half-open` one probe at a time. The era counts
 * the openings: what an attempt of an earlier era reports says nothing about the vendor of today.
 */
export type CircuitState =
  | { readonly kind: 'closed'; readonly era: number; readonly failures: number }
  | { readonly kind: 'open'; readonly era: number; readonly untilMs: number }
  | { readonly kind: 'half-open'; readonly era: number; readonly probeUntilMs: number };

/** What an attempt reports: of its first event, of its end, or that nobody wanted to hear it. */
export type AttemptReport = 'spoke' | 'succeeded' | 'failed' | 'abandoned';

/** The era an attempt belongs to, or when to come back. */
export type Admission =
  | { readonly state: CircuitState; readonly era: number }
  | { readonly state: CircuitState; readonly retryAfterMs: number };

/** A circuit that has seen nothing yet. */
export const CLOSED_CIRCUIT: CircuitState = { kind: 'closed', era: 0, failures: 0 };

/** Asks to make an attempt. */
export function admit(state: CircuitState, nowMs: number, policy: CircuitPolicy): Admission {
  if (state.kind === 'closed') return { state, era: state.era };
  const waitUntilMs = state.kind === 'open' ? state.untilMs : state.probeUntilMs;
  // A clock that stepped back must not keep the vendor out for longer than the policy says.
  const longestMs = state.kind === 'open' ? policy.openMs : policy.probeMs;
  const leftMs = Math.min(waitUntilMs - nowMs, longestMs);
  if (leftMs > 0) return { state, retryAfterMs: Math.min(leftMs, policy.openMs) };
  // A probe that was given up must not close the circuit later: the new one has an era of its own.
  const era = state.kind === 'open' ? state.era : state.era + 1;
  return { state: { kind: 'half-open', era, probeUntilMs: nowMs + policy.probeMs }, era };
}

/** Takes the report of an attempt that was admitted in `era`. */
export function report(
  state: CircuitState,
  era: number,
  input: AttemptReport,
  nowMs: number,
  policy: CircuitPolicy,
): CircuitState {
  if (era !== state.era || state.kind === 'open') return state;
  const open: CircuitState = { kind: 'open', era: era + 1, untilMs: nowMs + policy.openMs };
  if (state.kind === 'half-open') {
    switch (input) {
      // A long answer must not keep others out; until it is whole, one more failure opens again.
      case 'spoke':
        return { kind: 'closed', era, failures: policy.failures - 1 };
      case 'succeeded':
        return { kind: 'closed', era, failures: 0 };
      case 'failed':
        return open;
      case 'abandoned':
        return { kind: 'open', era: era + 1, untilMs: nowMs };
    }
  }
  switch (input) {
    case 'succeeded':
      return state.failures === 0 ? state : { kind: 'closed', era, failures: 0 };
    case 'failed':
      return state.failures + 1 >= policy.failures
        ? open
        : { kind: 'closed', era, failures: state.failures + 1 };
    default:
      return state;
  }
}

/** What `/health` shows. An open circuit whose time is over waits for its probe. */
export function lookAt(state: CircuitState, nowMs: number): CircuitState['kind'] {
  return state.kind === 'open' && state.untilMs <= nowMs ? 'half-open' : state.kind;
}
