/** Counts bytes that several files share. */

import { GatewayError } from '@headwater/shared/protocol/errors';

/** What is left of a number of bytes. */
export interface ByteBudget {
  readonly maxBytes: number;
  /** Errors: `payload_too_large` once more than `maxBytes` were taken. */
  take(bytes: number): void;
}

/** Makes a budget; `what` says in a refusal what is too large, such as `The files of the task`. */
export function createByteBudget(maxBytes: number, what: string): ByteBudget {
  let left = maxBytes;
  return {
    maxBytes,
    take(bytes) {
      left -= bytes;
      if (left < 0) throw tooLarge(what, maxBytes);
    },
  };
}

/** The refusal of what has more bytes than allowed. */
export function tooLarge(what: string, maxBytes: number): GatewayError {
  return new GatewayError(
    'payload_too_large',
    `${what} may have at most ${maxBytes.toLocaleString('en-US')} bytes.`,
  );
}
