/** Conversations as the wire shows them. */

import type {
  ChatHistoryView,
  ChatListView,
  ChatMessageView,
  ChatSessionView,
  ChatTurnView,
  UsageView,
} from '@headwater/shared/protocol/ai-chat';
import { GatewayError } from '@headwater/shared/protocol/errors';
import type { Usage } from '@headwater/shared/stream/event';
import { type AnswerFields, answerFields, costView } from '../answers/answer-fields.ts';
import type { ChatMessage, ChatSession } from './chat-record.ts';
import type { ChatHistory } from './chat-service.ts';

/** An answer that is whole. Errors: what it failed with; `conflict` where it was stopped. */
export function viewTurn(answer: ChatMessage): ChatTurnView & AnswerFields {
  const { status, error, model, provider, facts, content, endedAtMs } = answer;
  if (status === 'cancelled') {
    throw new GatewayError(
      'conflict',
      'The answer was stopped before its end. What was said is kept in the conversation.',
    );
  }
  if (status !== 'completed' || model === null || provider === null) {
    throw new GatewayError(
      error?.code ?? 'processing_failed',
      error?.message ?? 'The answer failed.',
      error?.details === undefined ? {} : { details: error.details },
    );
  }
  return {
    session_id: answer.sessionId,
    message_id: answer.id,
    response: content,
    text: content,
    ...answerFields({ ...answer, model, provider }),
    processing_time: ((endedAtMs ?? answer.createdAtMs) - answer.createdAtMs) / 1000,
    summarised: facts?.summarised ?? false,
    warnings: facts?.warnings ?? [],
    summary_usage: viewUsage(facts?.summaryUsage ?? null),
  };
}

/** A page of conversations; `limit` is what was asked for, and the list may hold one more. */
export function viewList(sessions: readonly ChatSession[], limit: number): ChatListView {
  const page = sessions.slice(0, limit);
  return {
    sessions: page.map(viewSession),
    next_after: sessions.length > limit ? (page.at(-1)?.id ?? null) : null,
  };
}

/** A conversation with a page of its messages. */
export function viewHistory({ session, messages, hasMore }: ChatHistory): ChatHistoryView {
  return {
    ...viewSession(session),
    system_prompt: session.system,
    summary: session.summary?.text ?? null,
    messages: messages.map(viewMessage),
    next_after: hasMore ? (messages.at(-1)?.id ?? null) : null,
  };
}

function viewSession(session: ChatSession): ChatSessionView {
  return {
    session_id: session.id,
    message_count: session.messageCount,
    created_at: timeOf(session.createdAtMs),
    last_used_at: timeOf(session.lastUsedAtMs),
  };
}

function viewMessage(message: ChatMessage): ChatMessageView {
  return {
    message_id: message.id,
    role: message.role,
    content: message.content,
    status: message.status === 'lost' ? 'failed' : message.status,
    created_at: timeOf(message.createdAtMs),
    ended_at: message.endedAtMs === null ? null : timeOf(message.endedAtMs),
    model: message.model,
    provider: message.provider,
    usage: viewUsage(message.usage),
    cost: message.cost && costView(message.cost),
    finish_reason: message.finishReason,
    error: message.error,
  };
}

function viewUsage(usage: Usage | null): UsageView | null {
  if (usage === null) return null;
  const { inputTokens, outputTokens, source } = usage;
  return { input_tokens: inputTokens, output_tokens: outputTokens, source };
}

const timeOf = (ms: number): string => new Date(ms).toISOString();
