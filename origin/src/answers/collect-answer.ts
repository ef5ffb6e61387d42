/** Gathers a session's events into one answer. */

import {
  BROKEN_OFF,
  type ChatSink,
  failureOf,
  thrownOf,
} from '@headwater/shared/openai-api/chat-sink';
import type { WireError } from '@headwater/shared/protocol/errors';
import type { FinishReason } from '@headwater/shared/providers/contract';
import { isFinal, type StreamEvent, type Usage } from '@headwater/shared/stream/event';
import { createChatSubscriber } from '../adapters/chat-subscriber.ts';
import type { OpenedAnswer } from './answer-service.ts';
import { leftBecause } from './unless-left.ts';

/** What was said, without who said it. */
export interface CollectedAnswer {
  readonly text: string;
  readonly usage: Usage;
  readonly finishReason: FinishReason | null;
}

/** The host lets its readers go as it goes down, and another one is there in a moment. */
const LET_GO: WireError = { ...BROKEN_OFF, details: { retryAfterSeconds: 5 } };

const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, source: 'tokenizer' };

/**
 * Reads a session to its end. Errors: what the session failed with, `unavailable` for one that was
 * stopped, lost, or left by its reader as `signal` aborts.
 */
export async function collectAnswer(
  session: Pick<OpenedAnswer['session'], 'attach' | 'detach'>,
  signal: AbortSignal,
): Promise<CollectedAnswer> {
  if (signal.aborted) throw leftBecause(signal);
  const { promise, resolve, reject } = Promise.withResolvers<CollectedAnswer>();
  let text = '';
  let usage = NO_USAGE;
  let isOver = false;

  function take(event: StreamEvent): number {
    const failure = failureOf(event);
    if (failure !== undefined) reject(thrownOf(failure));
    else if (event.type === 'delta') text += event.text;
    else if (event.type === 'restart') text = '';
    else if (event.type === 'usage') {
      const { inputTokens, outputTokens, source } = event;
      usage = { inputTokens, outputTokens, source };
    } else if (event.type === 'done') resolve({ text, usage, finishReason: event.finishReason });
    isOver ||= isFinal(event);
    return 0;
  }

  const sink: ChatSink = {
    take,
    closed(error = LET_GO) {
      // It comes after every end too, and an error that nobody hears has its price.
      if (!isOver) reject(thrownOf(error));
    },
  };
  const subscriber = createChatSubscriber(sink);
  const leave = () => {
    session.detach(subscriber);
    reject(leftBecause(signal));
  };
  signal.addEventListener('abort', leave, { once: true });
  try {
    session.attach(subscriber, 0);
    return await promise;
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
