import { describe, expect, it } from 'vitest';
import { createTaskCluster, type Mishaps } from '../testing/task-cluster.ts';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import { createMemoryTaskStore } from './memory-task-store.ts';
import type { TaskStore } from './ports.ts';

const DONE = { type: 'succeeded', result: null } as const;
const RETENTION_MS = 3_600_000;
const CALLBACK = { callbackUrl: 'https://n8n.example/x?signature=secret' };

async function settle(turns = 80): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await null;
}

function createBench(mishaps: Mishaps = {}, change: (store: TaskStore) => TaskStore = (it) => it) {
  const clock = createVirtualClock();
  const store = change(createMemoryTaskStore());
  const cluster = createTaskCluster({
    store,
    clock,
    types: ['ocr'],
    random: () => 0,
    mishaps,
    retentionMs: RETENTION_MS,
  });
  return {
    clock,
    store,
    cluster,
    async status(id: string) {
      return (await store.get(id))?.state.status;
    },
    async pass(ms: number) {
      for (let left = ms; left > 0; left -= 250) {
        await clock.advance(Math.min(250, left));
        await settle();
      }
    },
  };
}

describe('a keeper', () => {
  it('TASK-9: ends a task whose last attempt was lost with its node, and says why', async () => {
    const bench = createBench();
    const first = bench.cluster.add();
    await settle();
    const id = await bench.cluster.submit({ maxAttempts: 1, ...CALLBACK });
    await settle();
    bench.cluster.add();
    first.kill();
    await bench.pass(7_000);
    expect((await bench.store.get(id))?.state).toMatchObject({
      status: 'failed',
      error: { code: 'processing_failed', message: 'The node that ran it is gone.' },
      callback: 'kept',
    });
    expect(bench.cluster.over).toEqual([id]);
    expect(bench.cluster.outbox.kept.map((callback) => callback.id)).toEqual([id]);
  });

  it('TASK-9: several keepers at once do what one does', async () => {
    const bench = createBench();
    const first = bench.cluster.add(8);
    await settle();
    const ids: string[] = [];
    for (let at = 0; at < 8; at += 1) {
      ids.push(await bench.cluster.submit({ maxAttempts: 1, ...CALLBACK }));
    }
    await settle();
    for (let at = 0; at < 4; at += 1) bench.cluster.add();
    first.kill();
    await bench.pass(8_000);
    expect([...bench.cluster.over].sort()).toEqual([...ids].sort());
    expect(bench.cluster.outbox.kept).toHaveLength(8);
  });

  it('TASK-10: offers what waits and nobody was told of, within 3 s', async () => {
    const bench = createBench({ offer: () => 'lost' });
    bench.cluster.add();
    await settle();
    const id = await bench.cluster.submit();
    await bench.pass(250);
    expect(await bench.status(id)).toBe('queued');
    await bench.pass(3_000);
    expect(await bench.status(id)).toBe('running');
  });

  it('TASK-10: offers a task whose pause is over, where the offer for it was lost', async () => {
    let isLost = false;
    const bench = createBench({ offer: () => (isLost ? 'lost' : 'works') });
    bench.cluster.add();
    await settle();
    const id = await bench.cluster.submit();
    await settle();
    isLost = true;
    const error = { code: 'unavailable', message: 'Busy.' } as const;
    bench.cluster.runs[0]?.end({ type: 'failed', error, retryAfterMs: 4_000 });
    await bench.pass(3_750);
    expect(await bench.status(id)).toBe('queued');
    await bench.pass(3_500);
    expect(await bench.status(id)).toBe('running');
  });

  it('TASK-5: settles a callback that could not be kept when its task ended', async () => {
    let isAway = false;
    const bench = createBench({}, (store) => ({
      ...store,
      commit(changes, by) {
        const settles = changes.some(({ state }) => state.callback === 'kept');
        if (settles && isAway) throw new Error('the store is away');
        return store.commit(changes, by);
      },
    }));
    const node = bench.cluster.add();
    await settle();
    const id = await bench.cluster.submit(CALLBACK);
    await settle();
    isAway = true;
    bench.cluster.runs[0]?.end(DONE);
    await bench.pass(9_000);
    expect((await bench.store.get(id))?.state.callback).toBe('owed');
    const complaints = node.logger.lines.filter(({ message }) => message.startsWith('task keeper'));
    expect(complaints).toHaveLength(1);
    isAway = false;
    await bench.pass(2_250);
    expect((await bench.store.get(id))?.state.callback).toBe('kept');
    expect(bench.cluster.outbox.kept.map((callback) => callback.id)).toEqual([id]);
    expect(bench.cluster.outbox.calls.length).toBeGreaterThan(1);
  });

  it('TASK-17: forgets what was over for its retention, and says whose files are to go', async () => {
    const bench = createBench();
    bench.cluster.add();
    await settle();
    const id = await bench.cluster.submit();
    const waiting = await bench.cluster.submit();
    await settle();
    bench.cluster.runs[0]?.end(DONE);
    await bench.pass(1_000);
    for (let minutes = 0; minutes < 59; minutes += 1) await bench.clock.advance(60_000);
    await settle();
    expect(bench.cluster.forgotten).toEqual([]);
    await bench.pass(240_000);
    expect(bench.cluster.forgotten).toEqual([id]);
    expect(await bench.store.get(id)).toBeUndefined();
    expect(await bench.status(waiting)).not.toBeUndefined();
  });

  it('TASK-9: a keeper that stops looks no more', async () => {
    const bench = createBench();
    const first = bench.cluster.add();
    await settle();
    const id = await bench.cluster.submit();
    await settle();
    const second = bench.cluster.add();
    await settle();
    const stopping = second.stop(0);
    await bench.pass(5_000);
    await stopping;
    first.kill();
    await bench.pass(20_000);
    expect(await bench.status(id)).toBe('running');
  });
});
