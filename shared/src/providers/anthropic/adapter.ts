/** Anthropic's Messages API. */

import Anthropic from '@anthropic-ai/sdk';
import type { ModelProvider, ModelRequest } from '../contract.ts';
import { createSseDecoder } from '../sse-body.ts';
import { DEFAULT_TIMEOUT_MS, type VendorSettings } from '../vendor-settings.ts';
import { streamVendor } from '../vendor-stream.ts';
import { createAnthropicConverter } from './convert.ts';
import { toAnthropicError } from './error.ts';

const DEFAULT_BASE_URL = 'https://api.anthropic.com';

/**
 * A provider on Anthropic's own SDK. The SDK makes the request (key, version, headers, errors); the
 * body is decoded here, a network read at a time, because its iterator costs a promise an event.
 */
export function createAnthropicProvider(settings: VendorSettings): ModelProvider {
  const silenceMs = settings.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  // Every credential and address is given, so that the SDK takes none from the environment.
  const client = new Anthropic({
    apiKey: settings.apiKey,
    webhookKey: null,
    baseURL: settings.baseUrl ?? DEFAULT_BASE_URL,
    timeout: silenceMs,
    maxRetries: settings.maxRetries ?? 0,
    logLevel: 'off',
    openTelemetry: false,
    ...(settings.fetch ? { fetch: settings.fetch } : {}),
  });
  return {
    name: 'anthropic',
    stream: (request, signal) =>
      streamVendor(
        () => ({
          vendor: 'Anthropic',
          open: (stop) => client.messages.create(toBody(request), { signal: stop }).asResponse(),
          decoder: createSseDecoder(createAnthropicConverter()),
          mapError: (thrown) => toAnthropicError(thrown, request.model),
          silenceMs,
        }),
        signal,
      ),
  };
}

/**
 * The request body. System messages stand outside the turns, joined by blank lines in the order
 * they were said. API version 2026-10-21, which this SDK speaks, knows no temperature: it is left out.
 */
export function toBody(request: ModelRequest): Anthropic.MessageCreateParamsStreaming {
  const system: string[] = [];
  const messages: Anthropic.MessageParam[] = [];
  for (const { role, content } of request.messages) {
    if (role === 'system') system.push(content);
    else messages.push({ role, content });
  }
  return {
    model: request.model,
    max_tokens: request.maxTokens,
    messages,
    stream: true,
    ...(system.length === 0 ? {} : { system: system.join('\n\n') }),
  };
}
