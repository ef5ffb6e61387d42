/** A model on an Ollama server. Only the origin wires it: the edge cannot reach one. */

import { Ollama } from 'ollama/browser';
import { GatewayError } from '../../protocol/errors.ts';
import { OLLAMA_TIMEOUTS, type VendorTimeouts } from '../../protocol/upstream-settings.ts';
import type { ModelProvider, ModelRequest } from '../contract.ts';
import { LIST_TIMEOUT_MS, type ModelLister } from '../model-lister.ts';
import { createNdjsonDecoder } from '../ndjson-body.ts';
import { streamVendor } from '../vendor-stream.ts';
import { toBody } from './body.ts';
import { createOllamaConverter } from './convert.ts';
import { toOllamaCut, toOllamaRefusal, toOllamaUnreachable } from './error.ts';

/** How to reach an Ollama server. */
export interface OllamaSettings {
  /** `host`, `host:port` or a URL, as `OLLAMA_HOST` takes it. */
  readonly host: string;
  /** Default {@link OLLAMA_TIMEOUTS}. */
  readonly timeouts?: VendorTimeouts | undefined;
  /** Default: the platform's `fetch`. */
  readonly fetch?: typeof fetch | undefined;
}

/** A provider on Ollama's own client. */
export function createOllamaProvider(settings: OllamaSettings): ModelProvider & ModelLister {
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
          timeouts: settings.timeouts ?? OLLAMA_TIMEOUTS,
        }),
        signal,
      ),
    async listModels() {
      const stop = AbortSignal.timeout(LIST_TIMEOUT_MS);
      const client = new Ollama({
        host: settings.host,
        fetch: (input, init) => platformFetch(input, { ...init, signal: stop }),
      });
      try {
        const { models } = await client.list();
        return models.map(({ model, modified_at }) => ({
          id: model,
          ...madeAt(modified_at),
          owned_by: 'ollama',
        }));
      } catch (thrown) {
        throw thrown instanceof GatewayError ? thrown : toOllamaUnreachable(thrown);
      }
    },
  };
}

/** The client hands the server's text on, whatever its own type says. */
function madeAt(date: unknown): { created?: number } {
  const seconds = Math.floor(Date.parse(String(date)) / 1000);
  return seconds > 0 ? { created: seconds } : {};
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
