import { describe, expect, it } from 'vitest';
import { viewOf } from '../stream/stream-view.ts';
import type { TaskSpec } from '../tasks/task.ts';
import { newTask } from '../tasks/task-machine.ts';
import { batchView, taskView } from '../tasks/task-view.ts';
import { aNewSession } from '../testing/session-fixtures.ts';
import { openApiDocument } from './openapi.ts';

type Json = Record<string, unknown>;

const document = openApiDocument('1.2.3', 'origin');
const { schemas } = document['components'] as { schemas: Record<string, Json> };
const paths = document['paths'] as Record<
  string,
  Record<string, { responses: Record<string, Json>; parameters?: Json[] }>
>;

/** Every value of this name, however deep. */
function valuesOf(node: unknown, name: string): unknown[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) =>
    key === name ? [value] : valuesOf(value, name),
  );
}

describe('openApiDocument', () => {
  it('HOST-6: every reference leads to a schema, and the release is named', () => {
    const refs = valuesOf(document, '$ref').map((ref) => String(ref).split('/').at(-1) ?? '');
    expect(refs.length).toBeGreaterThan(20);
    expect(refs.filter((name) => schemas[name] === undefined)).toEqual([]);
    expect(document['info']).toMatchObject({ version: '1.2.3' });
  });

  it('HOST-6: the state it describes is the state that is shown, with `lastEventId`', () => {
    const view = viewOf(aNewSession(0), '', { epoch: 0, seq: 0 }, undefined);
    const { properties, required } = schemas['StreamState'] as { properties: Json; required: [] };
    expect(Object.keys(properties).sort()).toEqual(Object.keys(view).sort());
    expect([...required].sort()).toEqual(Object.keys(view).sort());
  });

  it('STREAM-20, STREAM-27, SOCKET-1: reading tells of restarts, tool calls and sockets', () => {
    const responses = paths['/stream/{id}']?.['get']?.responses ?? {};
    expect(responses['200']?.['description']).toMatch(/`restart`, `tool_call`/);
    expect(responses['101']?.['description']).toContain('`websocket`');
    const { oneOf } = schemas['StreamEvent'] as { oneOf: { properties: { type: Json } }[] };
    expect(oneOf.map(({ properties }) => properties.type['const'])).toEqual([
      'delta',
      'tool_call',
      'restart',
      'progress',
      'note',
      'usage',
      'done',
      'error',
    ]);
  });

  it('STREAM-25, LIMIT-2: too many readers, streams and calls are 429 with `Retry-After`', () => {
    for (const [path, method] of [
      ['/stream/{id}', 'get'],
      ['/init-stream', 'post'],
      ['/v1/chat/completions', 'post'],
    ] as const) {
      expect(paths[path]?.[method]?.responses['429']).toMatchObject({
        description: 'rate_limited',
        headers: { 'Retry-After': {} },
      });
    }
  });

  it('INIT-3, IDEM-1: init takes a prompt or messages, a policy, fallbacks and a key', () => {
    const { properties, oneOf } = schemas['InitStream'] as {
      properties: Record<string, Json>;
      oneOf: Json[];
    };
    expect(oneOf).toEqual([{ required: ['prompt'] }, { required: ['messages'] }]);
    expect(properties['onDisconnect']).toMatchObject({
      enum: ['continue', 'cancel', 'drain'],
      default: 'continue',
    });
    expect(properties['fallbackModels']).toMatchObject({ maxItems: 5 });
    const names = paths['/init-stream']?.['post']?.parameters?.map(({ name }) => name);
    expect(names).toEqual(['Idempotency-Key']);
  });

  it('TASK-50: it describes a task and a batch as they are shown', () => {
    const spec: TaskSpec = {
      id: 'task_1',
      type: 'ocr',
      owner: 'a',
      priority: 5,
      timeoutMs: 1000,
      maxAttempts: 3,
      createdAtMs: 0,
      input: { params: {}, files: [] },
    };
    const record = newTask(spec);
    const batch = { id: 'batch_1', owner: 'a', createdAtMs: 0, entries: [{ taskId: 'task_1' }] };
    const shown = { Task: taskView(record), Batch: batchView(batch, [record]) };
    for (const [name, view] of Object.entries(shown)) {
      const { properties, required } = schemas[name] as { properties: Json; required: string[] };
      expect(Object.keys(properties).sort()).toEqual(Object.keys(view).sort());
      expect(required.sort()).toEqual(Object.keys(view).sort());
    }
  });

  it('TASK-50: every path of the tasks is there, with the refusals that it may give', () => {
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining([
        '/api/v1/tasks/batch',
        '/api/v1/tasks/{id}',
        '/api/v1/tasks/{id}/events',
        '/api/v1/queue/status',
        '/api/v1/health',
        '/api/v1/health/detailed',
        '/api/v1/voices',
        '/metrics',
        '/admin/queues',
      ]),
    );
    const { responses } = paths['/api/v1/tasks/{id}']?.['post'] ?? { responses: {} };
    expect(Object.keys(responses)).toEqual(
      expect.arrayContaining([
        '200',
        '202',
        '400',
        '401',
        '404',
        '413',
        '415',
        '422',
        '429',
        '503',
      ]),
    );
  });

  it('TASK-50: it describes the fields that the reader of tasks takes', () => {
    const { properties } = schemas['TaskRequest'] as { properties: Record<string, Json> };
    expect(properties['priority']).toMatchObject({ minimum: 1, maximum: 10, default: 5 });
    expect(Object.keys(properties)).toEqual(['priority', 'timeoutSeconds', 'callbackUrl']);
    const batch = schemas['BatchRequest'] as { properties: Record<string, Json> };
    expect(batch.properties['tasks']).toMatchObject({ minItems: 1, maxItems: 1000 });
    expect(Object.keys(batch.properties).sort()).toEqual(
      ['callbackUrl', 'priority', 'tasks', 'timeoutSeconds'].sort(),
    );
  });
});
