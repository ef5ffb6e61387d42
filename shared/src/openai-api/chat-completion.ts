/**
 * Stream events as one `chat.completion` object, for requests without `stream`.
 * https://platform.openai.com/docs/api-reference/chat/object
 */

import type { StreamEvent } from '../stream/event.ts';
import { type ChatMeta, type ChatUsage, chatUsage, finishReasonOf } from './chat-chunks.ts';
import { BROKEN_OFF, type ChatSink, failureOf, thrownOf } from './chat-sink.ts';

/** A function the model asks its caller to run. */
interface ChatToolCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
}

/** The whole answer, as OpenAI writes it. */
export interface ChatCompletion extends ChatMeta {
  readonly object: 'chat.completion';
  readonly choices: readonly [
    {
      readonly index: 0;
      readonly message: {
        readonly role: 'assistant';
        /** `null` where the model only asks for tools. */
        readonly content: string | null;
        readonly refusal: null;
        readonly tool_calls?: readonly ChatToolCall[];
      };
      readonly logprobs: null;
      readonly finish_reason: string;
    },
  ];
  readonly usage?: ChatUsage;
}

/** Collects one answer. */
export interface CompletionCollector extends ChatSink {
  /** The answer, once it has ended. Rejects with the error that ended it. */
  readonly completion: Promise<Omit<ChatCompletion, keyof ChatMeta>>;
}

/**
 * Makes a collector. A `restart` voids what came before it, of which nobody has seen anything: a
 * fallback in mid-answer goes unnoticed here.
 */
export function createCompletionCollector(): CompletionCollector {
  const {
    promise: completion,
    resolve,
    reject,
  } = Promise.withResolvers<Omit<ChatCompletion, keyof ChatMeta>>();
  // It may fail before its owner listens, or after its owner has left.
  completion.catch(() => undefined);
  let text = '';
  const calls = new Map<number, { id: string; name: string; arguments: string }>();
  let usage: ChatUsage | undefined;

  function collect(event: StreamEvent): void {
    switch (event.type) {
      case 'delta':
        text += event.text;
        return;
      case 'tool_call': {
        const call = calls.get(event.index) ?? { id: '', name: '', arguments: '' };
        calls.set(event.index, call);
        call.id ||= event.id ?? '';
        call.name ||= event.name ?? '';
        call.arguments += event.arguments;
        return;
      }
      case 'restart':
        text = '';
        calls.clear();
        usage = undefined;
        return;
      case 'usage':
        usage = chatUsage(event);
        return;
      case 'done':
      case 'error': {
        const failure = failureOf(event);
        if (failure !== undefined) reject(thrownOf(failure));
        else resolve(completionOf(event.type === 'done' ? event.finishReason : null));
      }
    }
  }

  function completionOf(
    reason: Extract<StreamEvent, { type: 'done' }>['finishReason'],
  ): Omit<ChatCompletion, keyof ChatMeta> {
    const toolCalls = [...calls.values()].map(
      ({ id, name, arguments: args }): ChatToolCall => ({
        id,
        type: 'function',
        function: { name, arguments: args },
      }),
    );
    return {
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: text === '' && toolCalls.length > 0 ? null : text,
            refusal: null,
            ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
          },
          logprobs: null,
          finish_reason: finishReasonOf(reason),
        },
      ],
      ...(usage === undefined ? {} : { usage }),
    };
  }

  return {
    completion,
    take(event) {
      collect(event);
      return 0;
    },
    closed: (error = BROKEN_OFF) => reject(thrownOf(error)),
  };
}
