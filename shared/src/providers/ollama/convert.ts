/** Ollama's chat objects → model events. */

import type { FinishReason, ModelEvent } from '../contract.ts';
import { type EventConverter, parseEvent, reported } from '../event-converter.ts';

/** The part of an object that is read. */
interface ChatObject {
  readonly message?: { readonly content?: string };
  readonly done?: boolean;
  readonly done_reason?: string;
  readonly prompt_eval_count?: number;
  readonly eval_count?: number;
  readonly error?: unknown;
}

/** https://github.com/ollama/ollama/blob/main/docs/api.md; `load` and `unload` are no answers. */
const DONE_REASONS: Readonly<Record<string, FinishReason>> = { stop: 'stop', length: 'length' };

const VENDOR = 'Ollama';

/** A converter for one answer; `done: true` is its end, and its only finish. */
export function createOllamaConverter(): EventConverter {
  let isDone = false;
  return {
    vendor: VENDOR,
    convert(data, batch) {
      const object = parseEvent<ChatObject>(data, VENDOR);
      if (object.error) throw reported(VENDOR, object.error);
      if (object.message?.content) batch.push({ type: 'text', text: object.message.content });
      if (object.done !== true) return;
      isDone = true;
      pushUsage(object, batch);
      // Old servers give no reason: `done` alone is a stop.
      const reason = DONE_REASONS[object.done_reason ?? 'stop'] ?? 'other';
      batch.push({ type: 'finish', reason });
    },
    ended: () => isDone,
    whole: () => isDone,
  };
}

/** `prompt_eval_count` is absent when the whole prompt came from the server's cache. */
function pushUsage(object: ChatObject, batch: ModelEvent[]): void {
  const { prompt_eval_count: inputTokens, eval_count: outputTokens } = object;
  if (inputTokens === undefined && outputTokens === undefined) return;
  batch.push({
    type: 'usage',
    ...(inputTokens === undefined ? {} : { inputTokens }),
    ...(outputTokens === undefined ? {} : { outputTokens }),
  });
}
