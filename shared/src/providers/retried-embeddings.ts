/** Asks an embedding model again that failed in a way that time may mend. */

import type { EmbeddingModel } from './embedding-model.ts';
import { timerClock } from './sleep.ts';
import { DEFAULT_RETRY_POLICY, pauseAfter, type RetryOptions } from './with-retries.ts';

/** The model with retries; an abort ends a pause and is the end. */
export function retriedEmbeddings(
  model: EmbeddingModel,
  { policy = DEFAULT_RETRY_POLICY, clock = timerClock, random = Math.random }: RetryOptions = {},
): EmbeddingModel {
  return {
    name: model.name,
    async embed(texts, signal) {
      for (let failures = 0; ; failures += 1) {
        try {
          return await model.embed(texts, signal);
        } catch (thrown) {
          const pauseMs = signal.aborted ? undefined : pauseAfter(thrown, failures, policy, random);
          if (pauseMs === undefined) throw thrown;
          await clock.sleep(pauseMs, signal);
          if (signal.aborted) throw thrown;
        }
      }
    },
  };
}
