/** Conversations and their messages, as they are kept. */

import { randomUUID } from 'node:crypto';
import type { WireError } from '@headwater/shared/protocol/errors';
import type { FinishReason, ProviderName } from '@headwater/shared/providers/contract';
import type { Usage } from '@headwater/shared/stream/event';
import type { Cost } from '@headwater/shared/text/cost';

/** A conversation. */
export interface ChatSession {
  readonly id: string;
  readonly owner: string;
  /** `null`: it has none. */
  readonly system: string | null;
  readonly messageCount: number;
  readonly summary: ChatSummary | null;
  readonly createdAtMs: number;
  readonly lastUsedAtMs: number;
}

/** What is left of messages that no longer fit into a prompt. */
export interface ChatSummary {
  readonly text: string;
  readonly tokens: number;
  /** It tells of the messages up to this number. */
  readonly throughSeq: number;
}

/** How an answer stands; `lost`: nobody knows its stream any more. A user's message is `completed`. */
export type MessageStatus = 'pending' | 'completed' | 'failed' | 'cancelled' | 'lost';

/** What the caller is told of a turn beside its text. */
export interface TurnFacts {
  /** Whether older messages reached the model as a summary. */
  readonly summarised: boolean;
  /** What went wrong without costing the answer. */
  readonly warnings: readonly string[];
  /** Of the call that wrote the summary anew; `null` where there was none. */
  readonly summaryUsage: Usage | null;
}

/** What an answer came to, as far as it came. */
export interface AnswerFacts {
  readonly model: string | null;
  readonly provider: ProviderName | null;
  readonly finishReason: FinishReason | null;
  readonly usage: Usage | null;
  readonly cost: Cost | null;
  readonly isCached: boolean;
  readonly error: WireError | null;
}

/** A message. */
export interface ChatMessage extends AnswerFacts {
  readonly id: string;
  readonly sessionId: string;
  /** Its number in its conversation; they only grow. */
  readonly seq: number;
  readonly role: 'user' | 'assistant';
  /** Of an answer that is not whole: what was said so far, once that is known. */
  readonly content: string;
  readonly tokens: number;
  readonly status: MessageStatus;
  /** `null` of a user's message, and of an answer that no model was asked for yet. */
  readonly streamId: string | null;
  /** SHA-256 of what the request asked for, where it had an `Idempotency-Key`. */
  readonly fingerprint: string | null;
  readonly facts: TurnFacts | null;
  readonly createdAtMs: number;
  readonly endedAtMs: number | null;
}

/** A new id: 122 bits that nobody guesses. */
export function newChatId(kind: 'chat' | 'msg'): string {
  return `${kind}_${randomUUID().replaceAll('-', '')}`;
}

/** False for what {@link newChatId} cannot have made. */
export function isChatId(kind: 'chat' | 'msg', id: string): boolean {
  return id.startsWith(`${kind}_`) && /^[0-9a-f]{32}$/.test(id.slice(kind.length + 1));
}
