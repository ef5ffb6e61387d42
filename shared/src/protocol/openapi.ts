/** The API as an OpenAPI 3.1 document, made from the schemas that judge the requests. */

import type { ErrorCode } from './errors.ts';
import { AI_PATHS, AI_SCHEMAS } from './openapi-ai.ts';
import { AI_HEALTH_PATHS, AI_HEALTH_SCHEMAS } from './openapi-ai-health.ts';
import { CHARACTERS_PATHS, CHARACTERS_SCHEMAS } from './openapi-characters.ts';
import { CHAT_PATHS, CHAT_SCHEMAS } from './openapi-chat.ts';
import { OPENAI_PATHS, OPENAI_SCHEMAS } from './openapi-openai.ts';
import { errorsAs, json, ok, ref, under } from './openapi-parts.ts';
import { RAG_PATHS, RAG_SCHEMAS } from './openapi-rag.ts';
import { streamSchemas } from './openapi-schemas.ts';
import { SCRIPTS_PATHS, SCRIPTS_SCHEMAS } from './openapi-scripts.ts';
import { TASK_SCHEMAS } from './openapi-task-schemas.ts';
import { OPERATOR_PATHS, TASK_PATHS } from './openapi-tasks.ts';

const errors = (...codes: readonly ErrorCode[]) => errorsAs('Error', codes);

const streamId = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };
const accessToken = {
  name: 'access_token',
  in: 'query',
  description: 'Or `Authorization: Bearer`, or the cookie `access_token`.',
  schema: { type: 'string' },
};
const caller = [{ caller: [] }, { internal: [] }, {}];

const READ_WORDS = `Every event has an id; a connection that broke goes on with the last one.

\`format=text\`: the unnamed events are the answer's text, and one whose data is \`[DONE]\` ends it. \`restart\`, \`tool_call\`, \`note\`, \`usage\` and \`error\` are named events with a JSON object in \`data\`. At \`restart\` the text so far is void and the answer begins again.

\`format=json\`: every event is unnamed, and its data a \`StreamEvent\`.`;

const SOCKET_WORDS = `To an upgrade to \`websocket\`: the events of \`format=json\` as text frames, each with its \`id\`.

The reader may send \`{"type":"resume","after":id}\`, \`{"type":"cancel"}\` and \`{"type":"ping"}\`. The socket closes with 1000 after the last event, else with 4000 + the status of a code.`;

const initStreamPath = {
  post: {
    summary: 'Open a stream',
    security: caller,
    parameters: [
      {
        name: 'Idempotency-Key',
        in: 'header',
        description: 'The same key with the same request gives the same answer, for 24 hours.',
        schema: { type: 'string', minLength: 1, maxLength: 255 },
      },
    ],
    requestBody: { required: true, ...json(ref('InitStream')) },
    responses: {
      200: {
        description: 'The stream',
        headers: {
          'Idempotent-Replayed': {
            description: '`true` where the answer was given before.',
            schema: { type: 'string' },
          },
        },
        ...json({
          type: 'object',
          required: ['ok', 'streamUrl'],
          properties: { ok: { const: true }, streamUrl: { type: 'string', format: 'uri' } },
        }),
      },
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
            summary: 'The whole answer, once the stream has ended',
            requestBody: json(ref('Callback')),
            responses: { '2XX': { description: 'Delivered' } },
          },
        },
      },
    },
  },
};

const streamPath = {
  get: {
    summary: 'Read a stream by server-sent events, or by WebSocket',
    parameters: [
      streamId,
      accessToken,
      {
        name: 'format',
        in: 'query',
        schema: { type: 'string', enum: ['text', 'json'], default: 'text' },
      },
      { name: 'Last-Event-ID', in: 'header', schema: { type: 'string' } },
      {
        name: 'last_event_id',
        in: 'query',
        description: 'Where the header cannot be set.',
        schema: { type: 'string' },
      },
    ],
    responses: {
      101: { description: SOCKET_WORDS },
      200: {
        description: READ_WORDS,
        content: { 'text/event-stream': { schema: { type: 'string' } } },
      },
      204: { description: 'Everything has been read' },
      ...errors(
        'validation_failed',
        'unauthorized',
        'forbidden',
        'not_found',
        'expired',
        'rate_limited',
        'unavailable',
      ),
    },
  },
  delete: {
    summary: 'Stop the model and keep what was said',
    parameters: [streamId, accessToken],
    responses: {
      ...ok('The state', ref('StreamState')),
      ...errors('unauthorized', 'forbidden', 'not_found', 'expired', 'unavailable'),
    },
  },
};

const statePath = {
  get: {
    summary: 'Status, text so far, usage, delivery',
    parameters: [streamId, accessToken],
    responses: {
      ...ok('The state', ref('StreamState')),
      ...errors('unauthorized', 'forbidden', 'not_found', 'expired', 'unavailable'),
    },
  },
};

/** Builds the document of a host; `version` is the release. */
export function openApiDocument(version: string, host: 'edge' | 'origin'): Record<string, unknown> {
  return {
    openapi: '3.1.0',
    info: { title: 'Headwater', version },
    components: {
      securitySchemes: {
        caller: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        internal: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        operator: { type: 'http', scheme: 'basic' },
      },
      schemas: {
        ...streamSchemas(),
        ...OPENAI_SCHEMAS,
        ...AI_SCHEMAS,
        ...CHAT_SCHEMAS,
        ...RAG_SCHEMAS,
        ...SCRIPTS_SCHEMAS,
        ...CHARACTERS_SCHEMAS,
        ...AI_HEALTH_SCHEMAS,
        ...TASK_SCHEMAS,
      },
    },
    paths: {
      ...under('Streams', {
        '/init-stream': initStreamPath,
        '/stream/{id}': streamPath,
        '/stream/{id}/state': statePath,
      }),
      ...under('OpenAI’s API', OPENAI_PATHS),
      ...under('Text', AI_PATHS),
      ...under('Chat', CHAT_PATHS),
      ...under('Documents', RAG_PATHS),
      ...under('Scripts', SCRIPTS_PATHS),
      ...under('Characters and speech', CHARACTERS_PATHS),
      ...under('Tasks', TASK_PATHS),
      ...under('Operation', {
        '/health': {
          get: { summary: 'Is it up, and what is real', responses: ok('Up', { type: 'object' }) },
        },
        '/api/v1/health': {
          get: { summary: 'The same as `/health`', responses: ok('Up', { type: 'object' }) },
        },
        ...AI_HEALTH_PATHS,
        ...(host === 'origin' ? OPERATOR_PATHS : {}),
      }),
    },
  };
}
