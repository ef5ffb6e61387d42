import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isOver, type TaskRecord, type TaskSpec } from '@headwater/shared/tasks/task';
import { stepTask, type TaskStep } from '@headwater/shared/tasks/task-machine';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import {
  aChange,
  aSubmission,
  aTask,
  TASK_TIME_MS as NOW_MS,
  recordAfter,
} from '@headwater/shared/testing/task-fixtures';
import { describeTaskStore } from '@headwater/shared/testing/task-store-contract';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { describeWithRedis } from '../testing/describe-with-redis.ts';
import { type RedisServer, startRedis } from '../testing/redis-server.ts';
import { connectRedis } from './redis-connection.ts';
import { createRedisTaskStore, type RedisTaskStore } from './redis-task-store.ts';

const RETENTION_MS = 600_000;

let ids = 0;
function newOne(spec: Partial<TaskSpec> = {}): TaskRecord {
  ids += 1;
  return aTask(`task_${ids}`, { type: 't', owner: 'ann', ...spec });
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
function createRandom(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describeWithRedis('tasks in a real Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  const clients: Redis[] = [];
  const stores: RedisTaskStore[] = [];

  /** A client of its own, as another process has one. */
  function connect(): Redis {
    const client = connectRedis(server.url, () => undefined);
    clients.push(client);
    return client;
  }
  function open(client = connect()): RedisTaskStore {
    const logger = createSilentLogger();
    const store = createRedisTaskStore({ redis: client, retentionMs: RETENTION_MS, logger });
    stores.push(store);
    return store;
  }

  beforeAll(async () => {
    server = await startRedis(['--appendonly', 'yes']);
    redis = connect();
  });
  afterEach(async () => {
    for (const store of stores.splice(0)) store.close();
    for (const client of clients.splice(0)) if (client !== redis) client.disconnect();
    clients.push(redis);
    await redis.flushall();
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  describeTaskStore(
    'Redis',
    (test) => test({ store: open(), reopen: () => open(), other: () => open() }),
    { durable: true },
  );

  /** Submits tasks of several owners. */
  async function submitAll(store: RedisTaskStore, tasks: readonly TaskRecord[]): Promise<void> {
    const byOwner = Map.groupBy(tasks, ({ spec }) => spec.owner);
    await Promise.all([...byOwner.values()].map((own) => store.submit(aSubmission(own))));
  }

  /** Sends every script twice, as a connection does that breaks before the answer. */
  function sendTwice(client: Redis): void {
    const methods = client as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    for (const name of ['hwTaskSubmit', 'hwTaskCommit']) {
      const once = methods[name]?.bind(client);
      if (once === undefined) throw new Error(`no ${name}`);
      methods[name] = async (...args) => {
        await once(...args);
        return await once(...args);
      };
    }
  }

  it('QUEUE-20: two nodes that claim at once get each task once', async () => {
    const [one, two] = [open(), open()];
    const tasks = Array.from({ length: 300 }, (_, at) => newOne({ owner: `o${at % 7}` }));
    await submitAll(one, tasks);
    const claims = Array.from({ length: 120 }, (_, at) =>
      at % 2 ? one.claim('t', 'n1', 3, NOW_MS) : two.claim('t', 'n2', 3, NOW_MS),
    );
    const claimed = (await Promise.all(claims)).flat().map(({ spec }) => spec.id);
    expect(claimed).toHaveLength(300);
    expect(new Set(claimed).size).toBe(300);
    const held = [...(await one.held('n1')), ...(await one.held('n2'))];
    expect(held.sort()).toEqual([...claimed].sort());
  });

  it('QUEUE-21: a submission that is sent twice is kept once, and told to be kept', async () => {
    const client = connect();
    const store = open(client);
    sendTwice(client);
    const [plain, keyed, child] = [newOne(), newOne(), newOne({ batchId: 'b1' })];
    const idempotency = { owner: 'ann', key: 'k', fingerprint: 'f', answerId: keyed.spec.id };
    const batch = {
      id: 'b1',
      owner: 'ann',
      createdAtMs: NOW_MS,
      entries: [{ taskId: child.spec.id }],
    };
    const outcomes = await Promise.all([
      store.submit(aSubmission([plain])),
      store.submit(aSubmission([keyed], { idempotency })),
      store.submit(aSubmission([child], { batch })),
    ]);
    expect(outcomes).toEqual([{ type: 'kept' }, { type: 'kept' }, { type: 'kept' }]);
    expect((await store.counts(NOW_MS)).get('t')?.queued).toBe(3);
    expect(await store.claim('t', 'n1', 9, NOW_MS)).toHaveLength(3);
    const again = await store.submit(
      aSubmission([newOne()], { idempotency: { ...idempotency, answerId: 'other' } }),
    );
    expect(again).toEqual({ type: 'again', answerId: keyed.spec.id });
  });

  it('QUEUE-21: a change that is sent twice is made once, and told to be made', async () => {
    const client = connect();
    const store = open(client);
    const task = newOne();
    await store.submit(aSubmission([task]));
    await store.claim('t', 'n1', 1, NOW_MS);
    sendTwice(client);
    const started = aChange(task, { type: 'start', node: 'n1' });
    const told = aChange(recordAfter(started), { type: 'text', text: 'a' });
    const ended = aChange(recordAfter(told), { type: 'succeed', result: 1 });
    // All in one call, and each on its own.
    expect(await store.commit([started, told], 'n1')).toEqual([false, true]);
    expect(await store.commit([ended], 'n1')).toEqual([true]);
    const seen = await store.read(task.spec.id, { epoch: 1, seq: 0 }, 99);
    expect(seen.map(({ type }) => type)).toEqual(['progress', 'delta', 'done']);
    expect(await store.head(task.spec.id)).toEqual({ epoch: 1, seq: 3 });
    expect((await store.counts(NOW_MS)).get('t')).toMatchObject({ running: 0, succeeded: 1 });
  });

  it('QUEUE-21: of equal changes of two instances one is made', async () => {
    const [one, two] = [open(), open()];
    const tasks = Array.from({ length: 40 }, () => newOne());
    await one.submit(aSubmission(tasks));
    for (const task of tasks) {
      const cancel = aChange(task, { type: 'cancel' });
      const made = await Promise.all([one.commit([cancel]), two.commit([cancel])]);
      expect(made.flat().filter((is) => is)).toHaveLength(1);
    }
    expect((await one.counts(NOW_MS)).get('t')).toMatchObject({ queued: 0, canceled: 40 });
  });

  it('QUEUE-22: what a process held that was killed is lost, and ends elsewhere, once each', async () => {
    const store = open();
    const tasks = Array.from({ length: 600 }, () => newOne({ createdAtMs: Date.now() }));
    await store.submit(aSubmission(tasks));
    const script = fileURLToPath(new URL('../testing/redis-task-claimer.ts', import.meta.url));
    const child = spawn(process.execPath, [script, server.url, 'n1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      if (printed.split('\n').length > 60) child.kill('SIGKILL');
    });
    await once(child, 'close');
    const isDone = new Set(printed.split('\n').slice(0, -1));

    const laterMs = Date.now() + 6_000;
    for (const record of await store.lost(laterMs, 100)) {
      const crash = aChange(record, { type: 'crash', reason: 'gone' }, laterMs);
      expect(await store.commit([crash])).toEqual([true]);
    }
    expect(await store.held('n1')).toEqual([]);
    expect(await store.lost(laterMs, 100)).toEqual([]);
    expect(await store.nodes(0)).toEqual([]);
    await store.beat('n2', laterMs + 5_000);
    const rest = await store.claim('t', 'n2', 1_000, laterMs);
    for (const { spec } of rest) expect(isDone).not.toContain(spec.id);
    const counts = (await store.counts(laterMs)).get('t');
    expect(rest.length + (counts?.succeeded ?? 0)).toBe(600);
    expect(counts?.succeeded).toBeGreaterThanOrEqual(isDone.size);
  }, 30_000);

  it('QUEUE-23: 2,000 random races of two instances end each task once (seed 20)', async () => {
    const random = createRandom(20);
    const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
    const instances = [open(), open()];
    const tasks = Array.from({ length: 2_000 }, (_, at) =>
      newOne({ owner: `o${at % 5}`, priority: 1 + (at % 10), maxAttempts: 2 }),
    );
    await submitAll(instances[0] as RedisTaskStore, tasks);
    const steps = (node: string): TaskStep[] => [
      { type: 'start', node },
      { type: 'text', text: 'x' },
      { type: 'keep', checkpoint: '"x"' },
      { type: 'succeed', result: node },
      { type: 'fail', error: { code: 'processing_failed', message: 'no' } },
      { type: 'crash', reason: 'died' },
      { type: 'give-back' },
      { type: 'cancel' },
      { type: 'time-out' },
    ];
    let nowMs = NOW_MS;
    const ends = new Map<string, number>();
    const made = new Map<string, number>();
    for (let round = 0; ; round += 1) {
      nowMs += 2_000;
      for (const at of [0, 1]) await instances[at]?.beat(`n${at}`, nowMs + 5_000);
      const claims = instances.map((store, at) => store.claim('t', `n${at}`, 300, nowMs));
      const claimed = (await Promise.all(claims)).flat();
      const all = await (instances[0] as RedisTaskStore).getMany(tasks.map(({ spec }) => spec.id));
      const open = all.filter((record) => record !== undefined && !isOver(record.state.status));
      if (open.length === 0) break;
      const racing = [...claimed, ...Array.from({ length: 600 }, () => pick(open))];
      const commits: Promise<void>[] = [];
      for (const record of racing) {
        for (const at of [0, 1]) {
          const before = record as TaskRecord;
          const node = `n${at}`;
          const change = stepTask(before, pick(steps(node)), nowMs, random());
          if (change === undefined) continue;
          const commit = async () => {
            const [isMade] = await (instances[at] as RedisTaskStore).commit([change], node);
            if (!isMade) return;
            const { id } = before.spec;
            made.set(id, (made.get(id) ?? 0) + 1);
            if (isOver(change.state.status)) ends.set(id, (ends.get(id) ?? 0) + 1);
          };
          commits.push(commit());
        }
      }
      await Promise.all(commits);
      // What a node has and does nothing with is given back.
      if (round % 5 === 4) {
        for (const at of [0, 1]) {
          const store = instances[at] as RedisTaskStore;
          for (const record of await store.getMany(await store.held(`n${at}`))) {
            const change = record && stepTask(record, { type: 'give-back' }, nowMs, 0);
            if (change !== undefined && (await store.commit([change]))[0]) {
              made.set(change.before.spec.id, (made.get(change.before.spec.id) ?? 0) + 1);
            }
          }
        }
      }
      expect(round).toBeLessThan(400);
    }
    const store = instances[0] as RedisTaskStore;
    expect(ends.size).toBe(2_000);
    expect([...ends.values()].every((count) => count === 1)).toBe(true);
    const final = await store.getMany(tasks.map(({ spec }) => spec.id));
    for (const record of final) {
      expect(record?.state.version).toBe(1 + (made.get(record?.spec.id ?? '') ?? 0));
    }
    const counts = (await store.counts(nowMs)).get('t');
    expect(counts).toMatchObject({ queued: 0, delayed: 0, running: 0 });
    const { succeeded = 0, failed = 0, canceled = 0, timedOut = 0 } = counts ?? {};
    expect(succeeded + failed + canceled + timedOut).toBe(2_000);
    expect([...(await store.held('n0')), ...(await store.held('n1'))]).toEqual([]);

    // Nothing of them stays.
    while ((await store.forget(nowMs + 1, 700)).length > 0);
    for (const at of [0, 1]) await store.leave(`n${at}`);
    await store.claim('t', 'n0', 1, nowMs);
    const keys = await redis.keys('*');
    const lasting = ['counts:t', 'turn:t', 'types'].map((name) => `hw:{tasks}:${name}`);
    expect(keys.sort()).toEqual(lasting);
  }, 60_000);

  it('QUEUE-24: what nobody forgets leaves Redis a day after its retention', async () => {
    const store = open();
    const child = newOne({ batchId: 'b1' });
    const batch = {
      id: 'b1',
      owner: 'ann',
      createdAtMs: NOW_MS,
      entries: [{ taskId: child.spec.id }],
    };
    const idempotency = { owner: 'ann', key: 'k', fingerprint: 'f', answerId: 'b1' };
    await store.submit(aSubmission([child], { batch, idempotency }));
    const names = [`task:${child.spec.id}`, 'batch:b1', 'key:3:ann:k'];
    const ttl = () => Promise.all(names.map((name) => redis.pttl(`hw:{tasks}:${name}`)));
    expect(await ttl()).toEqual([-1, -1, -1]);
    await store.commit([aChange(child, { type: 'cancel' })]);
    for (const ms of await ttl()) {
      expect(ms).toBeGreaterThan(RETENTION_MS + 86_000_000);
      expect(ms).toBeLessThanOrEqual(RETENTION_MS + 86_400_000);
    }
    // Gone before anybody asked for it: nobody stumbles over what is left.
    await redis.del(...names.map((name) => `hw:{tasks}:${name}`));
    expect(await store.forget(NOW_MS + 1, 10)).toEqual([]);
    expect(await redis.keys('*over*')).toEqual([]);
    const held = newOne();
    await store.submit(aSubmission([held]));
    await store.claim('t', 'n1', 1, NOW_MS);
    await redis.del(`hw:{tasks}:task:${held.spec.id}`);
    expect(await store.lost(NOW_MS, 10)).toEqual([]);
    expect(await store.held('n1')).toEqual([]);
  });

  it('QUEUE-25: what was acknowledged outlives a Redis that is killed', async () => {
    const store = open(redis);
    const tasks = Array.from({ length: 20 }, () => newOne());
    await store.submit(aSubmission(tasks));
    const [first] = await store.claim('t', 'n1', 1, NOW_MS);
    if (first === undefined) throw new Error('nothing was claimed');
    const started = aChange(first, { type: 'start', node: 'n1' });
    await store.commit([started], 'n1');
    // On a slow disk `everysec` holds back what it was about to write, also from the system.
    await redis.config('SET', 'appendfsync', 'always');
    await store.beat('n1', NOW_MS + 5_000);
    await server.kill();
    const during = store.commit(
      [aChange(recordAfter(started), { type: 'succeed', result: 1 })],
      'n1',
    );
    const also = store.submit(aSubmission([newOne()]));
    await server.restart();
    expect(await during).toEqual([true]);
    expect(await also).toEqual({ type: 'kept' });
    expect((await store.counts(NOW_MS)).get('t')).toMatchObject({ queued: 20, succeeded: 1 });
  }, 30_000);

  it('QUEUE-25: connections that are cut again and again cost nothing', async () => {
    const client = connect();
    const store = open(client);
    const tasks = Array.from({ length: 400 }, () => newOne());
    const left = [...tasks];
    const work = async () => {
      for (let task = left.pop(); task !== undefined; task = left.pop()) {
        expect(await store.submit(aSubmission([task]))).toEqual({ type: 'kept' });
        expect(await store.commit([aChange(task, { type: 'cancel' })])).toEqual([true]);
      }
    };
    let cuts = 0;
    const onReady = () => {
      if (left.length === 0) return;
      cuts += 1;
      // Not at once: some commands are on their way by then.
      setImmediate(() => void redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'));
    };
    client.on('ready', onReady);
    onReady();
    await Promise.all(Array.from({ length: 8 }, work));
    expect(cuts).toBeGreaterThan(3);
    expect((await store.counts(NOW_MS)).get('t')).toMatchObject({ canceled: 400 });
    expect((await store.counts(NOW_MS)).get('t')?.queued).toBe(0);
  }, 60_000);

  it('QUEUE-26: a node hears on another instance of what was taken from it, and readers of changes', async () => {
    const [one, two] = [open(), open()];
    const task = newOne();
    await one.submit(aSubmission([task]));
    await one.claim('t', 'n1', 1, NOW_MS);
    const taken: string[] = [];
    let hints = 0;
    one.listen('n1', (id) => taken.push(id));
    const end = one.watch(task.spec.id, () => {
      hints += 1;
    });
    const channels = () => redis.pubsub('CHANNELS', '*');
    await vi.waitFor(async () => expect(await channels()).toHaveLength(2));
    const started = aChange(task, { type: 'start', node: 'n1' });
    await one.commit([started], 'n1');
    await two.commit([aChange(recordAfter(started), { type: 'cancel' })]);
    await vi.waitFor(() => expect(hints).toBe(2));
    expect(taken).toEqual([task.spec.id]);
    end();
    await vi.waitFor(async () => expect(await channels()).toHaveLength(1));
  });
});
