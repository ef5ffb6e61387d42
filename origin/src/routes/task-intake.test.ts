import { createMemoryTaskStore } from '@headwater/shared/tasks/memory-task-store';
import type { TaskStore } from '@headwater/shared/tasks/ports';
import { afterEach, expect, it } from 'vitest';
import { ask, ended, submit } from '../testing/ask-tasks.ts';
import {
  INTERNAL_KEY,
  openTaskApp,
  type TaskApp,
  type TaskAppOptions,
} from '../testing/task-app.ts';

let opened: TaskApp[] = [];

async function open(options: Partial<TaskAppOptions> = {}): Promise<TaskApp> {
  const app = await openTaskApp({ store: createMemoryTaskStore(), ...options });
  opened.push(app);
  return app;
}

afterEach(async () => {
  await Promise.all(opened.map((app) => app.close()));
  opened = [];
});

it('TASK-37: the same key and request is the same task, and says so', async () => {
  const app = await open();
  const key = { headers: { 'idempotency-key': 'k 1' } };
  const first = await submit(app, { result: 1, file: 'abc' }, key);
  expect(first.headers['idempotent-replayed']).toBeUndefined();
  await ended(app, first.json.task_id);
  const again = await submit(app, { result: 1, file: 'abc' }, key);
  expect([again.status, again.headers['idempotent-replayed']]).toEqual([202, 'true']);
  expect(again.json.task_id).toBe(first.json.task_id);
  expect(app.pool.begun).toHaveLength(1);
  expect(app.blobs.names).toEqual([]);
  const bob = await submit(app, { result: 1 }, { ...key, as: 'bob' });
  expect(bob.json.task_id).not.toBe(first.json.task_id);
});

it('TASK-37: the same key with another request is 422, and keeps nothing', async () => {
  const app = await open({ runs: false });
  const key = { headers: { 'idempotency-key': 'k' } };
  await submit(app, { result: 1 }, key);
  const other = await submit(app, { result: 2, file: 'abc' }, key);
  expect([other.status, other.json.error.code]).toEqual([422, 'unprocessable']);
  const batch = await ask(app, 'POST', '/api/v1/tasks/batch', {
    ...key,
    body: { tasks: [{ type: 'test', result: 1, file: 'abc' }] },
  });
  expect(batch.status).toBe(422);
  expect(app.blobs.names).toEqual([]);
  const bad = await submit(app, { result: 1 }, { headers: { 'idempotency-key': 'x'.repeat(256) } });
  expect([bad.status, bad.json.error.code]).toEqual([400, 'validation_failed']);
});

it('TASK-37: of twenty equal requests at once one task comes', async () => {
  const app = await open();
  const answers = await Promise.all(
    Array.from({ length: 20 }, () =>
      submit(app, { result: 1 }, { headers: { 'idempotency-key': 'once' } }),
    ),
  );
  expect(new Set(answers.map(({ json }) => json.task_id)).size).toBe(1);
  expect(answers.filter(({ headers }) => headers['idempotent-replayed'] === 'true')).toHaveLength(
    19,
  );
});

it('TASK-38: too many waiting tasks are 429 with Retry-After, and their files go', async () => {
  const app = await open({ runs: false, env: { MAX_QUEUED_TASKS_PER_SUBJECT: '2' } });
  await submit(app, { file: 'a' });
  await submit(app, { file: 'b' });
  const third = await submit(app, { file: 'c' });
  expect([third.status, third.json.error.code]).toEqual([429, 'rate_limited']);
  expect(Number(third.headers['retry-after'])).toBeGreaterThan(0);
  expect(app.blobs.names).toHaveLength(2);
  expect((await submit(app, {}, { as: 'bob' })).status).toBe(202);
});

it('TASK-42: a body is a stream: it may be larger than what the app takes of others', async () => {
  const app = await open();
  const file = 'x'.repeat(8 * 1024 * 1024);
  const { status } = await submit(app, { file });
  expect(status).toBe(202);
});

it('TASK-42: a body that cannot be read is refused, with its code', async () => {
  const { app, blobs } = await open();
  const response = await app.inject({
    method: 'POST',
    url: '/api/v1/tasks/test',
    headers: { 'x-api-key': INTERNAL_KEY },
    payload: '{',
  });
  expect([response.statusCode, response.json().error.code]).toEqual([400, 'validation_failed']);
  expect(blobs.names).toEqual([]);
});

it('TASK-47: a store that lost its answer has kept the task all the same', async () => {
  const store = createMemoryTaskStore();
  let isAway = false;
  const flaky: TaskStore = {
    ...store,
    async submit(submission) {
      const outcome = await store.submit(submission);
      if (isAway) throw new Error('the connection broke');
      return outcome;
    },
  };
  const app = await open({ store: flaky, runs: false });
  isAway = true;
  const { status, json } = await submit(app, { file: 'abc' });
  expect(status).toBe(202);
  expect((await ask(app, 'GET', `/api/v1/tasks/${json.task_id}`)).status).toBe(200);
  expect(app.blobs.names).toHaveLength(1);
});

it('TASK-47: a store that kept nothing leaves no file', async () => {
  const store = createMemoryTaskStore();
  const broken: TaskStore = {
    ...store,
    submit() {
      throw new Error('the disk is full');
    },
  };
  const app = await open({ store: broken, runs: false });
  const { status } = await submit(app, { file: 'abc' });
  expect(status).toBe(500);
  expect(app.blobs.names).toEqual([]);
});
