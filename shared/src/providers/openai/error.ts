/** What the OpenAI SDK throws → GatewayError. */

import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { GatewayError } from '../../protocol/errors.ts';
import { cut } from '../event-converter.ts';
import { httpFault, timedOut, unreachable, type VendorWords } from '../http-fault.ts';

const WORDS: VendorWords = {
  vendor: 'OpenAI',
  keySetting: 'OPENAI_API_KEY',
  urlSetting: 'OPENAI_BASE_URL',
};

/** Maps anything thrown while asking for `model`; what the SDK did not throw is a broken body. */
export function toOpenAIError(thrown: unknown, model: string): GatewayError {
  if (thrown instanceof APIConnectionTimeoutError) return timedOut(WORDS, thrown);
  if (thrown instanceof APIConnectionError) return unreachable(WORDS, thrown);
  if (thrown instanceof APIError && typeof thrown.status === 'number') {
    // A 429 that waiting does not mend: https://platform.openai.com/docs/guides/error-codes
    if (thrown.code === 'insufficient_quota') {
      return new GatewayError(
        'unavailable',
        'The OpenAI account of OPENAI_API_KEY has no quota left.',
        {
          cause: thrown,
        },
      );
    }
    return httpFault(WORDS, {
      status: thrown.status,
      headers: thrown.headers,
      model,
      cause: thrown,
    });
  }
  return cut(WORDS.vendor, thrown);
}
