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

const part = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({
    type: z.literal('image_url'),
    image_url: z.object({
      url: z.string(),
      detail: z.enum(['auto', 'low', 'high']).exactOptional(),
    }),
  }),
]);

const message = z.object({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: z.string(),
  parts: z.array(part).exactOptional(),
  toolCalls: z
    .array(z.object({ id: z.string(), name: z.string(), arguments: z.string() }))
    .exactOptional(),
  toolCallId: z.string().exactOptional(),
});

const tool = z.object({
  name: z.string(),
  description: z.string().exactOptional(),
  parameters: z.record(z.string(), z.unknown()).exactOptional(),
  strict: z.boolean().exactOptional(),
});

const requestSchema: z.ZodType<ModelRequest> = z.object({
  model: z.string().min(1).max(200),
  messages: z.array(message).min(1),
  maxTokens: z.int().min(1),
  temperature: z.number().exactOptional(),
  tools: z.array(tool).exactOptional(),
  toolChoice: z
    .union([z.enum(['auto', 'none', 'required']), z.object({ name: z.string() })])
    .exactOptional(),
  parallelToolCalls: z.boolean().exactOptional(),
  topP: z.number().exactOptional(),
  stop: z.array(z.string()).exactOptional(),
  openaiParams: z.record(z.string(), z.unknown()).exactOptional(),
  streamId: z.string().exactOptional(),
});

/** Reads a relayed request. Errors: `validation_failed`. */
export function parseRelayRequest(body: unknown): ModelRequest {
  const result = requestSchema.safeParse(body);
  if (result.success) return result.data;
  throw new GatewayError('validation_failed', 'This is not a relayed model request.', {
    cause: result.error,
  });
}

const eventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({
    type: z.literal('tool_call'),
    index: z.int().min(0),
    id: z.string().exactOptional(),
    name: z.string().exactOptional(),
    arguments: z.string(),
  }),
  z.object({
    type: z.literal('usage'),
    inputTokens: z.number().exactOptional(),
    outputTokens: z.number().exactOptional(),
  }),
  z.object({
    type: z.literal('finish'),
    reason: z.enum(['stop', 'length', 'content_filter', 'tool_calls', 'other']),
  }),
]);

const lineSchema = z.union([
  z.object({ events: z.array(eventSchema) }),
  z.object({ end: z.literal(true) }),
  z.object({
    error: z.object({
      code: z.enum(Object.keys(ERROR_TABLE) as [ErrorCode, ...ErrorCode[]]),
      message: z.string(),
      details: z
        .object({
          fields: z.array(z.object({ path: z.string(), message: z.string() })).exactOptional(),
          retryAfterSeconds: z.number().exactOptional(),
        })
        .exactOptional(),
    }),
  }),
]);

/** Reads one line of the answer. Errors: the relayed one, or `upstream_failed` for a bad line. */
export function parseRelayLine(line: string): readonly ModelEvent[] | 'end' {
  const read = lineSchema.safeParse(parseOrUndefined(line));
  if (!read.success) {
    throw new GatewayError('upstream_failed', 'The origin answered with a malformed line.', {
      cause: read.error,
    });
  }
  const value = read.data;
  if ('events' in value) return value.events;
  if ('end' in value) return 'end';
  const { code, message, details } = value.error;
  throw new GatewayError(code, message, details === undefined ? {} : { details });
}

function parseOrUndefined(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // The schema refuses it, as it refuses any other wrong value.
    return undefined;
  }
}
