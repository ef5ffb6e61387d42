/** What a log may say of an error. */

import { GatewayError } from './errors.ts';

/** An error in a log line. */
export interface ErrorDescription {
  readonly type: string;
  readonly code?: string;
  readonly message?: string;
  readonly cause?: ErrorDescription;
  /** Where it was thrown; only for faults of our own code. */
  readonly stack?: string;
}

/** Errors of our own code, whose messages quote no caller and no vendor. */
const OWN_FAULTS: ReadonlySet<string> = new Set(['TypeError', 'RangeError', 'ReferenceError']);

/**
 * Describes an error for the log: type, code and causes. The message of a foreign error is left
 * out, because vendors and parsers quote prompts, answers and keys in theirs.
 */
export function describeError(thrown: unknown, depth = 0): ErrorDescription {
  if (!(thrown instanceof Error)) return { type: typeof thrown };
  const code = (thrown as { code?: unknown }).code;
  const own = thrown instanceof GatewayError;
  return {
    type: thrown.name,
    ...(typeof code === 'string' ? { code } : {}),
    ...(own ? { message: thrown.message } : {}),
    ...(OWN_FAULTS.has(thrown.name) && thrown.stack !== undefined
      ? { stack: thrown.stack.split('\n').slice(1, 8).join('\n') }
      : {}),
    ...(thrown.cause !== undefined && depth < 4
      ? { cause: describeError(thrown.cause, depth + 1) }
      : {}),
  };
}
