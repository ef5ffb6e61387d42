/** OpenAI's chat completion chunks → model events. */

import type { FinishReason, ModelEvent, ToolCallPiece } from '../contract.ts';
import { cut, type EventConverter, parseEvent, reported } from '../event-converter.ts';

/** The part of a chunk that is read; servers that imitate OpenAI leave any of it out. */
interface Chunk {
  readonly choices?: readonly {
    readonly index?: number;
    readonly delta?: {
      readonly content?: string | null;
      readonly refusal?: string | null;
      readonly tool_calls?: readonly ToolCallDelta[] | null;
    } | null;
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: { readonly prompt_tokens?: number; readonly completion_tokens?: number } | null;
  readonly error?: unknown;
}

interface ToolCallDelta {
  readonly index?: number;
  readonly id?: string | null;
  readonly function?: { readonly name?: string | null; readonly arguments?: string | null } | null;
}

/** https://platform.openai.com/docs/api-reference/chat-streaming */
const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  content_filter: 'content_filter',
  tool_calls: 'tool_calls',
  function_call: 'tool_calls',
};

/**
 * A converter for one answer. Whole once a `finish_reason` came (some servers never send `[DONE]`);
 * ended at `[DONE]`, because the usage chunk follows the finish. A refusal is text: the reader must
 * see it. `vendor` is shown in messages.
 */
export function createOpenAIConverter(vendor = 'OpenAI'): EventConverter {
  const openCalls = new Set<number>();
  let isFinished = false;
  let isDone = false;
  return {
    vendor,
    convert(data, batch) {
      if (data === '[DONE]') {
        if (!isFinished) throw cut(vendor);
        isDone = true;
        return;
      }
      const chunk = parseEvent<Chunk>(data, vendor);
      if (chunk.error) throw reported(vendor, chunk.error);
      for (const choice of chunk.choices ?? []) {
        if ((choice.index ?? 0) !== 0) continue;
        const text = choice.delta?.content || choice.delta?.refusal;
        if (text) batch.push({ type: 'text', text });
        for (const [place, call] of choice.delta?.tool_calls?.entries() ?? []) {
          batch.push(toToolCallPiece(call, call.index ?? place, openCalls));
        }
        if (choice.finish_reason && !isFinished) {
          isFinished = true;
          batch.push({ type: 'finish', reason: FINISH_REASONS[choice.finish_reason] ?? 'other' });
        }
      }
      if (chunk.usage) batch.push(toUsage(chunk.usage));
    },
    ended: () => isDone,
    whole: () => isFinished,
  };
}

/** Some servers repeat id and name in every piece, and some give no id: the first piece alone counts. */
function toToolCallPiece(
  call: ToolCallDelta,
  index: number,
  openCalls: Set<number>,
): ToolCallPiece {
  const piece = { type: 'tool_call', index, arguments: call.function?.arguments ?? '' } as const;
  if (openCalls.has(index)) return piece;
  openCalls.add(index);
  return { ...piece, id: call.id || `call_${index}`, name: call.function?.name ?? '' };
}

function toUsage(usage: NonNullable<Chunk['usage']>): ModelEvent {
  return {
    type: 'usage',
    ...(usage.prompt_tokens === undefined ? {} : { inputTokens: usage.prompt_tokens }),
    ...(usage.completion_tokens === undefined ? {} : { outputTokens: usage.completion_tokens }),
  };
}
