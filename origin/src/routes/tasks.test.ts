import { createMemoryTaskStore } from '@headwater/shared/tasks/memory-task-store';
import { afterEach, expect, it, vi } from 'vitest';
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

it('TASK-31: a task is accepted with 202, its place, and what the contract names', async () => {
  const app = await open();
  const { status, headers, json } = await submit(app, { result: { answer: 42 } });
  expect(status).toBe(202);
  expect(json).toEqual({
    task_id: expect.stringMatching(/^task_[0-9A-Za-z]{24}$/),
    status: 'queued',
    type: 'test',
    created_at: expect.stringMatching(/^\d{4}-.*Z$/),
  });
  expect(headers['location']).toBe(`/api/v1/tasks/${json.task_id}`);
  expect(await ended(app, json.task_id)).toMatchObject({
    status: 'succeeded',
    result: { answer: 42 },
    attempts: 1,
    progress: 1,
    error: null,
    callback: null,
  });
});

it('TASK-32: only its owner sees, reads and cancels a task', async () => {
  const app = await open();
  const { json } = await submit(app, { hold: true });
  const path = `/api/v1/tasks/${json.task_id}`;
  for (const [method, at] of [
    ['GET', path],
    ['DELETE', path],
    ['GET', `${path}/events`],
  ] as const) {
    const other = await ask(app, method, at, { as: 'bob' });
    expect([other.status, other.json.error.code]).toEqual([404, 'not_found']);
  }
  expect((await ask(app, 'GET', path)).json.status).not.toBe('canceled');
  const batch = await ask(app, 'POST', '/api/v1/tasks/batch', {
    body: { tasks: [{ type: 'test' }] },
  });
  const at = `/api/v1/tasks/${batch.json.batch_id}`;
  expect((await ask(app, 'GET', at, { as: 'bob' })).status).toBe(404);
  expect((await ask(app, 'GET', at)).status).toBe(200);
});

it('TASK-33: without credentials a production origin answers 401, and takes nothing', async () => {
  const { app } = await open();
  for (const [method, url] of [
    ['POST', '/api/v1/tasks/test'],
    ['POST', '/api/v1/tasks/batch'],
    ['GET', '/api/v1/tasks/x'],
    ['DELETE', '/api/v1/tasks/x'],
    ['GET', '/api/v1/tasks/x/events'],
    ['GET', '/api/v1/queue/status'],
    ['GET', '/api/v1/health/detailed'],
    ['GET', '/api/v1/voices'],
  ] as const) {
    const response = await app.inject({ method, url, headers: { 'x-headwater-subject': 'eve' } });
    expect([url, response.statusCode]).toEqual([url, 401]);
  }
});

it('TASK-34: an unknown type is 404, and one without an engine 503 that says what is missing', async () => {
  const app = await open();
  const unknown = await ask(app, 'POST', '/api/v1/tasks/dance', { body: { file: 'x' } });
  expect([unknown.status, unknown.json.error.code]).toEqual([404, 'not_found']);
  const without = await ask(app, 'POST', '/api/v1/tasks/ocr', { body: { file: 'x' } });
  expect([without.status, without.json.error.code]).toEqual([503, 'unavailable']);
  expect(without.json.error.message).toContain('TASK_ENGINES');
  const lacking = await ask(app, 'POST', '/api/v1/tasks/gpu', { body: { file: 'x' } });
  expect([lacking.status, lacking.json.error.message]).toEqual([503, 'Set GPU_MODEL.']);
  expect(app.blobs.names).toEqual([]);
  const voices = await ask(app, 'GET', '/api/v1/voices');
  expect([voices.status, voices.json.error.code]).toEqual([503, 'unavailable']);
});

it('TASK-36: Prefer: wait answers 200 with the task once it is over', async () => {
  const app = await open();
  const { status, headers, json } = await submit(
    app,
    { result: 'soon' },
    { headers: { prefer: 'wait=10' } },
  );
  expect([status, headers['preference-applied']]).toEqual([200, 'wait=10']);
  expect(headers['location']).toBe(`/api/v1/tasks/${json.task_id}`);
  expect(json).toMatchObject({ status: 'succeeded', result: 'soon' });
});

