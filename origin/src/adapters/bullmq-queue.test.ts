import type { WorkOutcome } from '@headwater/shared/tasks/ports';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { describeTaskQueue } from '@headwater/shared/testing/task-queue-contract';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { describeWithRedis } from '../testing/describe-with-redis.ts';
import { type RedisServer, startRedis } from '../testing/redis-server.ts';
import { type BullmqQueue, createBullmqQueue } from './bullmq-queue.ts';
import { connectRedis } from './redis-connection.ts';

const DONE: WorkOutcome = { taskId: 'task_1', status: 'succeeded' };

const eventually = (check: () => unknown) => vi.waitFor(check, { timeout: 15_000, interval: 10 });

/** Calls that end when the test says so. */
function createGate() {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  return {
    begun,
    end: () => ends.shift()?.(),
    async run(type: string): Promise<WorkOutcome> {
      begun.push(type);
      await new Promise<void>((resolve) => ends.push(resolve));
      return DONE;
    },
  };
}

describeWithRedis('tasks by BullMQ', () => {
  let server: RedisServer;
  let redis: Redis;
  const queues: BullmqQueue[] = [];

  /** A queue as each node has one. */
  function open(): BullmqQueue {
    const logger = createSilentLogger();
    const queue = createBullmqQueue({ redis, types: ['one', 'two'], logger });
    queues.push(queue);
    return queue;
  }
  /** Calls begun, by a node that ends them at once. */
  function work(queue: BullmqQueue, outcome: WorkOutcome | undefined = DONE): string[] {
    const calls: string[] = [];
    const run = async (type: string) => {
      calls.push(type);
      return outcome;
    };
    queue.work({ types: ['one', 'two'], concurrency: 4, run });
    return calls;
  }
  const boardOf = (queue: BullmqQueue) => {
    const [one] = queue.queues();
    if (one === undefined) throw new Error('the board has no queue');
    return one;
  };

  beforeAll(async () => {
    server = await startRedis(['--appendonly', 'yes']);
  });
  beforeEach(async () => {
    redis = connectRedis(server.url, () => undefined, 2_000);
    await redis.flushall();
  });
  afterEach(async () => {
    await Promise.all(queues.splice(0).map((queue) => queue.close()));
    redis.disconnect();
  });
  afterAll(() => server.stop());

  describeTaskQueue('BullMQ', (test) => test(open()));

  it('QUEUE-30: what one node offers, any node gets, and what is put together is called in full', async () => {
    const [one, two] = [open(), open()];
    await one.offer('one', 3_000);
    const tickets = await boardOf(one).getJobCounts('wait');
    expect(tickets).toEqual({ wait: 256 + Math.ceil((3_000 - 256) / 64) });
    const [mine, theirs] = [work(one), work(two)];
    await eventually(() => expect(mine.length + theirs.length).toBe(3_000));
    expect(mine.length).toBeGreaterThan(0);
    expect(theirs.length).toBeGreaterThan(0);
  });

  it('QUEUE-30: offers that follow each other find what was added before them', async () => {
    const one = open();
    for (let offer = 0; offer < 4; offer += 1) await one.offer('one', 500);
    const tickets = await boardOf(one).getJobCounts('wait');
    expect(tickets).toEqual({ wait: 256 + Math.ceil(244 / 64) + 3 * Math.ceil(500 / 64) });
  });

  it('QUEUE-30: a hand that a call needs no more takes the next call of its ticket, which ends with the last one', async () => {
    const one = open();
    await boardOf(one).addBulk([{ name: 'one', data: { calls: 3 } }]);
    const frees: (() => void)[] = [];
    const ends: (() => void)[] = [];
    const run = async (_type: string, free: () => void): Promise<WorkOutcome> => {
      frees.push(free);
      await new Promise<void>((resolve) => ends.push(resolve));
      return DONE;
    };
    one.work({ types: ['one'], concurrency: 1, run });
    for (let begun = 1; begun <= 3; begun += 1) {
      await eventually(() => expect(frees).toHaveLength(begun));
      frees.at(-1)?.();
    }
    expect(await boardOf(one).getJobCounts('active', 'completed')).toEqual({
      active: 1,
      completed: 0,
    });
    for (const end of ends) end();
    await eventually(async () =>
      expect(await boardOf(one).getJobCounts('active', 'completed')).toEqual({
        active: 0,
        completed: 1,
      }),
    );
    expect(frees).toHaveLength(3);
  });

  it('QUEUE-30: calls that are put together spread over all hands that are free', async () => {
    const [one, gate] = [open(), createGate()];
    await one.offer('one', 600);
    await boardOf(one).drain();
    await boardOf(one).addBulk([{ name: 'one', data: { calls: 16 } }]);
    one.work({ types: ['one', 'two'], concurrency: 4, run: gate.run });
    await eventually(() => expect(gate.begun).toHaveLength(4));
    for (let ended = 0; ended < 16; ended += 1) {
      await eventually(() => expect(gate.begun.length).toBeGreaterThan(ended));
      gate.end();
    }
    await eventually(async () => {
      expect(await boardOf(one).getJobCounts('wait', 'active', 'completed')).toEqual({
        wait: 0,
        active: 0,
        completed: 1,
      });
    });
    expect(gate.begun).toHaveLength(16);
  });

  /** Hands wait for tickets: so many connections are blocked. */
  const areWaiting = (count: number) =>
    eventually(async () =>
      expect(await redis.info('clients')).toContain(`blocked_clients:${count}`),
    );

  it('QUEUE-31: a ticket that finds no free hand goes to another node', async () => {
    const [full, free] = [open(), open()];
    const gate = createGate();
    full.work({ types: ['one', 'two'], concurrency: 1, run: gate.run });
    await areWaiting(2);
    await full.offer('one', 1);
    await eventually(() => expect(gate.begun).toEqual(['one']));
    await full.offer('two', 1);
    // It was taken, and put back.
    await eventually(async () => {
      const [ticket] = await (full.queues()[1] as Queue).getWaiting();
      expect(ticket?.attemptsStarted).toBe(1);
    });
    const calls = work(free);
    await eventually(() => expect(calls).toEqual(['two']));
    gate.end();
  });

  it('QUEUE-31: a type with a long line does not keep the hands from another', async () => {
    const [one, gate] = [open(), createGate()];
    one.work({ types: ['one', 'two'], concurrency: 1, run: gate.run });
    await areWaiting(2);
    await one.offer('one', 200);
    await eventually(() => expect(gate.begun).toEqual(['one']));
    await one.offer('two', 1);
    for (let ended = 1; ended < 10; ended += 1) {
      gate.end();
      await eventually(() => expect(gate.begun.length).toBeGreaterThan(ended));
    }
    expect(gate.begun).toContain('two');
    gate.end();
  });

  it('QUEUE-32: the board shows what a ticket came to, and a failure by the id of its task', async () => {
    const one = open();
    work(one, {
      taskId: 'task_9',
      status: 'failed',
      error: { code: 'processing_failed', message: '' },
    });
    await one.offer('one', 1);
    await eventually(async () => {
      const [failed] = await boardOf(one).getFailed();
      expect(failed?.failedReason).toBe('task_9: processing_failed');
      expect(failed?.name).toBe('one');
    });
    const two = open();
    await one.close();
    work(two);
    await two.offer('one', 1);
    await eventually(async () => {
      const [completed] = await boardOf(two).getCompleted();
      expect(completed?.returnvalue).toEqual(DONE);
    });
  });

  it('QUEUE-33: work goes on by itself after a Redis that was killed', async () => {
    const one = open();
    let calls = 0;
    let owed = 200;
    let isDown = false;
    one.work({
      types: ['one', 'two'],
      concurrency: 4,
      async run() {
        calls += 1;
        if (owed === 0) return undefined;
        owed -= 1;
        if (owed === 150) {
          isDown = true;
          await server.kill();
        }
        return DONE;
      },
    });
    await one.offer('one', 200);
    await eventually(() => expect(isDown).toBe(true));
    const offered = one.offer('one', 10);
    await server.restart();
    await offered;
    // As the keeper does: tickets whose answer was lost are made up for.
    await eventually(async () => {
      await one.ensure('one', owed);
      expect(owed).toBe(0);
    });
    await eventually(async () =>
      expect(await boardOf(one).getJobCounts('wait')).toEqual({ wait: 0 }),
    );
    const before = calls;
    await one.offer('one', 5);
    await eventually(() => expect(calls).toBeGreaterThanOrEqual(before + 5));
  }, 40_000);

  it('QUEUE-33: what is lost with connections that are cut, ensure makes up for', async () => {
    const one = open();
    const owed = new Map([
      ['one', 0],
      ['two', 0],
    ]);
    let ended = 0;
    one.work({
      types: ['one', 'two'],
      concurrency: 4,
      async run(type) {
        const left = owed.get(type) ?? 0;
        if (left === 0) return undefined;
        owed.set(type, left - 1);
        ended += 1;
        return DONE;
      },
    });
    const admin = connectRedis(server.url, () => undefined);
    for (let round = 1; round <= 5; round += 1) {
      for (const [type, count] of [
        ['one', 20],
        ['two', 1],
      ] as const) {
        owed.set(type, (owed.get(type) ?? 0) + count);
        await one.offer(type, count);
        await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      }
      // As the keeper does, which sees in the store what waits.
      await eventually(async () => {
        for (const [type, left] of owed) await one.ensure(type, left);
        expect(ended).toBe(21 * round);
      });
    }
    admin.disconnect();
  }, 60_000);

  it('QUEUE-34: a queue stops and closes in time, also where Redis is away', async () => {
    const one = open();
    const gate = createGate();
    one.work({ types: ['one', 'two'], concurrency: 2, run: gate.run });
    await one.offer('one', 3);
    await eventually(() => expect(gate.begun).toHaveLength(2));
    await server.kill();
    const offered = Promise.resolve(one.offer('one', 1)).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(await offered).toMatchObject({ code: 'unavailable' });
    const startedMs = performance.now();
    const stopping = one.stop();
    gate.end();
    gate.end();
    await stopping;
    await one.close();
    expect(performance.now() - startedMs).toBeLessThan(4_000);
    await server.restart();
    expect(gate.begun).toHaveLength(2);
  }, 40_000);

  it('QUEUE-34: a Redis that was never there is unavailable, and keeps nobody', async () => {
    const nowhere = connectRedis('redis://127.0.0.1:1', () => undefined, 300);
    const logger = createSilentLogger();
    const queue = createBullmqQueue({ redis: nowhere, types: ['one'], logger });
    work(queue);
    const offer = async () => queue.offer('one', 1);
    const ensure = async () => queue.ensure('one', 1);
    await expect(offer()).rejects.toMatchObject({ code: 'unavailable' });
    await expect(ensure()).rejects.toMatchObject({ code: 'unavailable' });
    const startedMs = performance.now();
    await queue.close();
    expect(performance.now() - startedMs).toBeLessThan(4_000);
    nowhere.disconnect();
  });

  it('QUEUE-35: what a node took and had not begun when it stopped, others get at once', async () => {
    const [one, two] = [open(), open()];
    const gate = createGate();
    await boardOf(one).addBulk([{ name: 'one', data: { calls: 16 } }]);
    one.work({ types: ['one'], concurrency: 2, run: gate.run });
    await eventually(() => expect(gate.begun).toHaveLength(2));
    const stopping = one.stop();
    gate.end();
    gate.end();
    await stopping;
    const calls = work(two);
    await eventually(() => expect(calls).toHaveLength(16));
    await eventually(async () =>
      expect(await boardOf(two).getJobCounts('wait', 'active')).toEqual({ wait: 0, active: 0 }),
    );
  });
});
