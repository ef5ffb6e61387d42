/** Every way Headwater refuses or fails, as one closed set of codes. */

/** Facts of a code: HTTP status, WebSocket close code, and whether the same request may work later. */
export interface ErrorFacts {
  readonly status: number;
  /** 4000–4999 is the range RFC 6455 §7.4.2 leaves to applications: 4000 + HTTP status. */
  readonly closeCode: number;
  readonly retryable: boolean;
}

const facts = (status: number, retryable = false): ErrorFacts => ({
  status,
  closeCode: 4000 + status,
  retryable,
});

/** The one table: code → HTTP status, close code, retryable. */
export const ERROR_TABLE = {
  validation_failed: facts(400),
  unauthorized: facts(401),
  forbidden: facts(403),
  not_found: facts(404),
  conflict: facts(409),
  expired: facts(410),
  payload_too_large: facts(413),
  unsupported_media_type: facts(415),
  unprocessable: facts(422),
  rate_limited: facts(429, true),
  processing_failed: facts(500),
  upstream_failed: facts(502, true),
  unavailable: facts(503, true),
  upstream_timeout: facts(504, true),
} as const satisfies Record<string, ErrorFacts>;

/** A code of {@link ERROR_TABLE}. */
export type ErrorCode = keyof typeof ERROR_TABLE;

/** One faulty field of a request; `path` is dotted, `''` for the body itself. */
export interface FieldFault {
  readonly path: string;
  readonly message: string;
}

/** What an error shows beside its message. */
export interface ErrorDetails {
  readonly fields?: readonly FieldFault[];
  /** Seconds after which the same request may work; also sent as `Retry-After`. */
  readonly retryAfterSeconds?: number;
}

/** What the wire shows of an error: never a stack, a key, a path or an upstream body. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: ErrorDetails;
}

/**
 * The only error that crosses a boundary inside Headwater. `message` goes to the caller word for
 * word, so it says what to do and holds nothing secret; `cause` goes to the log alone.
 */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; details?: ErrorDetails } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'GatewayError';
    this.code = code;
    this.details = options.details;
  }

  get status(): number {
    return ERROR_TABLE[this.code].status;
  }
}

/** Maps anything thrown to a GatewayError; what is not one already becomes `processing_failed`. */
export function toGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  return new GatewayError(
    'processing_failed',
    'Something failed inside the gateway. The request id finds it in the log.',
    { cause: thrown },
  );
}

/** The part of an error that may leave the process. */
export function toWireError(error: GatewayError): WireError {
  return error.details === undefined
    ? { code: error.code, message: error.message }
    : { code: error.code, message: error.message, details: error.details };
}

/** The JSON body of an HTTP error: `{ error: { code, message, requestId, details? } }`. */
export function errorBody(
  error: GatewayError,
  requestId: string,
): { error: WireError & { requestId: string } } {
  return { error: { ...toWireError(error), requestId } };
}

/** Headers an error adds to its response. */
export function errorHeaders(error: GatewayError): Record<string, string> {
  const seconds = error.details?.retryAfterSeconds;
  return seconds === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(seconds))) };
}
