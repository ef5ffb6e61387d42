import { describe, expect, it } from 'vitest';
import { parseEventId } from '../stream/event.ts';
import {
  createRecordingSubscriber,
  type RecordingSubscriber,
} from '../testing/recording-subscriber.ts';
import { createSilentLogger } from '../testing/silent-logger.ts';
import { aTask, keepTasks } from '../testing/task-fixtures.ts';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import { changeTask } from './change-task.ts';
import { createMemoryTaskStore } from './memory-task-store.ts';
import type { TaskStore } from './ports.ts';
import type { TaskFollower } from './task-follower.ts';
import { createTaskFollowers } from './task-followers.ts';
import type { TaskStep } from './task-machine.ts';
import { waitForEnd } from './wait-for-end.ts';

const START: TaskStep = { type: 'start', node: 'n1' };
const DONE: TaskStep = { type: 'succeed', result: 1 };
const CRASH: TaskStep = { type: 'crash', reason: 'The engine process ended.' };
const text = (it: string): TaskStep => ({ type: 'text', text: it });

async function settle(turns = 60): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await null;
}

async function createBench(options: { maxReaders?: number } = {}) {
  const clock = createVirtualClock();
  const kept = createMemoryTaskStore();
  let watchers = 0;
  let areHintsLost = false;
  const store: TaskStore = {
    ...kept,
    watch(id, hint) {
      watchers += 1;
      const end = kept.watch(id, () => {
        if (!areHintsLost) hint();
      });
      return () => {
        watchers -= 1;
        end();
      };
    },
  };
  const followers = createTaskFollowers({
    store,
    clock,
    alarm: (onDue) => clock.alarm(onDue),
    logger: createSilentLogger(),
    ...options,
  });
  await keepTasks(kept, aTask('task_1'));
  await kept.beat('n1', clock.nowMs() + 3_600_000);

  async function open(): Promise<TaskFollower> {
    const follower = await followers.open('task_1');
    if (follower === undefined) throw new Error('there is no such task');
    return follower;
  }

  return {
    clock,
    store,
    followers,
    open,
    get watchers() {
      return watchers;
    },
    loseHints() {
      areHintsLost = true;
    },
    async step(...steps: TaskStep[]) {
      for (const it of steps) {
        if (it.type === 'start') await kept.claim('ocr', 'n1', 1, clock.nowMs());
        await changeTask(kept, 'task_1', it, { nowMs: clock.nowMs(), random: 0, by: 'n1' });
      }
      await settle();
    },
    /** Joins as a client with this last id does. */
    async read(lastId?: string) {
      const follower = await open();
      const subscriber = createRecordingSubscriber('ws');
      const after = lastId === undefined ? undefined : parseEventId(lastId);
      const decision = follower.decide(after);
      if (decision.type === 'nothing-left') return { subscriber, follower, decision };
      const afterSeq = decision.type === 'read' ? decision.afterSeq : 0;
      follower.attach(subscriber, afterSeq, decision.type === 'gap');
      await settle();
      return { subscriber, follower, decision };
    },
  };
}

const seen = (subscriber: RecordingSubscriber) =>
  subscriber.events().map((event) => (event.type === 'delta' ? event.text : event.type));

