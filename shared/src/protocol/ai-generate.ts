/** `POST /ai/generate`: one prompt, one answer. */

import * as z from 'zod';
import type { ModelMessage } from '../providers/contract.ts';
import { answerOptions } from './answer-options.ts';
import { GatewayError } from './errors.ts';

/** Messages of one request, at most; as in `POST /init-stream`. */
const MAX_MESSAGES = 1_000;

const message = z.object({
  role: z.enum(['system', 'user', 'assistant']),
  content: z.string().min(1),
});

/** Body of a request; unknown fields are left alone. */
export const generateSchema = z
  .object({
    prompt: z.string().min(1).optional(),
    messages: z.array(message).min(1).max(MAX_MESSAGES).optional(),
    system: z.string().min(1).optional(),
    /** The same as `system`. */
    system_prompt: z.string().min(1).optional(),
    ...answerOptions,
  })
  .refine((body) => (body.prompt === undefined) !== (body.messages === undefined), {
    path: ['prompt'],
    message: 'Give either `prompt` or `messages`.',
  })
  .refine(
    (body) => body.messages === undefined || body.messages.some(({ role }) => role === 'user'),
    { path: ['messages'], message: 'At least one message must have the role `user`.' },
  )
  .refine((body) => body.system === undefined || body.system_prompt === undefined, {
    path: ['system_prompt'],
    message: 'Give `system` or `system_prompt`, not both.',
  });

/** A valid request. */
export type GenerateRequest = z.output<typeof generateSchema>;

/** Reads a body. Errors: `validation_failed` with every faulty field. */
export function parseGenerate(body: Record<string, unknown>): GenerateRequest {
  const result = generateSchema.safeParse(body);
  if (result.success) return result.data;
  const fields = result.error.issues.map(({ path, message: words }) => ({
    path: path.join('.'),
    message: words,
  }));
  const names = [...new Set(fields.map(({ path }) => path || 'body'))].join(', ');
  throw new GatewayError('validation_failed', `The request has faults in: ${names}.`, {
    details: { fields },
  });
}

/** The conversation a request stands for, system text first. */
export function promptMessages(request: GenerateRequest): readonly ModelMessage[] {
  const { prompt = '', messages, system = request.system_prompt } = request;
  return [
    ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
    ...(messages ?? [{ role: 'user' as const, content: prompt }]),
  ];
}
