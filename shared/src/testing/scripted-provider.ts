/** A provider whose attempts a test has written down. */

import type { ModelEvent, ModelProvider } from '../providers/contract.ts';

/** What one attempt does: batches, then the end, an error, or nothing more until it is stopped. */
export interface ScriptedAttempt {
  readonly batches?: readonly (readonly ModelEvent[])[];
  readonly error?: unknown;
  readonly hangs?: boolean;
}

/** Its attempts in order; the last one is repeated. */
export function createScriptedProvider(
  attempts: readonly ScriptedAttempt[],
): ModelProvider & { readonly asked: () => number; readonly stopped: () => number } {
  let asked = 0;
  let stopped = 0;

  async function* play(
    { batches = [], error, hangs = false }: ScriptedAttempt,
    stop: AbortSignal,
  ): AsyncGenerator<readonly ModelEvent[], undefined, undefined> {
    for (const batch of batches) yield batch;
    if (hangs && !stop.aborted) {
      await new Promise<void>((resolve) => {
        stop.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    if (stop.aborted) {
      stopped += 1;
      return;
    }
    if (error !== undefined) throw error;
  }

  return {
    name: 'openai',
    asked: () => asked,
    stopped: () => stopped,
    stream: (_, signal) => ({
      [Symbol.asyncIterator]() {
        const attempt = attempts[Math.min(asked, attempts.length - 1)] ?? {};
        asked += 1;
        const stop = new AbortController();
        const forward = () => stop.abort();
        if (signal.aborted) forward();
        signal.addEventListener('abort', forward, { once: true });
        const batches = play(attempt, stop.signal);
        return {
          next: () => batches.next(),
          return() {
            stop.abort();
            return batches.return(undefined);
          },
        };
      },
    }),
  };
}
