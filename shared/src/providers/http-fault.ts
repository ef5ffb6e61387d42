/** What a vendor's refusal, before any answer, means to the caller. */

import type { ErrorCode, ErrorDetails } from '../protocol/errors.ts';
import { readRetryAfterSeconds } from './retry-after.ts';
import { type FailureKind, VendorError } from './vendor-error.ts';

/** The words one vendor's messages are made of. */
export interface VendorWords {
  /** `OpenAI` */
  readonly vendor: string;
  /** The setting that holds its key: `OPENAI_API_KEY`. */
  readonly keySetting: string;
  /** The setting that holds its address: `OPENAI_BASE_URL`. */
  readonly urlSetting: string;
}

/** An HTTP answer that is not 2xx. */
export interface HttpRefusal {
  readonly status: number;
  readonly headers?: Headers | undefined;
  /** The model that was asked for. */
  readonly model: string;
  /** For the log alone; may hold the vendor's body. */
  readonly cause?: unknown;
}

/** Anthropic's "overloaded": busy, not broken (https://docs.anthropic.com/en/api/errors). */
const OVERLOADED = 529;

/** Maps a vendor's status to the gateway's code and own words. */
export function httpFault(words: VendorWords, refusal: HttpRefusal): VendorError {
  const { vendor, keySetting, urlSetting } = words;
  const { status, model, cause } = refusal;
  const retryAfterSeconds = readRetryAfterSeconds(refusal.headers);

  function fault(kind: FailureKind, code: ErrorCode, message: string, more?: ErrorDetails) {
    const details: ErrorDetails = {
      ...(retryAfterSeconds === undefined || kind === 'refused' ? {} : { retryAfterSeconds }),
      ...more,
    };
    const hasDetails = Object.keys(details).length > 0;
    return new VendorError(kind, code, message, hasDetails ? { cause, details } : { cause });
  }

  switch (status) {
    case 401:
      return fault('refused', 'unavailable', `${vendor} refused the key: check ${keySetting}.`);
    case 403:
      return fault(
        'refused',
        'unavailable',
        `${vendor} does not let this key use the model "${model}": check ${keySetting}.`,
      );
    case 402:
      return fault(
        'refused',
        'unavailable',
        `The ${vendor} account of ${keySetting} cannot be billed.`,
      );
    case 404:
      return fault(
        'refused',
        'validation_failed',
        `${vendor} does not know the model "${model}" at the address in use (${urlSetting}).`,
        { fields: [{ path: 'model', message: `unknown to ${vendor}` }] },
      );
    case 408:
      return fault('busy', 'upstream_timeout', `${vendor} gave up on the request in time.`);
    case 409:
      // Both vendors' SDKs ask again: it is a lock that was not free in time.
      return fault('busy', 'upstream_failed', `${vendor} was in conflict with itself (409).`);
    case 429:
      return fault('busy', 'unavailable', `${vendor} limits the rate or the quota.`);
    case OVERLOADED:
      return fault('overloaded', 'unavailable', `${vendor} is overloaded.`);
    default:
      return status >= 400 && status < 500
        ? fault('refused', 'validation_failed', `${vendor} refused the request (${status}).`)
        : fault('broken', 'upstream_failed', `${vendor} failed with status ${status}.`);
  }
}

/** Nothing answered at the vendor's address. */
export function unreachable(words: VendorWords, cause: unknown): VendorError {
  return new VendorError(
    'unreachable',
    'upstream_failed',
    `${words.vendor} could not be reached (${words.urlSetting}).`,
    { cause },
  );
}

/** The vendor took the connection and then said nothing in time. */
export function timedOut(words: VendorWords, cause: unknown): VendorError {
  return new VendorError(
    'connect_timeout',
    'upstream_timeout',
    `${words.vendor} did not answer in time.`,
    { cause },
  );
}
