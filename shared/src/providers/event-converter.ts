/** What a vendor's `convert.ts` is to the body decoders, and the faults they share. */

import type { ModelEvent } from './contract.ts';
import { VendorError } from './vendor-error.ts';

/** Longest single event of a vendor's stream, in UTF-16 units: far above any delta, far below memory. */
export const MAX_EVENT_LENGTH = 1024 * 1024;

/** Converts one answer; holds the little state that needs. */
export interface EventConverter {
  /** Shown in messages: `OpenAI`. */
  readonly vendor: string;
  /** Converts the data of one vendor event, appending to `batch`; throws VendorError at a fault. */
  convert(data: string, batch: ModelEvent[]): void;
  /** The vendor said that nothing more comes. */
  ended(): boolean;
  /** Enough came to call the answer whole, should the body close now. */
  whole(): boolean;
}

/** Parses one event; throws `upstream_failed` for what is no JSON object. */
export function parseEvent<T extends object>(data: string, vendor: string): T {
  let parsed: unknown;
  try {
    parsed = JSON.parse(data);
  } catch (cause) {
    throw malformed(vendor, cause);
  }
  if (typeof parsed === 'object' && parsed !== null) return parsed as T;
  throw malformed(vendor);
}

/** The vendor broke its own format. The event itself stays out of the message: it is upstream text. */
export function malformed(vendor: string, cause?: unknown): VendorError {
  return new VendorError('cut', 'upstream_failed', `${vendor} sent an event that cannot be read.`, {
    cause,
  });
}

/** The vendor reported a failure of its own after the answer had begun. */
export function reported(vendor: string, cause: unknown): VendorError {
  return new VendorError(
    'cut',
    'upstream_failed',
    `${vendor} reported an error during the answer.`,
    {
      cause,
    },
  );
}

/** The body was over, or the connection broke, before the vendor's end marker. */
export function cut(vendor: string, cause?: unknown): VendorError {
  return new VendorError(
    'cut',
    'upstream_failed',
    `${vendor}'s answer was cut off before its end.`,
    {
      cause,
    },
  );
}

/** One event grew past {@link MAX_EVENT_LENGTH}. */
export function oversized(vendor: string): VendorError {
  return new VendorError('cut', 'upstream_failed', `${vendor} sent an event larger than 1 MiB.`);
}

/**
 * The vendor said that it had answered, and gave neither text nor tool call. It is asked no second
 * time: the prompt may be what does it.
 */
export function answeredNothing(vendor: string): VendorError {
  return new VendorError('refused', 'upstream_failed', `${vendor} answered nothing.`);
}
