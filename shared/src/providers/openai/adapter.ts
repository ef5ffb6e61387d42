/** OpenAI, and every server that speaks its chat completions. */

import OpenAI from 'openai';
import type { ModelProvider, ModelRequest } from '../contract.ts';
import { createSseDecoder } from '../sse-body.ts';
import { DEFAULT_TIMEOUT_MS, type VendorSettings } from '../vendor-settings.ts';
import { streamVendor } from '../vendor-stream.ts';
import { createOpenAIConverter } from './convert.ts';
import { toOpenAIError } from './error.ts';

const DEFAULT_BASE_URL = 'https://api.openai.com/v1';

type Body = OpenAI.Chat.ChatCompletionCreateParamsStreaming;

/**
 * A provider on OpenAI's own SDK. The SDK makes the request (key, headers, errors); the body is
 * decoded here, a network read at a time, because its iterator costs a promise an event.
 */
export function createOpenAIProvider(settings: VendorSettings): ModelProvider {
  const silenceMs = settings.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  // Every credential and address is given, so that the SDK takes none from the environment.
  const client = new OpenAI({
    apiKey: settings.apiKey,
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    baseURL: settings.baseUrl ?? DEFAULT_BASE_URL,
    timeout: silenceMs,
    maxRetries: settings.maxRetries ?? 0,
    logLevel: 'off',
    ...(settings.fetch ? { fetch: settings.fetch } : {}),
  });
  return {
    name: 'openai',
    stream: (request, signal) =>
      streamVendor(
        () => ({
          vendor: 'OpenAI',
          open: (stop) =>
            client.chat.completions
              .create(toBody(request), { signal: stop, headers: toHeaders(request) })
              .asResponse(),
          decoder: createSseDecoder(createOpenAIConverter()),
          mapError: (thrown) => toOpenAIError(thrown, request.model),
          silenceMs,
        }),
        signal,
      ),
  };
}

/**
 * The request body. Models from o1 on take `max_completion_tokens` and refuse `max_tokens` and any
 * temperature but their own; servers that imitate OpenAI know `max_tokens` alone.
 */
export function toBody(request: ModelRequest): Body {
  const isReasoning = isReasoningModel(request.model);
  return {
    model: request.model,
    messages: request.messages.map(({ role, content }) => ({ role, content })),
    stream: true,
    stream_options: { include_usage: true },
    ...(isReasoning
      ? { max_completion_tokens: request.maxTokens }
      : { max_tokens: request.maxTokens }),
    ...(request.temperature === undefined || isReasoning
      ? {}
      : { temperature: request.temperature }),
  };
}

/** True for o1, o3, o4 … and gpt-5 and later, also fine-tuned (`ft:o4-mini:…`). */
export function isReasoningModel(model: string): boolean {
  return /^(?:ft:)?(?:o[0-9]|gpt-(?:[5-9]|[1-9][0-9])(?![0-9]))/.test(model);
}

/** OpenAI logs this header beside its own request id; it takes ASCII of at most 512 characters. */
function toHeaders(request: ModelRequest): Record<string, string> {
  return request.streamId === undefined ? {} : { 'x-client-request-id': request.streamId };
}
