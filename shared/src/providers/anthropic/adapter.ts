/** Anthropic's Messages API. */

import Anthropic from '@anthropic-ai/sdk';
import { DEFAULT_TIMEOUTS } from '../../protocol/upstream-settings.ts';
import type { ModelProvider } from '../contract.ts';
import { LIST_TIMEOUT_MS, type ModelLister } from '../model-lister.ts';
import { stoppedBy, withOwnSignal } from '../own-signal.ts';
import { createSseDecoder } from '../sse-body.ts';
import { recogniseTexts } from '../text-shape.ts';
import type { VendorSettings } from '../vendor-settings.ts';
import { streamVendor } from '../vendor-stream.ts';
import { toBody } from './body.ts';
import { createAnthropicConverter } from './convert.ts';
import { toAnthropicError } from './error.ts';

const DEFAULT_BASE_URL = 'https://api.anthropic.com';

/**
 * A provider on Anthropic's own SDK. The SDK makes the request (key, version, headers, errors); the
 * body is decoded here, a network read at a time, because its iterator costs a promise an event.
 */
export function createAnthropicProvider(settings: VendorSettings): ModelProvider & ModelLister {
  const timeouts = settings.timeouts ?? DEFAULT_TIMEOUTS;
  // Every credential and address is given, so that the SDK takes none from the environment.
  const client = new Anthropic({
    apiKey: settings.apiKey,
    webhookKey: null,
    baseURL: settings.baseUrl ?? DEFAULT_BASE_URL,
    // The stream's own deadlines are the nearer ones; retries are the host's choice.
    timeout: timeouts.totalMs,
    maxRetries: 0,
    logLevel: 'off',
    openTelemetry: false,
    fetch: withOwnSignal(settings.fetch),
  });
  return {
    name: 'anthropic',
    stream: (request, signal) =>
      streamVendor(
        () => ({
          vendor: 'Anthropic',
          open: (stop) => client.messages.create(toBody(request), stoppedBy(stop)).asResponse(),
          decoder: createSseDecoder(recogniseTexts(createAnthropicConverter)),
          mapError: (thrown) => toAnthropicError(thrown, request.model),
          timeouts,
        }),
        signal,
      ),
    async listModels() {
      try {
        const page = await client.models.list({ limit: 1000 }, { timeout: LIST_TIMEOUT_MS });
        return page.data
          .filter(({ lifecycle }) => lifecycle !== 'retired')
          .map(({ id, created_at }) => ({ id, ...created(created_at), owned_by: 'anthropic' }));
      } catch (thrown) {
        throw toAnthropicError(thrown, 'any');
      }
    },
  };
}

/** The vendor gives a date, and an epoch value where it does not know one. */
function created(date: string): { created?: number } {
  const seconds = Math.floor(Date.parse(date) / 1000);
  return seconds > 0 ? { created: seconds } : {};
}