it('TASK-36: what is not over in time is 202 without Preference-Applied', async () => {
  const app = await open();
  const began = performance.now();
  const { status, headers, json } = await submit(
    app,
    { hold: true },
    { headers: { prefer: 'wait=1' } },
  );
  expect(performance.now() - began).toBeGreaterThan(900);
  expect([status, headers['preference-applied']]).toEqual([202, undefined]);
  expect(json).toMatchObject({ status: 'running', type: 'test' });
});

it('TASK-36: a batch is waited for as a whole', async () => {
  const app = await open();
  const { status, json } = await ask(app, 'POST', '/api/v1/tasks/batch', {
    body: { tasks: [{ type: 'test', result: 1 }, { type: 'test', result: 2 }, { type: 'no' }] },
    headers: { prefer: 'wait=10' },
  });
  expect(status).toBe(200);
  expect(json).toMatchObject({ status: 'finished', total: 3 });
  expect(json.counts).toMatchObject({ succeeded: 2, rejected: 1 });
});

it('TASK-39: a batch shows its tasks in order, and a bad one alone is refused', async () => {
  const app = await open({ runs: false });
  const { status, headers, json } = await ask(app, 'POST', '/api/v1/tasks/batch', {
    body: {
      tasks: [
        { type: 'test', result: 1, file: 'a' },
        { type: 'gpu', file: 'b' },
        { type: 'dance' },
        { type: 'test', priority: 0 },
        { type: 'test', result: 2 },
      ],
    },
  });
  expect(status).toBe(202);
  expect(headers['location']).toBe(`/api/v1/tasks/${json.batch_id}`);
  expect(json.tasks.map(({ status }: { status: string }) => status)).toEqual([
    'queued',
    'rejected',
    'rejected',
    'rejected',
    'queued',
  ]);
  expect(json.tasks[1].error).toEqual({ code: 'unavailable', message: 'Set GPU_MODEL.' });
  expect(json.tasks[2].error.code).toBe('validation_failed');
  // The file of the entry that has no engine is gone, that of the task is there.
  expect(app.blobs.names).toHaveLength(1);
  expect((await ask(app, 'GET', headers['location'] as string)).json).toEqual(json);
  const child = await ask(app, 'GET', `/api/v1/tasks/${json.tasks[0].task_id}`);
  expect(child.json).toMatchObject({ batch_id: json.batch_id, status: 'queued' });
});

it('TASK-40: DELETE ends a queued task, and again changes nothing', async () => {
  const app = await open({ runs: false });
  const { json } = await submit(app, { file: 'abc', callbackUrl: 'https://a.example/done' });
  const path = `/api/v1/tasks/${json.task_id}`;
  expect((await ask(app, 'DELETE', path)).json).toMatchObject({ status: 'canceled', attempts: 0 });
  const again = await ask(app, 'DELETE', path);
  expect([again.status, again.json.status]).toEqual([200, 'canceled']);
  expect(app.blobs.names).toEqual([]);
  await vi.waitFor(() => expect(app.sent).toHaveLength(1));
  expect(JSON.parse(app.sent[0]?.body ?? '')).toMatchObject({
    task_id: json.task_id,
    status: 'canceled',
  });
});

it('TASK-40: DELETE stops a running task, and a finished one stays as it is', async () => {
  const app = await open();
  const { json } = await submit(app, { hold: true });
  await vi.waitFor(() => expect(app.pool.held).toEqual([json.task_id]));
  const path = `/api/v1/tasks/${json.task_id}`;
  expect((await ask(app, 'DELETE', path)).json.status).toBe('canceled');
  await vi.waitFor(() => expect(app.pool.held).toEqual([]));
  expect((await ask(app, 'GET', path)).json.status).toBe('canceled');
  const done = await submit(app, { result: 1 }, { headers: { prefer: 'wait=10' } });
  const kept = await ask(app, 'DELETE', `/api/v1/tasks/${done.json.task_id}`);
  expect([kept.status, kept.json.status, kept.json.result]).toEqual([200, 'succeeded', 1]);
});

