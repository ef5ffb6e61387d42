import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { buildApp } from '../app.ts';
import { readConfig } from '../config.ts';
import { createGateway, type OriginGateway } from '../gateway.ts';
import { describeWithRedis } from '../testing/describe-with-redis.ts';
import { INTERNAL_ENGINE } from '../testing/internal-engine.ts';
import { type RedisServer, startRedis } from '../testing/redis-server.ts';
import { TEST_ENGINE } from '../testing/test-engine-task.ts';

let folder: string;
let running: (() => Promise<void>)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headwater-tasks-'));
});

afterEach(async () => {
  for (const stop of running) await stop();
  running = [];
  rmSync(folder, { recursive: true, force: true });
});

interface Origin {
  readonly app: FastifyInstance;
  readonly gateway: OriginGateway;
  stop(): Promise<void>;
}

async function openOrigin(more: Record<string, string> = {}): Promise<Origin> {
  const env = {
    JWT_SECRET: 'a-secret-of-more-than-32-bytes-length',
    DEV_MODE: 'true',
    DATA_DIR: folder,
    MAX_WORKERS: '2',
    TASK_ENGINES: TEST_ENGINE,
    ...more,
  };
  const gateway = await createGateway(
    readConfig(env),
    { ...process.env, ...env },
    createSilentLogger(),
  );
  const app = await buildApp(gateway, pino({ level: 'silent' }));
  await gateway.tasks.start();
  let stopping: Promise<void> | undefined;
  async function stop(): Promise<void> {
    await Promise.all([gateway.sessions.close(0), gateway.tasks.stop(0)]);
    await app.close();
    await gateway.close();
  }
  const origin: Origin = {
    app,
    gateway,
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
  running.push(origin.stop);
  return origin;
}

const post = (app: FastifyInstance, body: object, headers: Record<string, string> = {}) =>
  app.inject({
    method: 'POST',
    url: '/api/v1/tasks/test',
    headers: { 'content-type': 'application/json', ...headers },
    payload: JSON.stringify(body),
  });

const get = async (app: FastifyInstance, id: string, prefer = 'wait=20') =>
  (await app.inject({ url: `/api/v1/tasks/${id}`, headers: { prefer } })).json();

const blobsIn = (data: string) =>
  readdirSync(join(data, 'blobs')).filter((name) => name.startsWith('blob_'));

it('TASK-31, TASK-51: a task runs in a child process, and what waits outlives a restart', async () => {
  const first = await openOrigin();
  const done = await post(first.app, { echo: { a: 1 } }, { prefer: 'wait=20' });
  expect([done.statusCode, done.json()]).toMatchObject([200, { status: 'succeeded' }]);
  expect(first.gateway.tasks.processes().processes).toBeGreaterThan(0);
  const left = (await post(first.app, { sleepMs: 60_000 })).json().task_id;
  await vi.waitFor(async () => {
    expect((await get(first.app, left, '')).status).toBe('running');
  });
  await first.stop();
  expect(first.gateway.tasks.processes().busy).toBe(0);

  const second = await openOrigin();
  expect(await get(second.app, done.json().task_id)).toMatchObject({ status: 'succeeded' });
  // It went down in order: the attempt did not count, and begins again.
  await vi.waitFor(async () => {
    expect(await get(second.app, left, '')).toMatchObject({ status: 'running', attempts: 1 });
  });
  await second.app.inject({ method: 'DELETE', url: `/api/v1/tasks/${left}` });
  expect((await get(second.app, left)).status).toBe('canceled');
});

it('TASK-72: an internal type is unknown in a path and in a batch, and runs where the gateway gives it out', async () => {
  const { app, gateway } = await openOrigin({ TASK_ENGINES: INTERNAL_ENGINE });
  const ask = (path: string, body: object) =>
    app.inject({
      method: 'POST',
      url: `/api/v1/tasks/${path}`,
      headers: { 'content-type': 'application/json' },
      payload: JSON.stringify(body),
    });
  const refused = await ask('internal-test', { word: 'a' });
  expect(refused.statusCode).toBe(404);
  expect(refused.body).not.toContain('internal-test');
  const batch = await ask('batch', { tasks: [{ type: 'internal-test', word: 'a' }] });
  expect(batch.json()).toMatchObject({
    tasks: [{ status: 'rejected', error: { code: 'validation_failed' } }],
  });
  expect((await app.inject({ url: '/health' })).body).not.toContain('internal-test');
  const { kept } = await gateway.tasks.intake.submitDraft('anonymous', {
    type: 'internal-test',
    input: { params: { word: 'ab' }, files: [] },
    priority: 5,
    timeoutMs: 20_000,
    fingerprint: 'f',
  });
  await vi.waitFor(
    async () => {
      const found = await gateway.tasks.service.find('anonymous', kept.spec.id);
      expect(found).toMatchObject({
        record: { state: { status: 'succeeded', result: { said: 'abab' } } },
      });
    },
    { timeout: 10_000 },
  );
});

it('TASK-42: a form is streamed to its files, which are gone with the task', async () => {
  const { app } = await openOrigin();
  const boundary = 'x-boundary-x';
  const png =
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  const payload = Buffer.concat([
    Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="sleepMs"\r\n\r\n300\r\n`),
    Buffer.from(
      `--${boundary}\r\ncontent-disposition: form-data; name="image"; filename="a.png"\r\ncontent-type: image/png\r\n\r\n`,
    ),
    Buffer.from(png, 'base64'),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  const accepted = await app.inject({
    method: 'POST',
    url: '/api/v1/tasks/test',
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    payload,
  });
  expect([accepted.statusCode, accepted.json()]).toMatchObject([202, { type: 'test' }]);
  expect(blobsIn(folder)).toHaveLength(1);
  expect(await get(app, accepted.json().task_id)).toMatchObject({ status: 'succeeded' });
  await vi.waitFor(() => expect(blobsIn(folder)).toEqual([]));
});

it('TASK-34: an engine module that is none ends the start with its setting', async () => {
  await expect(openOrigin({ TASK_ENGINES: join(folder, 'nothing.ts') })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('TASK_ENGINES'),
  });
});

describeWithRedis('tasks of a cluster', () => {
  let redis: RedisServer;

  beforeEach(async () => {
    redis = await startRedis();
    return () => redis.stop();
  });

  it('TASK-30, TASK-35: an api accepts what a worker runs, and shows the board', async () => {
    const api = await openOrigin({ ROLE: 'api', REDIS_URL: redis.url });
    const worker = await openOrigin({ ROLE: 'worker', REDIS_URL: redis.url });
    const done = await post(api.app, { echo: 'far away' }, { prefer: 'wait=20' });
    expect([done.statusCode, done.json()]).toMatchObject([200, { status: 'succeeded' }]);
    expect(api.gateway.tasks.processes().processes).toBe(0);
    expect(worker.gateway.tasks.processes().processes).toBe(1);
    const status = await api.app.inject('/api/v1/queue/status');
    expect(status.json()).toMatchObject({ queue: 'bullmq', succeeded: 1, nodes: 1 });

    const page = await api.app.inject('/admin/queues');
    expect([page.statusCode, page.headers['content-type']]).toEqual([
      200,
      'text/html; charset=utf-8',
    ]);
    const queues = (await api.app.inject('/admin/queues/api/queues')).json().queues;
    expect(queues.map(({ name }: { name: string }) => name)).toContain('tasks-test');
    expect(queues.every(({ readOnlyMode }: { readOnlyMode: boolean }) => readOnlyMode)).toBe(true);

    const strangers = await api.app.inject({
      url: '/admin/queues/api/queues',
      headers: { 'x-api-key': 'wrong' },
    });
    expect([strangers.statusCode, strangers.json().error.code]).toEqual([401, 'unauthorized']);
    expect(strangers.headers['www-authenticate']).toContain('Basic');
    const touched = await api.app.inject({
      method: 'PUT',
      url: '/admin/queues/api/queues/tasks-test/clean/completed',
    });
    expect(touched.statusCode).toBe(405);

    // A task that runs on the worker is stopped from the api.
    const held = (await post(api.app, { hang: true })).json().task_id;
    await vi.waitFor(async () => {
      expect((await get(api.app, held, '')).status).toBe('running');
    });
    await api.app.inject({ method: 'DELETE', url: `/api/v1/tasks/${held}` });
    await vi.waitFor(() => expect(worker.gateway.tasks.processes().busy).toBe(0));
    expect((await get(api.app, held)).status).toBe('canceled');
  });
});
