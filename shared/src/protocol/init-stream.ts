/** `POST /init-stream`: the request, its answer, and the callback that closes the loop. */

import * as z from 'zod';
import type { FinishReason, ModelMessage, ProviderName } from '../providers/contract.ts';
import type { StreamStatus, UsageSource } from '../stream/event.ts';
import { GatewayError, type WireError } from './errors.ts';

/** Largest request body either host reads, in bytes. */
export const MAX_BODY_BYTES = 2 * 1024 * 1024;

/** `max_tokens` when the caller names none: the value of seed 002. */
export const DEFAULT_MAX_TOKENS = 4096;

/** Models that may take over, at most. */
const MAX_FALLBACK_MODELS = 5;

const message = z.object({
  role: z.enum(['system', 'user', 'assistant']),
  content: z.string().min(1),
});

/** Body of `POST /init-stream`; the token may come as `Authorization: Bearer` instead. */
export const initStreamSchema = z
  .object({
    n8nToken: z.string().min(1).optional(),
    resumeUrl: z.string().min(1),
    prompt: z.string().min(1).optional(),
    messages: z.array(message).min(1).max(1000).optional(),
    system: z.string().min(1).optional(),
    userId: z.string().max(512).nullish(),
    chatId: z.string().max(512).nullish(),
    model: z.string().min(1).max(200).optional(),
    max_tokens: z.int().min(1).max(1_000_000).default(DEFAULT_MAX_TOKENS),
    temperature: z.number().min(0).max(2).optional(),
    start: z.enum(['connect', 'now']).default('connect'),
    onDisconnect: z.enum(['continue', 'cancel', 'drain']).default('continue'),
    fallbackModels: z.array(z.string().min(1).max(200)).max(MAX_FALLBACK_MODELS).default([]),
  })
  .refine((body) => (body.prompt === undefined) !== (body.messages === undefined), {
    path: ['prompt'],
    message: 'Give either `prompt` or `messages`.',
  })
  .refine(
    (body) => body.messages === undefined || body.messages.some((entry) => entry.role === 'user'),
    { path: ['messages'], message: 'At least one message must have the role `user`.' },
  );

/** A valid init request. */
export type InitStreamRequest = z.output<typeof initStreamSchema>;

/** Answer of `POST /init-stream`. */
export interface InitStreamResponse {
  readonly ok: true;
  /** Absolute URL with the `access_token` that opens this one stream. */
  readonly streamUrl: string;
}

/** Body of the callback to `resumeUrl`: seed 002's six fields, and what they leave unsaid. */
export interface CallbackPayload {
  readonly userId: string | null;
  readonly chatId: string | null;
  /** The prompt, or the last user message where `messages` was given. */
  readonly prompt: string;
  readonly answer: string;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly status: StreamStatus;
  readonly streamId: string;
  readonly model: string;
  readonly provider: ProviderName;
  readonly finishReason: FinishReason | null;
  readonly usageSource: UsageSource;
  readonly error?: WireError;
}

/**
 * Reads a request body that claims to be JSON.
 *
 * Errors: `validation_failed` when the text is not a JSON object.
 */
export function parseJsonObject(text: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new GatewayError('validation_failed', 'The body is not valid JSON.', { cause });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new GatewayError('validation_failed', 'The body must be a JSON object.');
  }
  return parsed as Record<string, unknown>;
}

/** Validates an init body. Errors: `validation_failed` with every faulty field. */
export function parseInitStream(body: Record<string, unknown>): InitStreamRequest {
  const result = initStreamSchema.safeParse(body);
  if (result.success) return result.data;
  const fields = result.error.issues.map((issue) => ({
    path: issue.path.join('.'),
    message: issue.message,
  }));
  const names = [...new Set(fields.map((field) => field.path || 'body'))].join(', ');
  throw new GatewayError('validation_failed', `The request has faults in: ${names}.`, {
    details: { fields },
  });
}

/** The conversation an init request stands for, system text first. */
export function messagesOf(request: InitStreamRequest): ModelMessage[] {
  const system: ModelMessage[] =
    request.system === undefined ? [] : [{ role: 'system', content: request.system }];
  if (request.messages !== undefined) return [...system, ...request.messages];
  return [...system, { role: 'user', content: request.prompt ?? '' }];
}

/** What the callback calls `prompt`. */
export function promptOf(request: InitStreamRequest): string {
  if (request.prompt !== undefined) return request.prompt;
  return request.messages?.findLast((entry) => entry.role === 'user')?.content ?? '';
}
