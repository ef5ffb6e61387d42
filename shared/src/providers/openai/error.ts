/** What the OpenAI SDK throws → VendorError. */

import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { cut } from '../event-converter.ts';
import { httpFault, timedOut, unreachable, type VendorWords } from '../http-fault.ts';
import { VendorError } from '../vendor-error.ts';

/** OpenAI's own. */
export const OPENAI_WORDS: VendorWords = {
  vendor: 'OpenAI',
  keySetting: 'OPENAI_API_KEY',
  urlSetting: 'OPENAI_BASE_URL',
};

/** Maps anything thrown while asking for `model`; what the SDK did not throw is a broken body. */
export function toOpenAIError(
  thrown: unknown,
  model: string,
  words: VendorWords = OPENAI_WORDS,
): VendorError {
  if (thrown instanceof APIConnectionTimeoutError) return timedOut(words, thrown);
  if (thrown instanceof APIConnectionError) return unreachable(words, thrown);
  if (thrown instanceof APIError && typeof thrown.status === 'number') {
    // A 429 that waiting does not mend: https://platform.openai.com/docs/guides/error-codes
    if (thrown.code === 'insufficient_quota') {
      return new VendorError(
        'refused',
        'unavailable',
        `The ${words.vendor} account of ${words.keySetting} has no quota left.`,
        { cause: thrown },
      );
    }
    // Azure's own 400: https://learn.microsoft.com/azure/ai-services/openai/concepts/content-filter
    if (thrown.code === 'content_filter') {
      return new VendorError(
        'refused',
        'validation_failed',
        `${words.vendor}'s content filter refused the prompt.`,
        { cause: thrown },
      );
    }
    return httpFault(words, {
      status: thrown.status,
      headers: thrown.headers,
      model,
      cause: thrown,
    });
  }
  return cut(words.vendor, thrown);
}
