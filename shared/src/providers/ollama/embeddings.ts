/** Embeddings of an Ollama server. */

import { Ollama } from 'ollama/browser';
import { GatewayError } from '../../protocol/errors.ts';
import { type EmbeddingModel, isVectors } from '../embedding-model.ts';
import { VendorError } from '../vendor-error.ts';
import type { OllamaSettings } from './adapter.ts';
import { toOllamaRefusal, toOllamaUnreachable } from './error.ts';

/** One request, the loading of the model included, in ms. */
const TIMEOUT_MS = 300_000;

/** A model on Ollama's own client, by `/api/embed`. */
export function createOllamaEmbeddings(
  settings: Omit<OllamaSettings, 'timeouts'>,
  model: string,
): EmbeddingModel {
  const platformFetch: typeof fetch = settings.fetch ?? ((input, init) => fetch(input, init));
  return {
    name: `ollama/${model}`,
    async embed(texts, signal) {
      const stop = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
      // A client a request: its own way to stop one stops them all.
      const client = new Ollama({
        host: settings.host,
        fetch: async (input: Parameters<typeof fetch>[0], init?: RequestInit) => {
          const answer = await platformFetch(input, { ...init, signal: stop });
          if (answer.ok) return answer;
          await answer.body?.cancel();
          throw toOllamaRefusal(answer, model);
        },
      });
      try {
        const { embeddings } = await client.embed({ model, input: [...texts] });
        if (isVectors(embeddings, texts.length)) return embeddings;
      } catch (thrown) {
        throw thrown instanceof GatewayError ? thrown : toOllamaUnreachable(thrown);
      }
      throw new VendorError('broken', 'upstream_failed', 'Ollama gave no vectors.');
    },
  };
}
