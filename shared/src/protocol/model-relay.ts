/**
 * How an edge asks an origin for a model that only the origin reaches: `POST` of a JSON
 * {@link ModelRequest}, answered with one JSON value a line.
 */

import * as z from 'zod';
import type { ModelEvent, ModelRequest } from '../providers/contract.ts';
import { ERROR_TABLE, type ErrorCode, GatewayError, type WireError } from './errors.ts';

/** Path of the relay at the origin; open to `INTERNAL_API_KEY` alone. */
export const MODEL_RELAY_PATH = '/internal/model-stream';

/** A line of the answer: a batch of events, the reason of a failure, or the end. */
export type RelayLine =
  | { readonly events: readonly ModelEvent[] }
  | { readonly error: WireError }
  | { readonly end: true };

const requestSchema = z.object({
  model: z.string().min(1).max(200),
  messages: z
    .array(z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() }))
    .min(1),
  maxTokens: z.int().min(1),
  temperature: z.number().optional(),
  streamId: z.string().optional(),
});

/** Reads a relayed request. Errors: `validation_failed`. */
export function parseRelayRequest(body: unknown): ModelRequest {
  const result = requestSchema.safeParse(body);
  if (!result.success) {
    throw new GatewayError('validation_failed', 'This is not a relayed model request.', {
      cause: result.error,
    });
  }
  const { temperature, streamId, ...rest } = result.data;
  return {
    ...rest,
    ...(temperature === undefined ? {} : { temperature }),
    ...(streamId === undefined ? {} : { streamId }),
  };
}

/** Reads one line of the answer. Errors: the relayed one, or `upstream_failed` for a bad line. */
export function parseRelayLine(line: string): readonly ModelEvent[] | 'end' {
  let parsed: Partial<Record<'events' | 'error' | 'end', unknown>>;
  try {
    parsed = JSON.parse(line);
  } catch (cause) {
    throw new GatewayError('upstream_failed', 'The origin answered with a malformed line.', {
      cause,
    });
  }
  if (Array.isArray(parsed.events)) return parsed.events as ModelEvent[];
  if (parsed.end === true) return 'end';
  const error = parsed.error as Partial<WireError> | undefined;
  const code = error?.code !== undefined && error.code in ERROR_TABLE ? error.code : undefined;
  throw new GatewayError(
    (code ?? 'upstream_failed') as ErrorCode,
    code === undefined ? 'The origin failed.' : String(error?.message),
    error?.details === undefined ? {} : { details: error.details },
  );
}
