/** What asking Ollama throws → VendorError. */

import { cut } from '../event-converter.ts';
import { httpFault, unreachable, type VendorWords } from '../http-fault.ts';
import { VendorError } from '../vendor-error.ts';

const WORDS: VendorWords = {
  vendor: 'Ollama',
  keySetting: 'OLLAMA_HOST',
  urlSetting: 'OLLAMA_HOST',
};

/** A status that is not 2xx. Ollama's own 404 means that nobody pulled the model. */
export function toOllamaRefusal(response: Response, model: string): VendorError {
  if (response.status === 404) {
    return new VendorError(
      'refused',
      'validation_failed',
      `Ollama does not have the model "${model}": "ollama pull ${model}" gets it.`,
      { details: { fields: [{ path: 'model', message: 'not pulled at OLLAMA_HOST' }] } },
    );
  }
  return httpFault(WORDS, { status: response.status, headers: response.headers, model });
}

/** The request got no answer at all. */
export function toOllamaUnreachable(thrown: unknown): VendorError {
  return unreachable(WORDS, thrown);
}

/** The body broke while it was read. */
export function toOllamaCut(thrown: unknown): VendorError {
  return cut(WORDS.vendor, thrown);
}
