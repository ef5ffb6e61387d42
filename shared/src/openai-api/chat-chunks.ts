/**
 * Stream events as OpenAI's `chat.completion.chunk` objects, in server-sent events.
 * https://platform.openai.com/docs/api-reference/chat-streaming
 */

import type { WireError } from '../protocol/errors.ts';
import type { FinishReason, ToolCallPiece } from '../providers/contract.ts';
import type { StreamEvent, Usage } from '../stream/event.ts';
import { apiErrorBody } from './api-error.ts';

/** What every object of one answer repeats. */
export interface ChatMeta {
  /** `chatcmpl-<stream id>`. */
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** As the caller named it. */
  readonly model: string;
}

/** Token counts in OpenAI's words. */
export interface ChatUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** Ends a whole answer; one that failed has none. */
export const SSE_DONE = 'data: [DONE]\n\n';

/** Writes the chunks of one answer. */
export interface ChunkEncoder {
  /** The text to send for an event; `''` where there is nothing to say yet. */
  encode(event: Exclude<StreamEvent, { type: 'error' | 'restart' }>): string;
}

/** OpenAI's SDKs know five reasons, and none for the rest. */
export function finishReasonOf(reason: FinishReason | null): string {
  return reason === null || reason === 'other' ? 'stop' : reason;
}

/** Token counts as OpenAI gives them. */
export function chatUsage({ inputTokens, outputTokens }: Usage): ChatUsage {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
  };
}

/** An error in mid-stream: OpenAI's SDKs throw it. Nothing may follow it, `[DONE]` least of all. */
export function encodeChunkError(error: WireError): string {
  return `data: ${JSON.stringify(apiErrorBody(error))}\n\n`;
}

/** Makes the encoder. With `includeUsage`, every chunk has `usage`, and only the last one a value. */
export function createChunkEncoder(meta: ChatMeta, includeUsage: boolean): ChunkEncoder {
  const { id, created, model } = meta;
  const head = JSON.stringify({ id, object: 'chat.completion.chunk', created, model });
  // Written by hand: a token's chunk is all repetition but for its text.
  const before = `data: ${head.slice(0, -1)},"choices":[{"index":0,"delta":`;
  const after = (reason: string) =>
    `,"logprobs":null,"finish_reason":${reason}}]${includeUsage ? ',"usage":null' : ''}}\n\n`;
  const open = after('null');
  let usage: Usage | undefined;
  let begun = false;

  function chunk(delta: string): string {
    if (begun) return before + delta + open;
    begun = true;
    const role = '{"role":"assistant","content":"","refusal":null}';
    return before + role + open + before + delta + open;
  }

  function ending(reason: FinishReason | null): string {
    const finish = `${before}{}${after(JSON.stringify(finishReasonOf(reason)))}`;
    // The role is due also where the model said nothing.
    const start = begun ? '' : `${before}{"role":"assistant","content":""}${open}`;
    const counts =
      includeUsage && usage !== undefined
        ? `data: ${head.slice(0, -1)},"choices":[],"usage":${JSON.stringify(chatUsage(usage))}}\n\n`
        : '';
    return start + finish + counts + SSE_DONE;
  }

  return {
    encode(event) {
      switch (event.type) {
        case 'delta':
          return chunk(`{"content":${JSON.stringify(event.text)}}`);
        case 'tool_call':
          return chunk(JSON.stringify({ tool_calls: [toolCallDelta(event)] }));
        case 'usage':
          // It stands behind the finish in OpenAI's order.
          usage = event;
          return '';
        case 'progress':
        case 'note':
          // OpenAI's API has no word for them, and no chat's stream has one.
          return '';
        case 'done':
          return ending(event.finishReason);
      }
    },
  };
}

function toolCallDelta({ index, id, name, arguments: args }: ToolCallPiece) {
  const isFirst = id !== undefined || name !== undefined;
  return {
    index,
    ...(id === undefined ? {} : { id }),
    ...(isFirst ? { type: 'function' } : {}),
    function: { ...(name === undefined ? {} : { name }), arguments: args },
  };
}
