/** The vectors that the settings ask for. */

import type { RetrievalSettings } from '@headwater/shared/protocol/retrieval-settings';
import type { Settings } from '@headwater/shared/protocol/settings';
import type { EmbeddingModel } from '@headwater/shared/providers/embedding-model';
import { createOllamaEmbeddings } from '@headwater/shared/providers/ollama/embeddings';
import { createOpenAIEmbeddings } from '@headwater/shared/providers/openai/embeddings';
import { retriedEmbeddings } from '@headwater/shared/providers/retried-embeddings';
import { DEFAULT_RETRY_POLICY } from '@headwater/shared/providers/with-retries';
import { openVectors, type VectorPorts } from './open-vectors.ts';
import { noVectors, type VectorIndex } from './vector-index.ts';

/** None where no model is set, or its vendor has no key or address; it says which. */
export function chooseVectors(
  settings: Pick<Settings, 'openai' | 'ollamaHost' | 'upstreamGuard'>,
  { embeddingModel }: RetrievalSettings,
  ports: Omit<VectorPorts, 'model'>,
): VectorIndex {
  if (embeddingModel === undefined) return noVectors('EMBEDDING_MODEL is not set');
  const { maxRetries } = settings.upstreamGuard;
  const policy = { ...DEFAULT_RETRY_POLICY, maxRetries };
  const open = (model: EmbeddingModel) =>
    openVectors({ ...ports, model: retriedEmbeddings(model, { policy }) });
  const { provider, model } = embeddingModel;
  if (provider === 'ollama') {
    const { ollamaHost: host } = settings;
    if (host === undefined) return noVectors('OLLAMA_HOST is not set');
    return open(createOllamaEmbeddings({ host }, model));
  }
  if (settings.openai === undefined) return noVectors('OPENAI_API_KEY is not set');
  return open(createOpenAIEmbeddings(settings.openai, model));
}
