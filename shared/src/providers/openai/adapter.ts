/** OpenAI, and every server that speaks its chat completions. */

import OpenAI from 'openai';
import { DEFAULT_TIMEOUTS } from '../../protocol/upstream-settings.ts';
import type { ModelProvider, ModelRequest } from '../contract.ts';
import { LIST_TIMEOUT_MS, type ModelLister } from '../model-lister.ts';
import { stoppedBy, withOwnSignal } from '../own-signal.ts';
import { createSseDecoder } from '../sse-body.ts';
import { recogniseTexts } from '../text-shape.ts';
import type { VendorSettings } from '../vendor-settings.ts';
import { streamVendor } from '../vendor-stream.ts';
import { toBody } from './body.ts';
import { createOpenAIConverter } from './convert.ts';
import { OPENAI_WORDS, toOpenAIError } from './error.ts';

const DEFAULT_BASE_URL = 'https://api.openai.com/v1';

/**
 * A provider on OpenAI's own SDK. The SDK makes the request (key, headers, errors); the body is
 * decoded here, a network read at a time, because its iterator costs a promise an event.
 */
export function createOpenAIProvider(settings: VendorSettings): ModelProvider & ModelLister {
  const timeouts = settings.timeouts ?? DEFAULT_TIMEOUTS;
  // Every credential and address is given, so that the SDK takes none from the environment.
  const client = new OpenAI({
    apiKey: settings.apiKey,
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    baseURL: settings.baseUrl ?? DEFAULT_BASE_URL,
    // The stream's own deadlines are the nearer ones; retries are the host's choice.
    timeout: timeouts.totalMs,
    maxRetries: 0,
    logLevel: 'off',
    fetch: withOwnSignal(settings.fetch),
  });
  return {
    name: 'openai',
    stream: (request, signal) =>
      streamVendor(
        () => ({
          vendor: OPENAI_WORDS.vendor,
          open: (stop) =>
            client.chat.completions
              .create(toBody(request), { ...stoppedBy(stop), headers: toHeaders(request) })
              .asResponse(),
          decoder: createSseDecoder(recogniseTexts(createOpenAIConverter)),
          mapError: (thrown) => toOpenAIError(thrown, request.model),
          timeouts,
        }),
        signal,
      ),
    async listModels() {
      try {
        const page = await client.models.list({ timeout: LIST_TIMEOUT_MS });
        return page.data.map(({ id, created, owned_by }) => ({ id, created, owned_by }));
      } catch (thrown) {
        throw toOpenAIError(thrown, 'any');
      }
    },
  };
}

/** OpenAI logs this header beside its own request id; it takes ASCII of at most 512 characters. */
function toHeaders(request: ModelRequest): Record<string, string> {
  return request.streamId === undefined ? {} : { 'x-client-request-id': request.streamId };
}
