/** Seed 003's scripts and templates in the OpenAPI document. */

import type { TaskStatus } from '../tasks/task.ts';
import { templateBody } from '../text/scripts/template.ts';
import { ANSWER_PROPERTIES, requestSchema } from './openapi-ai.ts';
import { json, ok, ref } from './openapi-parts.ts';
import {
  count,
  described,
  errors,
  id,
  idempotencyKey,
  listOf,
  location,
  next_after,
  nullable,
  objectOf,
  page,
  pageErrors,
  security,
  text,
  textOrNull,
  time,
  timeOrNull,
} from './openapi-types.ts';
import { type GenerationListView, type GenerationSummary, scriptRequestSchema } from './scripts.ts';

const uri = { type: 'string', format: 'uri' };

/** What a field's own limits do not say. */
const FIELD_WORDS: Readonly<Record<string, string>> = {
  project_id: 'Checked with the service of `PROJECT_SERVICE_URL`, where one is set.',
  script_type: 'As templates name it, such as `drama`.',
  length_target: 'Words, met within 10 %. Default: the template’s.',
  template_id: 'Default: the built-in one of the type, else your newest of it.',
  variables: 'Values of the template’s variables.',
  language: 'A name or a code. Default: that of the description.',
  stream: 'The answer has a `stream_url`, which needs no credentials. Default false.',
  callback_url:
    'Where the signed callback goes: the task, whose `task_id` is the script’s id with `task_` for `gen_`.',
  share: 'Of the whole length; those of all parts sum to 1.',
};

const STATUSES = {
  ...{ queued: true, running: true, succeeded: true },
  ...{ failed: true, canceled: true, timed_out: true },
} satisfies Record<TaskStatus, true>;

const status = { type: 'string', enum: Object.keys(STATUSES) };
const template = objectOf({ id: text, version: { type: 'integer', minimum: 1 } });
const warnings = described('What went wrong without costing the script.', listOf(text));

const summary = {
  generation_id: text,
  project_id: text,
  episode_id: textOrNull,
  script_type: text,
  title: text,
  length_target: described('Words.', { type: ['integer', 'null'] }),
  template,
  status,
  progress: described('Of the current attempt.', { type: 'number', minimum: 0, maximum: 1 }),
  stage: described('The part that is written.', textOrNull),
  word_count: described('By Unicode’s words; in a list null until the end.', {
    type: ['integer', 'null'],
  }),
  warnings,
  error: nullable(ref('WireError')),
  created_at: time,
  started_at: timeOrNull,
  finished_at: timeOrNull,
} satisfies Record<keyof GenerationSummary, object>;

const { cached: _cached, ...answer } = ANSWER_PROPERTIES;

/** What one that succeeded has beside them. */
const result = {
  ...answer,
  parts: listOf(
    objectOf({
      name: text,
      word_count: count,
      start: described('In UTF-16 units of `text`.', count),
      end: described('Exclusive.', count),
    }),
  ),
  outline: listOf(objectOf({ title: text, beats: listOf(text) })),
};

const list = {
  generations: described('Newest first.', listOf(objectOf(summary))),
  next_after,
} satisfies Record<keyof GenerationListView, object>;

const templateRequest = requestSchema(templateBody, FIELD_WORDS);

const templateView = objectOf({
  id: text,
  version: described('From 1; one more with every change.', { type: 'integer', minimum: 1 }),
  ...templateRequest.properties,
  is_built_in: { type: 'boolean' },
});

/** Schemas by name, for `components`. */
export const SCRIPTS_SCHEMAS: Readonly<Record<string, object>> = {
  ScriptRequest: requestSchema(scriptRequestSchema, FIELD_WORDS),
  ScriptAccepted: objectOf(
    {
      generation_id: text,
      status,
      created_at: time,
      template_id: text,
      warnings,
      events_url: described('Follows the script, with your credentials.', uri),
      stream_url: described('The same, with a token in place of them; holds a day.', uri),
    },
    ['stream_url'],
  ),
  Script: objectOf(
    {
      ...summary,
      text: described('The whole script; null until it succeeded.', textOrNull),
      partial_text: described('What is written so far, or was until it ended.', textOrNull),
      ...result,
    },
    Object.keys(result),
  ),
  ScriptList: objectOf(list),
  ScriptTemplate: templateView,
  ScriptTemplateRequest: {
    ...templateRequest,
    properties: {
      id: described('Default: a new one. Those of built-in templates are taken.', text),
      ...templateRequest.properties,
    },
  },
  ScriptTemplateList: objectOf({
    templates: described('Built-in ones first, then your own.', listOf(ref('ScriptTemplate'))),
  }),
};

