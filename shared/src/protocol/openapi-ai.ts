/** `/ai/generate` and `/ai/stream` in the OpenAPI document. */

import * as z from 'zod';
import { type GenerateRequest, generateSchema } from './ai-generate.ts';
import type { ErrorCode } from './errors.ts';
import { json, ok, ref } from './openapi-parts.ts';
import {
  count,
  described,
  errors,
  id,
  nullable,
  objectOf,
  security,
  text,
} from './openapi-types.ts';

/** What a field's own limits do not say; the text services share all but the first four. */
export const OPTION_WORDS: Readonly<Partial<Record<keyof GenerateRequest, string>>> = {
  prompt: 'This or `messages`.',
  messages: 'This or `prompt`; at least one of the role `user`.',
  system: 'What the model is told before anything else.',
  system_prompt: 'The same as `system`.',
  model: 'Goes before `policy`; a name that no vendor has is one of Ollama’s.',
  policy: 'Of the live models: the lowest price, the shortest wait for the first word, the ablest.',
  fallback_models: 'Models that take over, in order, when one before them fails.',
  max_tokens: 'Default 2048.',
  stream: 'Answer with server-sent events as the model writes. Default false.',
  cache:
    'Whether an answer that you got to an equal request will do, and how old it may be. `true`: an hour. Default false.',
};

/**
 * The JSON schema of a request of the text services, in words where there are some: `words` of its own
 * before those of all of them.
 */
export function requestSchema(
  schema: z.ZodType,
  words: Readonly<Record<string, string>> = {},
): Record<string, unknown> & { readonly properties: Readonly<Record<string, object>> } {
  const { $schema: _dialect, ...given } = z.toJSONSchema(schema, { io: 'input' });
  const told: Readonly<Record<string, string>> = { ...OPTION_WORDS, ...words };
  const properties = Object.entries(given.properties ?? {}).map(([name, property]) => {
    const shape = typeof property === 'object' ? property : {};
    return [name, told[name] === undefined ? shape : described(told[name], shape)];
  });
  return { ...given, properties: Object.fromEntries(properties) };
}

/** Tokens of an answer; `null` where they are not known. */
export const usage = nullable(
  objectOf({
    input_tokens: count,
    output_tokens: count,
    source: { type: 'string', enum: ['provider', 'tokenizer'] },
  }),
);

/** What an answer cost. */
export const cost = described(
  'By the vendor’s list, or `MODEL_PRICES`; null where nobody knows the price.',
  nullable(
    objectOf({
      input_usd: { type: 'number', minimum: 0 },
      output_usd: { type: 'number', minimum: 0 },
      total_usd: { type: 'number', minimum: 0 },
      source: { type: 'string', enum: ['table', 'settings'] },
    }),
  ),
);

/** What every text service says of its answer. */
export const ANSWER_PROPERTIES: Readonly<Record<string, object>> = {
  model: described('The model that answered.', text),
  provider: text,
  usage,
  cost,
  finish_reason: {
    type: ['string', 'null'],
    enum: ['stop', 'length', 'content_filter', 'tool_calls', 'other', null],
  },
  cached: described('A kept answer, which cost nothing now.', { type: 'boolean' }),
  simulated: described('The built-in simulation answered.', { const: true }),
};

/** A 200 answer that is one or the other. */
const answeredOrStreamed = (description: string, schema: object) => ({
  200: {
    description,
    headers: {
      'X-Stream-Url': {
        description: 'Of an answer by `stream`: where a reader that was cut goes on.',
        schema: { type: 'string', format: 'uri' },
      },
    },
    content: {
      'application/json': { schema },
      'text/event-stream': {
        schema: described('With `stream`: each event’s data is a `StreamEvent`.', text),
      },
    },
  },
});

/** What an answer of a model can end with. */
export const ANSWER_ERRORS = [
  ...(['validation_failed', 'unauthorized', 'payload_too_large'] as const),
  ...(['unsupported_media_type', 'rate_limited', 'upstream_failed'] as const),
  ...(['unavailable', 'upstream_timeout'] as const),
] satisfies readonly ErrorCode[];

/** An operation that a model answers, whole or as it comes. `request` and `answer` name schemas. */
export const asking = (
  summary: string,
  { request, answer, more = [], ...told }: AskingOptions,
): object => ({
  summary,
  ...told,
  security,
  requestBody: { required: true, ...json(ref(request)) },
  responses: {
    ...answeredOrStreamed('The answer', ref(answer)),
    ...errors(...ANSWER_ERRORS, ...more),
  },
});

interface AskingOptions {
  readonly request: string;
  readonly answer: string;
  readonly description?: string;
  readonly parameters?: readonly object[];
  /** Codes beside those of every answer. */
  readonly more?: readonly ErrorCode[];
}

const accessToken = { name: 'access_token', in: 'query', schema: text };
const stateErrors = errors('unauthorized', 'forbidden', 'expired', 'unavailable');

const answerState = { allOf: [ref('StreamState'), { type: 'object', properties: { cost } }] };

/** Paths, for the document. */
export const AI_PATHS: Readonly<Record<string, object>> = {
  '/ai/generate': {
    post: asking('Let a model answer a prompt', {
      request: 'GenerateRequest',
      answer: 'Generated',
    }),
  },
  '/ai/stream/{id}': {
    get: {
      summary: 'Go on reading a streamed answer; the same as `/stream/{id}`',
      parameters: [id, accessToken, { name: 'Last-Event-ID', in: 'header', schema: text }],
      responses: {
        200: { description: 'The events', content: { 'text/event-stream': { schema: text } } },
        204: { description: 'Everything has been read' },
        ...errors('validation_failed', 'unauthorized', 'forbidden', 'expired', 'rate_limited'),
      },
    },
    delete: {
      summary: 'Stop the model and keep what was said',
      parameters: [id, accessToken],
      responses: { ...ok('The state', answerState), ...stateErrors },
    },
  },
  '/ai/stream/{id}/state': {
    get: {
      summary: 'Status, text so far, usage',
      parameters: [id, accessToken],
      responses: { ...ok('The state', answerState), ...stateErrors },
    },
  },
};

/** Schemas by name, for `components`. */
export const AI_SCHEMAS: Readonly<Record<string, object>> = {
  GenerateRequest: {
    ...requestSchema(generateSchema),
    oneOf: [{ required: ['prompt'] }, { required: ['messages'] }],
  },
  Generated: objectOf(
    {
      text: described('What the model wrote.', text),
      response: described('The same, as Ollama names it.', text),
      ...ANSWER_PROPERTIES,
      processing_time: described('In seconds.', { type: 'number', minimum: 0 }),
    },
    ['simulated'],
  ),
};
