/** What the Anthropic SDK throws → VendorError. */

import { APIConnectionError, APIConnectionTimeoutError, APIError } from '@anthropic-ai/sdk';
import { cut } from '../event-converter.ts';
import { httpFault, timedOut, unreachable, type VendorWords } from '../http-fault.ts';
import type { VendorError } from '../vendor-error.ts';

const WORDS: VendorWords = {
  vendor: 'Anthropic',
  keySetting: 'ANTHROPIC_API_KEY',
  urlSetting: 'ANTHROPIC_BASE_URL',
};

/** Maps anything thrown while asking for `model`; what the SDK did not throw is a broken body. */
export function toAnthropicError(thrown: unknown, model: string): VendorError {
  if (thrown instanceof APIConnectionTimeoutError) return timedOut(WORDS, thrown);
  if (thrown instanceof APIConnectionError) return unreachable(WORDS, thrown);
  if (thrown instanceof APIError && typeof thrown.status === 'number') {
    return httpFault(WORDS, {
      status: thrown.status,
      headers: thrown.headers,
      model,
      cause: thrown,
    });
  }
  return cut(WORDS.vendor, thrown);
}
