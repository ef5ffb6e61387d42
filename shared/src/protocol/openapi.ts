/** The API as an OpenAPI 3.1 document, made from the schemas that judge the requests. */

import * as z from 'zod';
import { ERROR_TABLE, type ErrorCode } from './errors.ts';
import { initStreamSchema } from './init-stream.ts';
import { OPENAI_PATHS, OPENAI_SCHEMAS } from './openapi-openai.ts';

const json = (schema: object) => ({ content: { 'application/json': { schema } } });

const errorSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message', 'requestId'],
      properties: {
        code: { type: 'string', enum: Object.keys(ERROR_TABLE) },
        message: { type: 'string' },
        requestId: { type: 'string' },
        details: { type: 'object' },
      },
    },
  },
};

function errors(...codes: readonly ErrorCode[]): Record<string, object> {
  const byStatus = Map.groupBy(codes, (code) => String(ERROR_TABLE[code].status));
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => [
      status,
      { description: same.join(', '), ...json({ $ref: '#/components/schemas/Error' }) },
    ]),
  );
}

const callbackSchema = {
  type: 'object',
  required: ['userId', 'chatId', 'prompt', 'answer', 'input_tokens', 'output_tokens', 'status'],
  properties: {
    userId: { type: ['string', 'null'] },
    chatId: { type: ['string', 'null'] },
    prompt: { type: 'string' },
    answer: { type: 'string' },
    input_tokens: { type: 'integer' },
    output_tokens: { type: 'integer' },
    status: { type: 'string', enum: ['completed', 'failed', 'cancelled', 'expired'] },
    streamId: { type: 'string' },
    model: { type: 'string' },
    provider: { type: 'string' },
    finishReason: { type: ['string', 'null'] },
    usageSource: { type: 'string', enum: ['provider', 'tokenizer'] },
    error: { type: 'object' },
  },
};

const stateSchema = {
  type: 'object',
  required: ['streamId', 'status', 'text', 'model', 'provider', 'usage', 'error', 'callback'],
  properties: {
    streamId: { type: 'string' },
    status: {
      type: 'string',
      enum: ['pending', 'streaming', 'completed', 'failed', 'cancelled', 'expired'],
    },
    text: { type: 'string' },
    model: { type: 'string' },
    provider: { type: 'string' },
    usage: { type: ['object', 'null'] },
    finishReason: { type: ['string', 'null'] },
    error: { type: ['object', 'null'] },
    lastEventSeq: { type: 'integer' },
    callback: { type: ['object', 'null'] },
  },
};

const streamId = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };
const accessToken = {
  name: 'access_token',
  in: 'query',
  description: 'Or `Authorization: Bearer`, or the cookie `access_token`.',
  schema: { type: 'string' },
};
const ok = (description: string, schema: object) => ({ 200: { description, ...json(schema) } });

/** Builds the document; `version` is the release. */
export function openApiDocument(version: string): Record<string, unknown> {
  const { $schema: _dialect, ...initStream } = z.toJSONSchema(initStreamSchema, { io: 'input' });
  return {
    openapi: '3.1.0',
    info: { title: 'Headwater', version },
    components: {
      securitySchemes: {
        caller: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        internal: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      },
      schemas: {
        Error: errorSchema,
        InitStream: initStream,
        Callback: callbackSchema,
        StreamState: stateSchema,
        ...OPENAI_SCHEMAS,
      },
    },
    paths: {
      '/health': {
        get: { summary: 'Is it up, and what is real', responses: ok('Up', { type: 'object' }) },
      },
      '/init-stream': {
        post: {
          summary: 'Open a stream',
          security: [{ caller: [] }, { internal: [] }, {}],
          parameters: [
            {
              name: 'Idempotency-Key',
              in: 'header',
              description: 'The same key with the same request gives the same answer.',
              schema: { type: 'string', minLength: 1, maxLength: 255 },
            },
          ],
          requestBody: { required: true, ...json({ $ref: '#/components/schemas/InitStream' }) },
          responses: {
            ...ok('The stream', {
              type: 'object',
              required: ['ok', 'streamUrl'],
              properties: { ok: { const: true }, streamUrl: { type: 'string', format: 'uri' } },
            }),
            ...errors(
              'validation_failed',
              'unauthorized',
              'conflict',
              'payload_too_large',
              'unsupported_media_type',
              'rate_limited',
              'unavailable',
            ),
          },
          callbacks: {
            end: {
              '{$request.body#/resumeUrl}': {
                post: {
                  requestBody: json({ $ref: '#/components/schemas/Callback' }),
                  responses: { '2XX': { description: 'Delivered' } },
                },
              },
            },
          },
        },
      },
      '/stream/{id}': {
        get: {
          summary: 'Read a stream by server-sent events',
          parameters: [
            streamId,
            accessToken,
            { name: 'format', in: 'query', schema: { enum: ['text', 'json'], default: 'text' } },
            { name: 'Last-Event-ID', in: 'header', schema: { type: 'string' } },
            { name: 'last_event_id', in: 'query', schema: { type: 'string' } },
          ],
          responses: {
            200: { description: 'Events', content: { 'text/event-stream': {} } },
            204: { description: 'Everything has been read' },
            ...errors('validation_failed', 'unauthorized', 'forbidden', 'not_found', 'expired'),
          },
        },
        delete: {
          summary: 'Stop the model and keep what was said',
          parameters: [streamId, accessToken],
          responses: {
            ...ok('The state', { $ref: '#/components/schemas/StreamState' }),
            ...errors('unauthorized', 'forbidden', 'not_found', 'expired'),
          },
        },
      },
      '/stream/{id}/state': {
        get: {
          summary: 'Status, text so far, usage, delivery',
          parameters: [streamId, accessToken],
          responses: {
            ...ok('The state', { $ref: '#/components/schemas/StreamState' }),
            ...errors('unauthorized', 'forbidden', 'not_found', 'expired'),
          },
        },
      },
      ...OPENAI_PATHS,
    },
  };
}