describe('readers of a task', () => {
  it('TASK-15: a reader from the start sees every event once, and is let go after the end', async () => {
    const bench = await createBench();
    const { subscriber } = await bench.read();
    await bench.step(START, text('a'), text('b'), DONE);
    expect(seen(subscriber)).toEqual(['progress', 'a', 'b', 'done']);
    expect(subscriber.events().map(({ id }) => id)).toEqual(['1-1', '1-2', '1-3', '1-4']);
    expect(subscriber.ended).toBe(true);
    expect(subscriber.endError).toBeUndefined();
    expect(bench.watchers).toBe(0);
  });

  it('TASK-15: a reader that comes late, or back, sees what it has not seen', async () => {
    const bench = await createBench();
    const early = await bench.read();
    await bench.step(START, text('a'));
    const late = await bench.read();
    const back = await bench.read('1-1');
    await bench.step(text('b'), DONE);
    expect(seen(late.subscriber)).toEqual(seen(early.subscriber));
    expect(seen(back.subscriber)).toEqual(['a', 'b', 'done']);
  });

  it('TASK-15: readers of one task share one follower, which rests when they have left', async () => {
    const bench = await createBench();
    const one = await bench.read();
    const two = await bench.read();
    expect(bench.watchers).toBe(1);
    expect(two.follower).toBe(one.follower);
    one.follower.detach(one.subscriber);
    expect(bench.watchers).toBe(1);
    two.follower.detach(two.subscriber);
    expect(bench.watchers).toBe(0);
    expect(await bench.open()).not.toBe(one.follower);
  });

  it('TASK-15: a lost hint costs a second', async () => {
    const bench = await createBench();
    const { subscriber } = await bench.read();
    bench.loseHints();
    await bench.step(START, DONE);
    expect(seen(subscriber)).toEqual([]);
    await bench.clock.advance(1_000);
    await settle();
    expect(seen(subscriber)).toEqual(['progress', 'done']);
    expect(subscriber.ended).toBe(true);
  });

  it('TASK-15: text that is void is replaced: readers are taken along to the new epoch', async () => {
    const bench = await createBench();
    const { subscriber } = await bench.read();
    await bench.step(START, text('a'), CRASH, START, text('b'), DONE);
    expect(seen(subscriber).slice(-5)).toEqual(['restart', 'progress', 'progress', 'b', 'done']);
    const late = await bench.read();
    expect(seen(late.subscriber)).toEqual(['restart', 'progress', 'progress', 'b', 'done']);
    const stale = await bench.read('1-2');
    expect(stale.decision).toEqual({ type: 'gap' });
    expect(seen(stale.subscriber)).toEqual(seen(late.subscriber));
  });

  it('TASK-15: a task that is over can be read again, and who has it all has nothing left', async () => {
    const bench = await createBench();
    await bench.step(START, DONE);
    const { subscriber } = await bench.read();
    expect(seen(subscriber)).toEqual(['progress', 'done']);
    expect(subscriber.ended).toBe(true);
    expect((await bench.read('1-2')).decision).toEqual({ type: 'nothing-left' });
    expect((await bench.read('1-1')).decision).toEqual({ type: 'read', afterSeq: 1 });
  });

  it('TASK-15: a reader that has more than the follower was told of is not sent back', async () => {
    const bench = await createBench();
    await bench.read();
    bench.loseHints();
    await bench.step(START, text('a'));
    expect((await bench.read('1-2')).decision).toEqual({ type: 'read', afterSeq: 2 });
  });

  it('TASK-15: an unknown task has no follower, a full one takes no more', async () => {
    const bench = await createBench({ maxReaders: 1 });
    expect(await bench.followers.open('task_2')).toBeUndefined();
    await bench.read();
    await expect(bench.read()).rejects.toMatchObject({ code: 'rate_limited' });
  });

  it('TASK-15: readers of a task that is forgotten, or whose events were lost, are told so', async () => {
    const bench = await createBench();
    await bench.step(START, text('a'));
    const { subscriber, follower } = await bench.read();
    const { store } = bench;
    const { head } = store;
    store.head = () => ({ epoch: 1, seq: 1 });
    await follower.refresh();
    expect(subscriber.endError?.code).toBe('unavailable');
    store.head = head;
    const again = await bench.read('1-1');
    store.get = () => undefined;
    await bench.clock.advance(1_000);
    await settle();
    expect(again.subscriber.endError?.code).toBe('expired');
  });

  it('TASK-15: a task that is over without its last event ends its readers, and is no loop', async () => {
    const bench = await createBench();
    await bench.step(START, DONE);
    const { store } = bench;
    const { read } = store;
    store.head = () => ({ epoch: 1, seq: 1 });
    store.read = async (id, after, limit) => (await read(id, after, limit)).slice(0, 1 - after.seq);
    const { subscriber } = await bench.read();
    await bench.clock.advance(1_000);
    await settle();
    expect(subscriber.endError?.code).toBe('expired');
    expect((await bench.read('1-1')).decision).toEqual({ type: 'nothing-left' });
  });

  it('TASK-15: a host that goes down lets all readers go', async () => {
    const bench = await createBench();
    const { subscriber } = await bench.read();
    bench.followers.letGo();
    expect(subscriber.ended).toBe(true);
    expect(bench.watchers).toBe(0);
  });
});

describe('waitForEnd', () => {
  it('TASK-16: resolves with the end, at once where the task is over', async () => {
    const bench = await createBench();
    const { clock, store } = bench;
    const ports = { store, clock, alarm: (onDue: () => void) => clock.alarm(onDue) };
    let waited: string | undefined;
    const waiting = waitForEnd(ports, 'task_1', clock.nowMs() + 60_000).then((record) => {
      waited = record?.state.status;
    });
    await bench.step(START, text('a'));
    expect(waited).toBeUndefined();
    await bench.step(DONE);
    await waiting;
    expect(waited).toBe('succeeded');
    const again = await waitForEnd(ports, 'task_1', clock.nowMs() + 60_000);
    expect(again?.state.status).toBe('succeeded');
    expect(bench.watchers).toBe(0);
  });

  it('TASK-16: resolves with what there is when the time is up, or nobody waits any more', async () => {
    const bench = await createBench();
    const { clock, store } = bench;
    const ports = { store, clock, alarm: (onDue: () => void) => clock.alarm(onDue) };
    const waits = [2_500, 600_000].map((ms, at) => {
      const leaving = new AbortController();
      if (at === 1) setTimeout(() => leaving.abort(), 0);
      return waitForEnd(ports, 'task_1', clock.nowMs() + ms, leaving.signal);
    });
    for (let second = 0; second < 3; second += 1) {
      await settle();
      await clock.advance(1_000);
    }
    for (const record of await Promise.all(waits)) expect(record?.state.status).toBe('queued');
    expect(bench.watchers).toBe(0);
  });

  it('TASK-16: a lost hint costs a second, and an unknown task is none', async () => {
    const bench = await createBench();
    const { clock, store } = bench;
    const ports = { store, clock, alarm: (onDue: () => void) => clock.alarm(onDue) };
    expect(await waitForEnd(ports, 'task_2', clock.nowMs() + 60_000)).toBeUndefined();
    const waiting = waitForEnd(ports, 'task_1', clock.nowMs() + 60_000);
    await settle();
    bench.loseHints();
    await bench.step({ type: 'cancel' });
    await clock.advance(1_000);
    expect((await waiting)?.state.status).toBe('canceled');
  });
});