const READ_ERRORS = ['validation_failed', 'unauthorized', 'not_found', 'unavailable'] as const;
const BODY_ERRORS = ['payload_too_large', 'unsupported_media_type'] as const;

/** Paths, for the document. */
export const SCRIPTS_PATHS: Readonly<Record<string, object>> = {
  '/api/v1/generate': {
    post: {
      summary: 'Ask for a script',
      security,
      parameters: [idempotencyKey('The same key with the same request gives the same script.')],
      requestBody: { required: true, ...json(ref('ScriptRequest')) },
      responses: {
        202: {
          description: 'Accepted',
          headers: {
            ...location,
            'Idempotent-Replayed': {
              description: '`true` where the answer was given before.',
              schema: text,
            },
          },
          ...json(ref('ScriptAccepted')),
        },
        ...errors(
          ...(['validation_failed', 'unauthorized', 'forbidden', ...BODY_ERRORS] as const),
          ...(['unprocessable', 'rate_limited', 'unavailable'] as const),
        ),
      },
    },
    get: {
      summary: 'Your scripts, without their text',
      security,
      parameters: [{ name: 'project_id', in: 'query', schema: text }, ...page],
      responses: {
        ...ok('A page', ref('ScriptList')),
        ...pageErrors,
      },
    },
  },
  '/api/v1/generate/{id}': {
    get: {
      summary: 'A script, with its text so far',
      security,
      parameters: [id],
      responses: { ...ok('As it is now', ref('Script')), ...errors(...READ_ERRORS) },
    },
    delete: {
      summary: 'Stop a script and keep what was written; again changes nothing',
      security,
      parameters: [id],
      responses: { ...ok('As it is now', ref('Script')), ...errors(...READ_ERRORS) },
    },
  },
  '/api/v1/generate/{id}/events': {
    get: {
      summary: 'Progress and text of a script by server-sent events, as those of `/stream/{id}`',
      security,
      parameters: [
        id,
        {
          name: 'access_token',
          in: 'query',
          description: 'As in the `stream_url`; in place of credentials.',
          schema: text,
        },
        {
          name: 'format',
          in: 'query',
          schema: { type: 'string', enum: ['text', 'json'], default: 'text' },
        },
        { name: 'Last-Event-ID', in: 'header', schema: text },
        { name: 'last_event_id', in: 'query', schema: text },
      ],
      responses: {
        200: {
          description: 'With `format=json` the data of every event is a `StreamEvent`.',
          content: { 'text/event-stream': { schema: text } },
        },
        204: { description: 'Everything has been read' },
        ...errors(...READ_ERRORS, 'forbidden', 'expired', 'rate_limited'),
      },
    },
  },
  '/api/v1/templates': {
    get: {
      summary: 'Templates: built-in ones, and your own',
      security,
      parameters: [{ name: 'script_type', in: 'query', schema: text }],
      responses: {
        ...ok('Newest versions', ref('ScriptTemplateList')),
        ...pageErrors,
      },
    },
    post: {
      summary: 'Keep a template of your own',
      security,
      requestBody: { required: true, ...json(ref('ScriptTemplateRequest')) },
      responses: {
        201: { description: 'Kept', headers: location, ...json(ref('ScriptTemplate')) },
        ...errors(
          ...(['validation_failed', 'unauthorized', 'conflict', ...BODY_ERRORS] as const),
          ...(['unprocessable', 'unavailable'] as const),
        ),
      },
    },
  },
  '/api/v1/templates/{id}': {
    get: {
      summary: 'The newest version of a template',
      security,
      parameters: [id],
      responses: { ...ok('The template', ref('ScriptTemplate')), ...errors(...READ_ERRORS) },
    },
    put: {
      summary: 'Make a new version of a template',
      security,
      parameters: [id],
      requestBody: { required: true, ...json(ref('ScriptTemplateRequest')) },
      responses: {
        ...ok('The new version', ref('ScriptTemplate')),
        ...errors(
          ...(['forbidden', 'conflict', 'unprocessable', ...BODY_ERRORS] as const),
          ...READ_ERRORS,
        ),
      },
    },
    delete: {
      summary: 'Forget a template; scripts keep what they were written after',
      security,
      parameters: [id],
      responses: {
        204: { description: 'Gone' },
        ...errors(...READ_ERRORS, 'forbidden'),
      },
    },
  },
};
