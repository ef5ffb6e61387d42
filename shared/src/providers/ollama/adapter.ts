/** A model on an Ollama server. Only the origin wires it: the edge cannot reach one. */

import { type ChatRequest, Ollama } from 'ollama/browser';
import type { ModelProvider, ModelRequest } from '../contract.ts';
import { createNdjsonDecoder } from '../ndjson-body.ts';
import { streamVendor } from '../vendor-stream.ts';
import { createOllamaConverter } from './convert.ts';
import { toOllamaCut, toOllamaRefusal, toOllamaUnreachable } from './error.ts';

/** How to reach an Ollama server. */
export interface OllamaSettings {
  /** `host`, `host:port` or a URL, as `OLLAMA_HOST` takes it. */
  readonly host: string;
  /** Longest wait for the headers, and for each next byte after them. Default {@link OLLAMA_TIMEOUT_MS}. */
  readonly timeoutMs?: number | undefined;
  /** Default: the platform's `fetch`. */
  readonly fetch?: typeof fetch | undefined;
}

/** A first request loads the model: Ollama itself allows that 5 minutes (`OLLAMA_LOAD_TIMEOUT`). */
export const OLLAMA_TIMEOUT_MS = 300_000;

/** A provider on Ollama's own client. */
export function createOllamaProvider(settings: OllamaSettings): ModelProvider {
  const platformFetch: typeof fetch = settings.fetch ?? ((input, init) => fetch(input, init));
  return {
    name: 'ollama',
    stream: (request, signal) =>
      streamVendor(
        () => ({
          vendor: 'Ollama',
          open: (stop) => openChat(settings.host, request, platformFetch, stop),
          decoder: createNdjsonDecoder(createOllamaConverter()),
          mapError: toOllamaCut,
          silenceMs: settings.timeoutMs ?? OLLAMA_TIMEOUT_MS,
        }),
        signal,
      ),
  };
}

/**
 * The client makes the request; its answer is taken before its iterator reads it. That iterator
 * skips lines it cannot parse, prints them to the console, and cannot be stopped before the headers.
 * A client a request is cheap, and keeps the list of open answers it never clears from growing.
 */
async function openChat(
  host: string,
  request: ModelRequest,
  platformFetch: typeof fetch,
  stop: AbortSignal,
): Promise<Response> {
  let answer: Response | undefined;
  const client = new Ollama({
    host,
    fetch: async (input: Parameters<typeof fetch>[0], init?: RequestInit) => {
      answer = await platformFetch(input, { ...init, signal: stop }).catch((thrown: unknown) => {
        throw toOllamaUnreachable(thrown);
      });
      if (answer.ok) return answer;
      await answer.body?.cancel();
      throw toOllamaRefusal(answer, request.model);
    },
  });
  await client.chat(toBody(request));
  if (answer === undefined) throw toOllamaUnreachable('the client sent no request');
  return answer;
}

/** The request body. Ollama takes system messages wherever they stand. */
export function toBody(request: ModelRequest): ChatRequest & { stream: true } {
  return {
    model: request.model,
    messages: request.messages.map(({ role, content }) => ({ role, content })),
    stream: true,
    options: {
      num_predict: request.maxTokens,
      ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
    },
  };
}
