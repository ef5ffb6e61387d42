/** What went wrong with a vendor, for those who decide whether to ask it again. */

import { type ErrorCode, type ErrorDetails, GatewayError } from '../protocol/errors.ts';

interface FailureFacts {
  /** The same request may work a moment later, as long as nothing of an answer came. */
  readonly isRetryable: boolean;
  /** The vendor is not well: the circuit breaker counts it. Otherwise the vendor did answer. */
  readonly isOutage: boolean;
}

const facts = (isRetryable: boolean, isOutage: boolean): FailureFacts => ({
  isRetryable,
  isOutage,
});

/** Every kind of failure, and what it means to retries and breaker. */
export const FAILURE_FACTS = {
  /** No byte of an answer came. */
  unreachable: facts(true, true),
  /** No headers in time. */
  connect_timeout: facts(true, true),
  /** No first token in time, or silence in mid-answer. */
  silence: facts(false, true),
  /** The answer takes longer than one may. The vendor may be well, and the answer long. */
  overlong: facts(false, false),
  /** 408, 409 or 429: not now. */
  busy: facts(true, false),
  /** 529, or the same as an event: the vendor has more work than it can do. */
  overloaded: facts(true, true),
  /** 5xx. */
  broken: facts(true, true),
  /** The answer began and could not be read to its end. */
  cut: facts(false, true),
  /** Another 4xx, or an answer of nothing: asking again would end the same way. */
  refused: facts(false, false),
  /** Not asked at all: the circuit is open. */
  left_alone: facts(false, false),
} as const satisfies Record<string, FailureFacts>;

/** A key of {@link FAILURE_FACTS}. */
export type FailureKind = keyof typeof FAILURE_FACTS;

/** A failure of a vendor. To everybody but retries and breaker it is a GatewayError like any other. */
export class VendorError extends GatewayError {
  readonly kind: FailureKind;

  constructor(
    kind: FailureKind,
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; details?: ErrorDetails } = {},
  ) {
    super(code, message, options);
    this.kind = kind;
  }
}

/** The kind of anything thrown; what no vendor caused has none. */
export function failureKindOf(thrown: unknown): FailureKind | undefined {
  return thrown instanceof VendorError ? thrown.kind : undefined;
}
