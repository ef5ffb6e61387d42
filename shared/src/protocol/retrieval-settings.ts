/** How an origin finds passages, as settings. */

import * as z from 'zod';
import { routeModel } from '../providers/route-model.ts';
import { text } from './setting-types.ts';

/** A vendor's embedding model; others have none. */
export interface EmbeddingModelName {
  readonly provider: 'openai' | 'ollama';
  /** As the vendor knows it. */
  readonly model: string;
}

const embeddingModel = text.transform((value, context): EmbeddingModelName => {
  const route = value.includes('/') ? routeModel(value) : undefined;
  if (route?.provider === 'openai' || route?.provider === 'ollama') {
    return { provider: route.provider, model: route.model };
  }
  const message = 'is neither openai/<model> nor ollama/<model>.';
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

/** Schema of the settings. */
export const RETRIEVAL_SETTINGS = {
  EMBEDDING_MODEL: embeddingModel.optional(),
};

/** The settings, parsed. */
export interface RetrievalSettings {
  /** Gets the text of every passage. Default none: words alone, and no document leaves the origin. */
  readonly embeddingModel?: EmbeddingModelName;
}

/** Leaves out what is not set. */
export function readRetrievalSettings(
  read: Partial<z.output<z.ZodObject<typeof RETRIEVAL_SETTINGS>>>,
): RetrievalSettings {
  return read.EMBEDDING_MODEL === undefined ? {} : { embeddingModel: read.EMBEDDING_MODEL };
}
