/** Embeddings of OpenAI, and of every server that speaks its protocol. */

import OpenAI from 'openai';
import { type EmbeddingModel, isVectors } from '../embedding-model.ts';
import { VendorError } from '../vendor-error.ts';
import type { VendorSettings } from '../vendor-settings.ts';
import { toOpenAIError } from './error.ts';

const DEFAULT_BASE_URL = 'https://api.openai.com/v1';

/** One request for some dozens of passages, in ms. */
const TIMEOUT_MS = 60_000;

/** A model on OpenAI's own SDK, which asks for base64 and decodes it. */
export function createOpenAIEmbeddings(settings: VendorSettings, model: string): EmbeddingModel {
  // Every credential and address is given, so that the SDK takes none from the environment.
  const client = new OpenAI({
    apiKey: settings.apiKey,
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    baseURL: settings.baseUrl ?? DEFAULT_BASE_URL,
    timeout: TIMEOUT_MS,
    maxRetries: 0,
    logLevel: 'off',
    ...(settings.fetch ? { fetch: settings.fetch } : {}),
  });
  return {
    name: `openai/${model}`,
    async embed(texts, signal) {
      try {
        const { data } = await client.embeddings.create({ model, input: [...texts] }, { signal });
        const vectors = data
          .toSorted((one, other) => one.index - other.index)
          .map(({ embedding }) => embedding);
        if (isVectors(vectors, texts.length)) return vectors;
      } catch (thrown) {
        throw toOpenAIError(thrown, model);
      }
      throw new VendorError('broken', 'upstream_failed', 'OpenAI gave no vectors.');
    },
  };
}
