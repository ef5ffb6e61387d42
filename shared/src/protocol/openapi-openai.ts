/** The part of the OpenAPI document that stands for OpenAI's API, whose own reference has the rest. */

import type { ErrorCode } from './errors.ts';
import { errorsAs, json, ref } from './openapi-parts.ts';
import { security, text } from './openapi-types.ts';

/** Schemas by name, for `components`. */
export const OPENAI_SCHEMAS = {
  OpenAIError: {
    type: 'object',
    required: ['error'],
    properties: {
      error: {
        type: 'object',
        required: ['message', 'type', 'param', 'code'],
        properties: {
          message: text,
          type: text,
          param: { type: ['string', 'null'] },
          code: text,
        },
      },
    },
  },
  ChatCompletionRequest: {
    type: 'object',
    description:
      'As in OpenAI’s reference. What is not named here is passed on to vendors that speak its protocol.',
    externalDocs: { url: 'https://platform.openai.com/docs/api-reference/chat/create' },
    required: ['messages'],
    additionalProperties: true,
    properties: {
      model: { type: 'string', description: 'Default: that of the gateway.' },
      models: {
        type: 'array',
        items: text,
        maxItems: 5,
        description: 'Models that take over, in order, when one before them fails.',
      },
      messages: { type: 'array', minItems: 1, items: { type: 'object' } },
      max_completion_tokens: { type: 'integer', minimum: 1, default: 4096 },
      max_tokens: { type: 'integer', minimum: 1 },
      temperature: { type: 'number', minimum: 0, maximum: 2 },
      top_p: { type: 'number', minimum: 0, maximum: 1 },
      stop: { type: ['string', 'array'], items: text },
      tools: { type: 'array', items: { type: 'object' } },
      tool_choice: { type: ['string', 'object'] },
      parallel_tool_calls: { type: 'boolean' },
      stream: { type: 'boolean', default: false },
      stream_options: { type: 'object', properties: { include_usage: { type: 'boolean' } } },
      user: text,
      n: { const: 1 },
    },
  },
  ChatCompletion: {
    type: 'object',
    externalDocs: { url: 'https://platform.openai.com/docs/api-reference/chat/object' },
    required: ['id', 'object', 'created', 'model', 'choices'],
    properties: {
      id: text,
      object: { const: 'chat.completion' },
      created: { type: 'integer' },
      model: text,
      choices: { type: 'array', minItems: 1, maxItems: 1, items: { type: 'object' } },
      usage: { type: 'object' },
    },
  },
  Model: {
    type: 'object',
    required: ['id', 'object', 'created', 'owned_by'],
    properties: {
      id: text,
      object: { const: 'model' },
      created: { type: 'integer' },
      owned_by: text,
    },
  },
};

/** The same statuses as everywhere, in OpenAI's shape. */
const errors = (...codes: readonly ErrorCode[]) => errorsAs('OpenAIError', codes);

/** Paths, for `paths`. */
export const OPENAI_PATHS = {
  '/v1/chat/completions': {
    post: {
      summary: 'Answer a chat, in OpenAI’s shape',
      description: 'A caller that leaves stops the request to the model.',
      security,
      requestBody: { required: true, ...json(ref('ChatCompletionRequest')) },
      responses: {
        200: {
          description: 'The answer; with `stream`, its chunks as events, then `[DONE]`',
          content: {
            'application/json': { schema: ref('ChatCompletion') },
            'text/event-stream': { schema: text },
          },
        },
        ...errors(
          'validation_failed',
          'unauthorized',
          'not_found',
          'payload_too_large',
          'unsupported_media_type',
          'rate_limited',
          'upstream_failed',
          'unavailable',
          'upstream_timeout',
        ),
      },
    },
  },
  '/v1/models': {
    get: {
      summary: 'The models that can be asked for',
      security,
      responses: {
        200: {
          description: 'The list',
          ...json({
            type: 'object',
            required: ['object', 'data'],
            properties: {
              object: { const: 'list' },
              data: { type: 'array', items: ref('Model') },
            },
          }),
        },
        ...errors('unauthorized'),
      },
    },
  },
  '/v1/models/{id}': {
    get: {
      summary: 'One of them; its name may have slashes',
      security,
      parameters: [{ name: 'id', in: 'path', required: true, schema: text }],
      responses: {
        200: { description: 'The model', ...json(ref('Model')) },
        ...errors('unauthorized', 'not_found'),
      },
    },
  },
};
