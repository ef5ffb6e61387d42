import { createMemoryTaskStore } from '@headwater/shared/tasks/memory-task-store';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { INTERNAL_KEY, openTaskApp, type TaskApp } from '../testing/task-app.ts';

let world: TaskApp;

beforeEach(async () => {
  world = await openTaskApp({ store: createMemoryTaskStore() });
});

afterEach(() => world.close());

const KEY = { 'x-api-key': INTERNAL_KEY };

async function submit(body: object): Promise<string> {
  const response = await world.app.inject({
    method: 'POST',
    url: '/api/v1/tasks/test',
    headers: { ...KEY, prefer: 'wait=10' },
    payload: JSON.stringify(body),
  });
  return response.json().task_id;
}

const get = (url: string, headers: Record<string, string> = KEY) =>
  world.app.inject({ method: 'GET', url, headers });

it('TASK-46: the status of the queue counts tasks by type and state', async () => {
  await submit({ result: 1 });
  await submit({ fail: { code: 'validation_failed', message: 'No.' } });
  expect((await get('/api/v1/queue/status')).json()).toEqual({
    queue: 'in-process',
    queued: 0,
    delayed: 0,
    running: 0,
    succeeded: 1,
    failed: 1,
    canceled: 0,
    timed_out: 0,
    types: {
      test: {
        queued: 0,
        delayed: 0,
        running: 0,
        succeeded: 1,
        failed: 1,
        canceled: 0,
        timed_out: 0,
      },
    },
    nodes: 1,
    max_queued: 100_000,
    max_queued_per_subject: 10_000,
  });
});

it('TASK-46: the detailed health names engines, storage, queue, nodes, memory and event loop', async () => {
  const detailed = (await get('/api/v1/health/detailed')).json();
  expect(detailed).toMatchObject({
    status: 'ok',
    host: 'origin',
    role: 'all',
    providers: { echo: { live: true } },
    engines: { test: { live: true }, gpu: { live: false, missing: 'Set GPU_MODEL.' } },
    storage: { kind: 'disk', status: 'up' },
    queue: { kind: 'in-process', queued: 0, delayed: 0, running: 0 },
    nodes: { live: 1 },
    workers: { max: 2, processes: 0, busy: 0 },
  });
  expect(detailed.memory.rssBytes).toBeGreaterThan(1_000_000);
  expect(detailed.eventLoop).toEqual({
    p50Ms: expect.any(Number),
    p99Ms: expect.any(Number),
    maxMs: expect.any(Number),
  });
  expect((await get('/health', {})).json().engines).toEqual(detailed.engines);
});

it('TASK-48: metrics tell of tasks, attempts, the event loop and the process', async () => {
  await submit({ result: 1 });
  await submit({ fail: { code: 'validation_failed', message: 'No.' } });
  const { headers, body } = await get('/metrics');
  expect(headers['content-type']).toContain('text/plain');
  expect(body).toContain('headwater_tasks_accepted_total{type="test"} 2');
  expect(body).toContain('headwater_tasks_ended_total{type="test",status="succeeded"} 1');
  expect(body).toContain('headwater_tasks_ended_total{type="test",status="failed"} 1');
  expect(body).toContain('headwater_task_attempt_seconds_count{type="test",outcome="failed"} 1');
  expect(body).toContain('headwater_task_attempts_running{type="test"} 0');
  expect(body).toContain('headwater_tasks{type="test",status="queued"} 0');
  expect(body).toMatch(/headwater_event_loop_delay_seconds\{quantile="0.99"\} [\d.e-]+/);
  expect(body).toContain('process_cpu_seconds_total');
});

it('TASK-48: numbers of the process are told also where the store is away', async () => {
  const store = createMemoryTaskStore();
  const away = await openTaskApp({
    runs: false,
    store: {
      ...store,
      counts() {
        throw new Error('Redis is away');
      },
    },
  });
  const { statusCode, body } = await away.app.inject({ url: '/metrics', headers: KEY });
  expect(statusCode).toBe(200);
  expect(body).toContain('process_cpu_seconds_total');
  const health = await away.app.inject({ url: '/api/v1/health/detailed', headers: KEY });
  expect(health.json()).toMatchObject({ status: 'degraded', storage: { status: 'down' } });
  await away.close();
});

it('TASK-49: metrics and board are for the holder of the internal key alone', async () => {
  const basic = (pair: string) => ({
    authorization: `Basic ${Buffer.from(pair).toString('base64')}`,
  });
  for (const [url, open] of [
    ['/metrics', 200],
    // An origin alone has no board, and says what would give it one.
    ['/admin/queues', 503],
  ] as const) {
    for (const headers of [
      {},
      { 'x-api-key': 'wrong' },
      basic('admin:wrong'),
      basic(INTERNAL_KEY),
      { authorization: `Bearer ${INTERNAL_KEY}` },
    ]) {
      const refused = await get(url, headers as Record<string, string>);
      expect([url, refused.statusCode]).toEqual([url, 401]);
      expect(refused.headers['www-authenticate']).toContain('Basic');
    }
    expect((await get(url, KEY)).statusCode).toBe(open);
    expect((await get(url, basic(`anyone:${INTERNAL_KEY}`))).statusCode).toBe(open);
  }
  expect((await get('/admin/queues')).json().error.message).toContain('REDIS_URL');
});

it('TASK-49: without an internal key nobody gets in but in DEV_MODE', async () => {
  const closed = await openTaskApp({
    store: createMemoryTaskStore(),
    env: { INTERNAL_API_KEY: '' },
  });
  for (const headers of [{}, { 'x-api-key': '' }, { authorization: 'Basic Og==' }]) {
    const { statusCode } = await closed.app.inject({
      url: '/metrics',
      headers: headers as Record<string, string>,
    });
    expect(statusCode).toBe(401);
  }
  await closed.close();
  const dev = await openTaskApp({ store: createMemoryTaskStore(), env: { DEV_MODE: 'true' } });
  expect((await dev.app.inject('/metrics')).statusCode).toBe(200);
  const wrong = await dev.app.inject({ url: '/metrics', headers: { 'x-api-key': 'wrong' } });
  expect(wrong.statusCode).toBe(401);
  await dev.close();
});

it('TASK-30: a worker answers nobody but those who watch it', async () => {
  const worker = await openTaskApp({
    store: createMemoryTaskStore(),
    env: { ROLE: 'worker', REDIS_URL: 'redis://127.0.0.1:1' },
  });
  const statusOf = async (method: 'GET' | 'POST', url: string) =>
    (await worker.app.inject({ method, url, headers: KEY })).statusCode;
  expect(await statusOf('GET', '/health')).toBe(200);
  expect(await statusOf('GET', '/api/v1/health/detailed')).toBe(200);
  expect(await statusOf('GET', '/metrics')).toBe(200);
  expect(await statusOf('POST', '/api/v1/tasks/test')).toBe(404);
  expect(await statusOf('POST', '/init-stream')).toBe(404);
  expect(await statusOf('GET', '/api/v1/tasks/x')).toBe(404);
  await worker.close();
});

it('TASK-30: an api accepts, and runs nothing', async () => {
  const api = await openTaskApp({
    store: createMemoryTaskStore(),
    env: { ROLE: 'api', REDIS_URL: 'redis://127.0.0.1:1' },
  });
  const nodes = await api.tasks.nodes();
  expect(nodes).toEqual([]);
  expect(api.tasks.engines.own).toEqual([]);
  await api.close();
});