it('TASK-40: DELETE of a batch ends what is not over, and each is settled once', async () => {
  const app = await open({ runs: false });
  const tasks = Array.from({ length: 450 }, (_, at) => ({
    type: 'test',
    at,
    callbackUrl: `https://a.example/${at}`,
  }));
  const { json } = await ask(app, 'POST', '/api/v1/tasks/batch', { body: { tasks } });
  const path = `/api/v1/tasks/${json.batch_id}`;
  await ask(app, 'DELETE', `/api/v1/tasks/${json.tasks[0].task_id}`);
  const canceled = await ask(app, 'DELETE', path);
  expect(canceled.json).toMatchObject({ status: 'finished', counts: { canceled: 450 } });
  await vi.waitFor(() => expect(app.sent).toHaveLength(450));
  expect(new Set(app.sent.map(({ id }) => id)).size).toBe(450);
});

it('TASK-41: the callback says how the task ended, and the task how far the callback has come', async () => {
  const app = await open();
  const { json } = await submit(app, {
    fail: { code: 'validation_failed', message: 'No.' },
    callbackUrl: 'https://a.example/done?secret=1',
    file: 'abc',
  });
  const done = await ended(app, json.task_id);
  expect(done).toMatchObject({ status: 'failed', error: { code: 'validation_failed' } });
  await vi.waitFor(() => expect(app.sent).toHaveLength(1));
  expect(app.sent[0]?.url).toBe('https://a.example/done?secret=1');
  expect(JSON.parse(app.sent[0]?.body ?? '')).toMatchObject({ status: 'failed', attempts: 1 });
  await vi.waitFor(async () => {
    const { json: seen } = await ask(app, 'GET', `/api/v1/tasks/${json.task_id}`);
    expect(seen.callback).toEqual({ status: 'delivered', attempts: 1, last_status: 200 });
  });
  expect(app.blobs.names).toEqual([]);
  expect(app.logged.join('')).not.toContain('secret');
});

it('TASK-44: pages of allowed origins may ask, with Prefer, and read where the task is', async () => {
  const { app } = await open({ env: { ALLOWED_ORIGINS: 'https://app.example.com' } });
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: '/api/v1/tasks/test',
    headers: { origin: 'https://app.example.com' },
  });
  expect(preflight.statusCode).toBe(204);
  expect(preflight.headers['access-control-allow-headers']).toContain('prefer');
  expect(preflight.headers['access-control-expose-headers']).toContain('location');
});

it('TASK-44: in DEV_MODE the page of another site sends no task', async () => {
  const { app } = await open({ env: { DEV_MODE: 'true' }, runs: false });
  const statusOf = async (headers: Record<string, string>) => {
    const url = '/api/v1/tasks/test';
    return (await app.inject({ method: 'POST', url, headers, payload: '{}' })).statusCode;
  };
  expect(await statusOf({ origin: 'https://evil.example' })).toBe(403);
  expect(await statusOf({ origin: 'null' })).toBe(403);
  expect(await statusOf({ origin: 'http://localhost:5173' })).toBe(202);
  expect(await statusOf({ origin: 'https://gate.example', host: 'gate.example' })).toBe(202);
  expect(await statusOf({})).toBe(202);
  expect(await statusOf({ origin: 'https://app.example', 'x-api-key': INTERNAL_KEY })).toBe(202);
});

it('TASK-45: while the process goes down nothing is accepted, and nobody waits', async () => {
  const app = await open();
  const { json } = await submit(app, { hold: true });
  await vi.waitFor(() => expect(app.pool.held).toHaveLength(1));
  const waiting = ask(app, 'GET', `/api/v1/tasks/${json.task_id}`, {
    headers: { prefer: 'wait=60' },
  });
  await vi.waitFor(() => expect(app.watches).toBe(1));
  const stopping = app.tasks.stop(0);
  const refused = await submit(app, { file: 'abc' });
  expect([refused.status, refused.json.error.code]).toEqual([503, 'unavailable']);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  expect(app.blobs.names).toEqual([]);
  expect((await waiting).status).toBe(200);
  await stopping;
  const { json: left } = await ask(app, 'GET', `/api/v1/tasks/${json.task_id}`);
  expect(left).toMatchObject({ status: 'queued', attempts: 0 });
});
