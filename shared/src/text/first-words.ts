/** How long models take to their first word, as one process has seen it. */

import type { ModelProvider, ProviderName } from '../providers/contract.ts';

/** Times by model. */
export interface FirstWords {
  /** A model has begun to answer, `ms` after it was asked. */
  record(provider: ProviderName, model: string, ms: number): void;
  /** In ms, newer answers counting more; `undefined` for a model nobody has asked here. */
  timeOf(provider: ProviderName, model: string): number | undefined;
}

/** Part that the newest answer has in the mean: the last eight say two thirds of it. */
const NEWEST = 0.125;

/** Models remembered; callers name them, and may name any number. */
const MAX_MODELS = 500;

/** Makes an empty record. */
export function createFirstWords(): FirstWords {
  const times = new Map<string, number>();
  const keyOf = (provider: ProviderName, model: string) => `${provider}/${model}`;
  return {
    record(provider, model, ms) {
      const key = keyOf(provider, model);
      const before = times.get(key);
      if (before === undefined && times.size >= MAX_MODELS) return;
      times.set(key, before === undefined ? ms : before + NEWEST * (ms - before));
    },
    timeOf: (provider, model) => times.get(keyOf(provider, model)),
  };
}

/** The provider, with the time to the first word of each of its answers told to `words`. */
export function withFirstWords<Provider extends ModelProvider>(
  provider: Provider,
  words: FirstWords,
  nowMs: () => number = Date.now,
): Provider {
  const { name } = provider;
  const stream: ModelProvider['stream'] = (request, signal) => ({
    [Symbol.asyncIterator]() {
      const inner = provider.stream(request, signal)[Symbol.asyncIterator]();
      const startMs = nowMs();
      let hasSpoken = false;
      return {
        next() {
          const read = inner.next();
          // After the first word a read costs nothing more.
          if (hasSpoken) return read;
          return read.then((result) => {
            const said = result.done ? [] : result.value;
            if (!hasSpoken && said.some(({ type }) => type === 'text' || type === 'tool_call')) {
              hasSpoken = true;
              words.record(name, request.model, nowMs() - startMs);
            }
            return result;
          });
        },
        return: () => inner.return?.() ?? Promise.resolve({ done: true, value: undefined }),
      };
    },
  });
  return { ...provider, stream };
}
