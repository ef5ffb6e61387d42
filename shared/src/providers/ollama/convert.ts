/** Ollama's chat objects → model events. */

import type { FinishReason, ModelEvent } from '../contract.ts';
import { type EventConverter, parseEvent, reported } from '../event-converter.ts';

/** The part of an object that is read. */
interface ChatObject {
  readonly message?: {
    readonly content?: string;
    readonly tool_calls?: readonly {
      readonly id?: string;
      readonly function?: { readonly name?: string; readonly arguments?: unknown };
    }[];
  };
  readonly done?: boolean;
  readonly done_reason?: string;
  readonly prompt_eval_count?: number;
  readonly eval_count?: number;
  readonly error?: unknown;
}

/** https://github.com/ollama/ollama/blob/main/docs/api.md; `load` and `unload` are no answers. */
const DONE_REASONS: Readonly<Record<string, FinishReason>> = { stop: 'stop', length: 'length' };

const VENDOR = 'Ollama';

/**
 * A converter for one answer; `done: true` is its end, and its only finish. A tool call comes in one
 * piece, and the server calls an answer that holds one a plain `stop`.
 */
export function createOllamaConverter(): EventConverter {
  let isDone = false;
  let calls = 0;
  return {
    vendor: VENDOR,
    convert(data, batch) {
      const object = parseEvent<ChatObject>(data, VENDOR);
      if (object.error) throw reported(VENDOR, object.error);
      if (object.message?.content) batch.push({ type: 'text', text: object.message.content });
      for (const { id, function: called } of object.message?.tool_calls ?? []) {
        const call = { id: id || `call_${calls}`, name: called?.name ?? '' };
        batch.push({
          type: 'tool_call',
          index: calls,
          ...call,
          arguments: toText(called?.arguments),
        });
        calls += 1;
      }
      if (object.done !== true) return;
      isDone = true;
      pushUsage(object, batch);
      // Old servers give no reason: `done` alone is a stop.
      const reason = DONE_REASONS[object.done_reason ?? 'stop'] ?? 'other';
      batch.push({
        type: 'finish',
        reason: calls > 0 && reason === 'stop' ? 'tool_calls' : reason,
      });
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

function toText(args: unknown): string {
  return typeof args === 'string' ? args : JSON.stringify(args ?? {});
}
