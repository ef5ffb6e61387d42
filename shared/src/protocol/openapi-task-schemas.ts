/** The schemas of tasks in the OpenAPI document: every field is there, or the compiler says which is not. */

import * as z from 'zod';
import type { TaskStatus } from '../tasks/task.ts';
import type {
  BatchEntryView,
  BatchView,
  CallbackView,
  TaskSummary,
  TaskView,
} from '../tasks/task-view.ts';
import { ref } from './openapi-parts.ts';
import {
  count,
  described,
  nullable,
  objectOf,
  text,
  textOrNull,
  time,
  timeOrNull,
} from './openapi-types.ts';
import { batchSchema, fileValueSchema, MAX_BATCH_TASKS, taskFieldsSchema } from './tasks.ts';

const STATUSES = {
  queued: true,
  running: true,
  succeeded: true,
  failed: true,
  canceled: true,
  timed_out: true,
} satisfies Record<TaskStatus, true>;

const status = { type: 'string', enum: Object.keys(STATUSES) };

const summary = {
  task_id: text,
  status,
  type: text,
  created_at: time,
  batch_id: textOrNull,
  priority: described('10 comes first.', { type: 'integer', minimum: 1, maximum: 10 }),
  attempts: described('Attempts begun.', count),
  max_attempts: count,
  timeout_seconds: described('Longest time of one attempt.', { type: 'number' }),
  progress: described('Of the current attempt.', { type: 'number', minimum: 0, maximum: 1 }),
  stage: described('What is being done, in a word or two.', textOrNull),
  started_at: timeOrNull,
  finished_at: timeOrNull,
  next_attempt_at: described(
    'Of a task whose last attempt failed in a way that may pass.',
    timeOrNull,
  ),
  error: described(
    'Why it failed; of a task that is not over why the attempt before did.',
    nullable(ref('WireError')),
  ),
} satisfies Record<keyof TaskSummary, object>;

const delivery = objectOf({
  status: { type: 'string', enum: ['pending', 'delivered', 'failed'] },
  attempts: count,
  last_status: described('HTTP status of the last answer.', { type: ['integer', 'null'] }),
} satisfies Record<keyof CallbackView, object>);

const view = {
  ...summary,
  result: described('What a task that succeeded came to, as its type has it.', {}),
  callback: described('How far the callback has come.', nullable(delivery)),
} satisfies Record<keyof TaskView, object>;

const ENTRY_STATUSES = {
  ...STATUSES,
  rejected: true,
  expired: true,
} satisfies Record<BatchEntryView['status'], true>;

const entry = described(
  'In the order of sending: a task; `rejected`, with why there is none; `expired`, once its retention is over.',
  {
    type: 'object',
    required: ['index', 'status'],
    properties: {
      ...summary,
      index: count,
      status: { type: 'string', enum: Object.keys(ENTRY_STATUSES) },
    },
  },
);

const batch = {
  batch_id: text,
  status: { type: 'string', enum: ['running', 'finished'] },
  created_at: time,
  total: count,
  counts: described('Entries by status.', { type: 'object', additionalProperties: count }),
  tasks: { type: 'array', items: entry },
} satisfies Record<keyof BatchView, object>;

const counts = {
  queued: described('May be begun now.', count),
  delayed: described('Wait for the time of their next attempt.', count),
  running: count,
  succeeded: count,
  failed: count,
  canceled: count,
  timed_out: count,
};

/** What a field's own limits do not say. */
const FIELD_WORDS: Readonly<Record<string, string>> = {
  priority: '10 first.',
  timeoutSeconds: 'Of one attempt. Default and most: PROCESSING_TIMEOUT.',
  callbackUrl: 'Where the signed callback goes once the task is over.',
};

function schemaOf(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _dialect, ...given } = z.toJSONSchema(schema, { io: 'input' });
  return given;
}

/** The properties of an object's schema, in words where there are some. */
function propertiesOf(schema: z.ZodType): Record<string, object> {
  const given = schemaOf(schema)['properties'] as Record<string, object>;
  return Object.fromEntries(
    Object.entries(given).map(([name, property]) => {
      const words = FIELD_WORDS[name];
      return [name, words === undefined ? property : described(words, property)];
    }),
  );
}

const taskFields = propertiesOf(taskFieldsSchema);

const batchTasks = {
  type: 'array',
  minItems: 1,
  maxItems: MAX_BATCH_TASKS,
  items: { type: 'object', required: ['type'], properties: { type: text, ...taskFields } },
};

/** Schemas by name, for `components`. */
export const TASK_SCHEMAS: Readonly<Record<string, object>> = {
  TaskRequest: described(
    'Every task’s fields; those of its type, and its files, stand beside them.',
    {
      type: 'object',
      properties: taskFields,
      additionalProperties: true,
    },
  ),
  TaskFile: described(
    'A file in JSON: base64, a `data:` URL, an `https://` URL or `s3://bucket/key`. Forms carry files as they are.',
    schemaOf(fileValueSchema),
  ),
  BatchRequest: {
    type: 'object',
    required: ['tasks'],
    properties: { ...propertiesOf(batchSchema), tasks: batchTasks },
    description: 'The fields beside `tasks` hold for tasks that name none of their own.',
  },
  TaskAccepted: objectOf({ task_id: text, status, type: text, created_at: time }),
  Task: objectOf(view),
  Batch: objectOf(batch),
  QueueStatus: objectOf({
    queue: { type: 'string', enum: ['in-process', 'bullmq'] },
    ...counts,
    types: { type: 'object', additionalProperties: objectOf(counts) },
    nodes: described('Processes that run tasks.', count),
    max_queued: count,
    max_queued_per_subject: count,
  }),
};
