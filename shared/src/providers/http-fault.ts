/** What a vendor's refusal, before any answer, means to the caller. */

import { type ErrorDetails, GatewayError } from '../protocol/errors.ts';
import { readRetryAfterSeconds } from './retry-after.ts';

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
export function httpFault(words: VendorWords, refusal: HttpRefusal): GatewayError {
  const { vendor, keySetting, urlSetting } = words;
  const { status, model, cause } = refusal;
  switch (status) {
    case 401:
      return new GatewayError('unavailable', `${vendor} refused the key: check ${keySetting}.`, {
        cause,
      });
    case 403:
      return new GatewayError(
        'unavailable',
        `${vendor} does not let this key use the model "${model}": check ${keySetting}.`,
        { cause },
      );
    case 402:
      return new GatewayError(
        'unavailable',
        `The ${vendor} account of ${keySetting} cannot be billed.`,
        { cause },
      );
    case 404:
      return new GatewayError(
        'validation_failed',
        `${vendor} does not know the model "${model}" at the address in use (${urlSetting}).`,
        { cause, details: { fields: [{ path: 'model', message: `unknown to ${vendor}` }] } },
      );
    case 408:
      return new GatewayError('upstream_timeout', `${vendor} gave up on the request in time.`, {
        cause,
      });
    case 429:
    case OVERLOADED:
      return limited(vendor, refusal);
    default:
      return status >= 400 && status < 500
        ? new GatewayError('validation_failed', `${vendor} refused the request (${status}).`, {
            cause,
          })
        : new GatewayError('upstream_failed', `${vendor} failed with status ${status}.`, { cause });
  }
}

function limited(vendor: string, { status, headers, cause }: HttpRefusal): GatewayError {
  const retryAfterSeconds = readRetryAfterSeconds(headers);
  const details: ErrorDetails | undefined =
    retryAfterSeconds === undefined ? undefined : { retryAfterSeconds };
  const message =
    status === OVERLOADED ? `${vendor} is overloaded.` : `${vendor} limits the rate or the quota.`;
  return new GatewayError('unavailable', message, details ? { cause, details } : { cause });
}

/** No byte of an answer came. */
export class VendorUnreachableError extends GatewayError {}

/** Nothing answered at the vendor's address. */
export function unreachable(words: VendorWords, cause: unknown): VendorUnreachableError {
  return new VendorUnreachableError(
    'upstream_failed',
    `${words.vendor} could not be reached (${words.urlSetting}).`,
    { cause },
  );
}

/** The vendor took the connection and then said nothing in time. */
export function timedOut(words: VendorWords, cause: unknown): GatewayError {
  return new GatewayError('upstream_timeout', `${words.vendor} did not answer in time.`, { cause });
}
