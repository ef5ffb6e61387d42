import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openTestPool, type TestPool } from '../testing/open-test-pool.ts';
import { aTestTask } from '../testing/test-engine-task.ts';
import type { EnginePoolOptions } from './engine-pool.ts';

const never = new AbortController().signal;
let folder: string;
let pool: TestPool;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headwater-engines-'));
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => pool.close());

function open(options: Partial<EnginePoolOptions>): TestPool {
  pool = openTestPool({ size: 1, ...options });
  return pool;
}

async function keep(name: string, source: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, source);
  return path;
}

/** A module of an engine of type `made`, whose `createEngine` has this body. */
const engineSource = (body: string) => `
  export const manifest = { type: 'made', files: [], params: {}, availability: () => ({ live: true }) };
  export async function createEngine(env) { ${body} }
`;

const madeTask = () => aTestTask({ type: 'made', timeoutMs: 20_000 });
const run = (task = madeTask()) => pool.run(task, never, () => undefined);

describe('an engine pool whose children cannot start', () => {
  it('ENGINE-10: fails with `unavailable`, each time after a longer pause', async () => {
    const entry = await keep('dead.mjs', 'process.exit(7);');
    open({ entry });
    const pauses: unknown[] = [];
    const startedMs = performance.now();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const outcome = await run();
      expect(outcome).toMatchObject({ type: 'failed', error: { code: 'unavailable' } });
      pauses.push(outcome.type === 'failed' && outcome.retryAfterMs);
    }
    expect(pauses).toEqual([250, 500, 1000]);
    // Two pauses lie between the three.
    expect(performance.now() - startedMs).toBeGreaterThan(750);
    expect(pool.logged()).toContain('exit code 7');
    expect(pool.look()).toEqual({ processes: 0, busy: 0 });
  });

  it('ENGINE-10: a task that is stopped in such a pause ends at once', async () => {
    const entry = await keep('dead.mjs', 'process.exit(7);');
    open({ entry });
    await run();
    const stop = new AbortController();
    const ended = pool.run(madeTask(), stop.signal, () => undefined);
    stop.abort();
    expect(await ended).toEqual({ type: 'stopped' });
  });

  it('ENGINE-10: a child that does not get ready in the time of its task is left to the next one', async () => {
    const entry = await keep('slow.mjs', 'setInterval(() => undefined, 1000);');
    open({ entry });
    const outcome = await run(aTestTask({ timeoutMs: 50 }));
    expect(outcome).toMatchObject({ type: 'failed', error: { code: 'unavailable' } });
    expect(pool.look()).toEqual({ processes: 1, busy: 0 });
  });
});

describe('an engine pool whose engine cannot be loaded', () => {
  it.each([
    ['is no module', 'this is no JavaScript'],
    ['throws when it is loaded', `${engineSource('')}throw new Error('secret');`],
    ['is no engine', 'export const manifest = {};'],
  ])('ENGINE-10: a module that %s is `unavailable`, and no path is told', async (_what, source) => {
    open({ engineModules: [await keep('bad.mjs', source)] });
    expect(await run()).toEqual({
      type: 'failed',
      error: {
        code: 'unavailable',
        message: 'TASK_ENGINES: module 1 cannot be loaded, or is no engine.',
      },
      retryAfterMs: 250,
    });
    expect(pool.logged()).not.toContain('secret');
  });

  it('ENGINE-10: what an engine says it lacks reaches the caller', async () => {
    const body = `throw new GatewayError('unavailable', 'The model is not there: set MODEL_FILE.');`;
    const source = `import { GatewayError } from '${import.meta.resolve('@headwater/shared/protocol/errors')}';\n${engineSource(body)}`;
    open({ engineModules: [await keep('lacking.mjs', source)] });
    expect(await run()).toMatchObject({
      type: 'failed',
      error: { code: 'unavailable', message: 'The model is not there: set MODEL_FILE.' },
    });
  });

  it('ENGINE-10: a new child serves once the engine can be loaded', async () => {
    const path = await keep('later.mjs', engineSource("throw new Error('not yet');"));
    open({ engineModules: [path] });
    expect((await run()).type).toBe('failed');
    await keep('later.mjs', engineSource("return { run: async () => 'made' };"));
    expect(await run()).toEqual({ type: 'succeeded', result: 'made' });
  });

  it('ENGINE-3: an engine that ends its process while it loads costs the attempt alone', async () => {
    open({ engineModules: [await keep('ending.mjs', engineSource('process.exit(9);'))] });
    expect(await run()).toEqual({
      type: 'crashed',
      reason: 'The engine process ended (exit code 9).',
    });
  });
});

describe('a child of an engine pool', () => {
  it('ENGINE-11: knows the keys of vendors, and none of the gateway’s own secrets', async () => {
    const path = await keep(
      'telling.mjs',
      engineSource(
        'return { run: async () => ({ ...process.env, secrets: env.settings.jwtSecrets.length }) };',
      ),
    );
    const secrets = {
      JWT_SECRET: 'a secret of the gateway, of thirty-two bytes',
      INTERNAL_API_KEY: 'the-key-of-the-edge',
      REDIS_URL: 'redis://127.0.0.1:1',
      DATABASE_URL: 'postgres://127.0.0.1:1',
      PROJECT_SERVICE_URL: 'http://user:password@127.0.0.1:1',
      S3_ACCESS_KEY_ID: 'the-id-for-the-store',
      S3_SECRET_ACCESS_KEY: 'the-key-of-the-store',
    };
    open({
      engineModules: [path],
      env: { ...process.env, ...secrets, OPENAI_API_KEY: 'sk-vendor', NODE_OPTIONS: '--inspect' },
    });
    const outcome = await run();
    if (outcome.type !== 'succeeded') throw new Error(JSON.stringify(outcome));
    const seen = outcome.result as { readonly [name: string]: unknown };
    expect(seen).toMatchObject({ OPENAI_API_KEY: 'sk-vendor', TASK_ENGINES: path, secrets: 1 });
    expect(Object.keys(seen)).not.toContain('NODE_OPTIONS');
    for (const value of Object.values(secrets)) expect(JSON.stringify(seen)).not.toContain(value);
  });

  it('ENGINE-1: two types of task get a child each, as long as there is room', async () => {
    const path = await keep(
      'made.mjs',
      engineSource('return { run: async () => ({ pid: process.pid }) };'),
    );
    const { TEST_ENGINE } = await import('../testing/test-engine-task.ts');
    open({ size: 2, engineModules: [path, TEST_ENGINE] });
    const pids: unknown[] = [];
    for (const type of ['made', 'test', 'made', 'test']) {
      const outcome = await run(aTestTask({ type }));
      pids.push(outcome.type === 'succeeded' && (outcome.result as { pid: number }).pid);
    }
    expect(pids[0]).toBe(pids[2]);
    expect(pids[1]).toBe(pids[3]);
    expect(pids[0]).not.toBe(pids[1]);
  });
});
