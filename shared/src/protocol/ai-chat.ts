/** `POST /ai/chat` and `/ai/chat/{id}`: conversations that are remembered. */

import * as z from 'zod';
import type { FinishReason } from '../providers/contract.ts';
import type { Usage } from '../stream/event.ts';
import type { Cost } from '../text/cost.ts';
import { answerOptions } from './answer-options.ts';
import type { WireError } from './errors.ts';
import { readRequest } from './tasks.ts';

/** Entries of a page where the caller does not say, and at most. */
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

/**
 * Body of `POST /ai/chat`; unknown fields are left alone.
 *
 * Without `session_id` a conversation begins, and `system` (or `system_prompt`, the same) becomes
 * its rules for good. A later turn may leave it out or send it again. Another text is refused, so
 * that the rules of a conversation do not change by accident: `update_system: true` says that it is
 * meant, and then it replaces the rules from that turn on.
 */
export const chatRequestSchema = z
  .object({
    message: z.string().min(1),
    session_id: z.string().min(1).max(100).optional(),
    system: z.string().min(1).optional(),
    system_prompt: z.string().min(1).optional(),
    update_system: z.boolean().optional(),
    ...answerOptions,
  })
  .refine(
    ({ system, system_prompt: other }) =>
      system === undefined || other === undefined || system === other,
    { path: ['system_prompt'], message: 'Give `system` or `system_prompt`, not both.' },
  )
  .refine(
    ({ update_system: updates, system, system_prompt: other }) =>
      updates !== true || system !== undefined || other !== undefined,
    { path: ['update_system'], message: 'Needs the new `system_prompt`.' },
  );

/** A valid request. */
export type ChatRequest = z.output<typeof chatRequestSchema>;

/** Part of a list: `limit` entries after the one named. */
export const chatPageSchema = z.object({
  after: z.string().min(1).max(100).optional(),
  limit: z.coerce.number().int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
});

/** A valid page. */
export type ChatPage = z.output<typeof chatPageSchema>;

/** Token counts on the wire. */
export interface UsageView {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly source: Usage['source'];
}

/** What an answer cost, on the wire. */
export interface CostView {
  readonly input_usd: number;
  readonly output_usd: number;
  readonly total_usd: number;
  readonly source: Cost['source'];
}

/** What a turn says beside its answer, and the fields of every answer. */
export interface ChatTurnView {
  readonly session_id: string;
  /** Of the answer. */
  readonly message_id: string;
  readonly response: string;
  /** The same as `response`. */
  readonly text: string;
  /** In seconds, from the question to the end of the answer. */
  readonly processing_time: number;
  /** Whether older messages reached the model as a summary. */
  readonly summarised: boolean;
  /** What went wrong without costing the answer. */
  readonly warnings: readonly string[];
  /** Tokens of the call that wrote the summary anew; `null` where there was none. */
  readonly summary_usage: UsageView | null;
}

/** A conversation in a list. */
export interface ChatSessionView {
  readonly session_id: string;
  /** Questions and answers. */
  readonly message_count: number;
  readonly created_at: string;
  readonly last_used_at: string;
}

/** A message of a conversation. */
export interface ChatMessageView {
  readonly message_id: string;
  readonly role: 'user' | 'assistant';
  /** Of an answer that was cut short: what was said until then. */
  readonly content: string;
  readonly status: 'pending' | 'completed' | 'failed' | 'cancelled';
  readonly created_at: string;
  readonly ended_at: string | null;
  readonly model: string | null;
  readonly provider: string | null;
  readonly usage: UsageView | null;
  readonly cost: CostView | null;
  readonly finish_reason: FinishReason | null;
  readonly error: WireError | null;
}

/** Answer of `GET /ai/chat`. */
export interface ChatListView {
  /** Newest first. */
  readonly sessions: readonly ChatSessionView[];
  /** For `after` of the next page; `null` on the last one. */
  readonly next_after: string | null;
}

/** Answer of `GET /ai/chat/{id}`. */
export interface ChatHistoryView extends ChatSessionView {
  readonly system_prompt: string | null;
  /** Of the messages that no longer fit into a prompt. */
  readonly summary: string | null;
  /** In their order. */
  readonly messages: readonly ChatMessageView[];
  readonly next_after: string | null;
}

/** Validates a turn. Errors: `validation_failed` with every faulty field. */
export function parseChatRequest(body: Record<string, unknown>): ChatRequest {
  return readRequest(chatRequestSchema, body);
}

/** Validates a page. Errors: `validation_failed` with every faulty field. */
export function parseChatPage(query: unknown): ChatPage {
  return readRequest(chatPageSchema, query);
}
