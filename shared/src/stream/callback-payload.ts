/** What the callback says. */

import type { CallbackPayload } from '../protocol/init-stream.ts';
import { type SessionState, targetOf } from './session-state.ts';

/** What the id of a callback begins with; the stream's own follows. */
export const CALLBACK_ID_PREFIX = 'msg_';

/** Id of a stream's callback: stable over retries and restarts. */
export function callbackIdOf(streamId: string): string {
  return CALLBACK_ID_PREFIX + streamId;
}

/** The payload of an ended session; `answer` is the text of the log. */
export function callbackPayload(state: SessionState, answer: string): CallbackPayload {
  const { request, usage } = state;
  const target = targetOf(state);
  return {
    userId: request.userId,
    chatId: request.chatId,
    prompt: request.prompt,
    answer,
    input_tokens: usage?.inputTokens ?? 0,
    output_tokens: usage?.outputTokens ?? 0,
    status: state.status,
    streamId: request.streamId,
    model: target.name,
    provider: target.provider,
    finishReason: state.finishReason ?? null,
    usageSource: usage?.source ?? 'tokenizer',
    ...(state.error === undefined ? {} : { error: state.error }),
  };
}
