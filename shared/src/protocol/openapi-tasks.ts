/** The paths of tasks in the OpenAPI document. */

import { json, ok, ref } from './openapi-parts.ts';
import { errors, id, security, text } from './openapi-types.ts';

const prefer = {
  name: 'Prefer',
  in: 'header',
  description: '`wait=N`: answer once the task is over, or after N (1–60) seconds.',
  schema: text,
};
const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'The same key with the same request gives the same task.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

const LOCATION = { Location: { description: 'Where it is found.', schema: text } };
const REPLAYED = {
  'Idempotent-Replayed': { description: '`true` where the answer was given before.', schema: text },
};
const APPLIED = {
  'Preference-Applied': { description: '`wait=N`, where it was over in time.', schema: text },
};

const SUBMIT_ERRORS = [
  ...([
    'validation_failed',
    'unauthorized',
    'forbidden',
    'not_found',
    'payload_too_large',
  ] as const),
  ...(['unsupported_media_type', 'unprocessable', 'rate_limited'] as const),
  ...(['upstream_failed', 'unavailable', 'upstream_timeout'] as const),
];

/** Answers of the two ways to submit. */
const accepted = (now: string, waited: string) => ({
  202: { description: 'Accepted', headers: { ...LOCATION, ...REPLAYED }, ...json(ref(now)) },
  200: {
    description: 'Over, within the time of `Prefer: wait`',
    headers: { ...LOCATION, ...REPLAYED, ...APPLIED },
    ...json(ref(waited)),
  },
  ...errors(...SUBMIT_ERRORS),
});

const found = { oneOf: [ref('Task'), ref('Batch')] };

/** Paths, for the document. */
export const TASK_PATHS: Readonly<Record<string, object>> = {
  '/api/v1/tasks/batch': {
    post: {
      summary: 'Submit up to 1,000 tasks at once; a bad one is told, and the others go on',
      security,
      parameters: [idempotencyKey, prefer],
      requestBody: { required: true, ...json(ref('BatchRequest')) },
      responses: accepted('Batch', 'Batch'),
    },
  },
  // One path, by the rules of OpenAPI, for what is a type to `POST` and an id to the others.
  '/api/v1/tasks/{id}': {
    post: {
      summary: 'Submit a task',
      security,
      parameters: [
        { ...id, description: 'The type of the task, such as `content-generation`.' },
        idempotencyKey,
        prefer,
      ],
      requestBody: {
        required: true,
        content: {
          'application/json': { schema: ref('TaskRequest') },
          'multipart/form-data': { schema: ref('TaskRequest') },
        },
      },
      responses: accepted('TaskAccepted', 'Task'),
      callbacks: {
        end: {
          '{$request.body#/callbackUrl}': {
            post: {
              summary: 'The task, once it is over',
              requestBody: json(ref('Task')),
              responses: { '2XX': { description: 'Delivered' } },
            },
          },
        },
      },
    },
    get: {
      summary: 'A task or a batch',
      security,
      parameters: [id, prefer],
      responses: {
        ...ok('As it is now', found),
        ...errors('validation_failed', 'unauthorized', 'not_found', 'unavailable'),
      },
    },
    delete: {
      summary: 'Cancel a task, or what is not over of a batch; again changes nothing',
      security,
      parameters: [id],
      responses: {
        ...ok('As it is now', found),
        ...errors('validation_failed', 'unauthorized', 'not_found', 'unavailable'),
      },
    },
  },
  '/api/v1/tasks/{id}/events': {
    get: {
      summary: 'Progress and text of a task by server-sent events, as those of `/stream/{id}`',
      security,
      parameters: [
        id,
        {
          name: 'format',
          in: 'query',
          schema: { type: 'string', enum: ['text', 'json'], default: 'text' },
        },
        { name: 'Last-Event-ID', in: 'header', schema: text },
        {
          name: 'last_event_id',
          in: 'query',
          description: 'Where the header cannot be set.',
          schema: text,
        },
      ],
      responses: {
        200: {
          description: 'With `format=json` the data of every event is a `StreamEvent`.',
          content: { 'text/event-stream': { schema: text } },
        },
        204: { description: 'Everything has been read' },
        ...errors(
          'validation_failed',
          'unauthorized',
          'not_found',
          'expired',
          'rate_limited',
          'unavailable',
        ),
      },
    },
  },
  '/api/v1/queue/status': {
    get: {
      summary: 'How much waits, runs and is over',
      security,
      responses: {
        ...ok('Numbers of all callers', ref('QueueStatus')),
        ...errors('unauthorized', 'unavailable'),
      },
    },
  },
  '/api/v1/health/detailed': {
    get: {
      summary: 'Vendors, engines, storage, queue, nodes, memory and event loop',
      security,
      responses: { ...ok('`ok` or `degraded`', { type: 'object' }), ...errors('unauthorized') },
    },
  },
  '/api/v1/voices': {
    get: {
      summary: 'Voices of the engine that speaks',
      security,
      responses: errors('unauthorized', 'unavailable'),
    },
  },
};

/** What an origin shows of itself to who runs it; an edge has none of it. */
export const OPERATOR_PATHS: Readonly<Record<string, object>> = {
  '/metrics': {
    get: {
      summary: 'Numbers of this origin for Prometheus',
      security: [{ internal: [] }, { operator: [] }, {}],
      responses: {
        200: { description: 'Text', content: { 'text/plain': { schema: text } } },
        ...errors('unauthorized'),
      },
    },
  },
  '/admin/queues': {
    get: {
      summary: 'Pages of the queue of a cluster',
      security: [{ internal: [] }, { operator: [] }, {}],
      responses: {
        200: { description: 'Pages', content: { 'text/html': { schema: text } } },
        ...errors('unauthorized', 'unavailable'),
      },
    },
  },
};
