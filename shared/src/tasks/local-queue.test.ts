import { describe, expect, it } from 'vitest';
import { createTimerAlarm } from '../stream/timer-alarm.ts';
import { describeTaskQueue } from '../testing/task-queue-contract.ts';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import { createLocalQueue } from './local-queue.ts';

const clock = { nowMs: () => Date.now() };

describeTaskQueue('in-process', async (test) => {
  const queue = createLocalQueue({ clock, alarm: createTimerAlarm });
  try {
    await test(queue);
  } finally {
    await queue.close();
  }
});

describe('local queue', () => {
  it('TASK-12: types take turns, however much of one is offered', async () => {
    const queue = createLocalQueue({ clock, alarm: createTimerAlarm });
    queue.offer('one', 50);
    queue.offer('two', 2);
    const calls: string[] = [];
    const run = async (type: string) => {
      calls.push(type);
      return undefined;
    };
    queue.work({ types: ['one', 'two', 'three'], concurrency: 1, run });
    for (let turn = 0; turn < 200; turn += 1) await null;
    expect(calls.slice(0, 5)).toEqual(['one', 'two', 'one', 'two', 'one']);
    expect(calls).toHaveLength(52);
  });

  it('TASK-12: a call that needs its hand no more lets the next one begin, and a stop waits for both', async () => {
    const queue = createLocalQueue({ clock, alarm: createTimerAlarm });
    const frees: (() => void)[] = [];
    const ends: (() => void)[] = [];
    const run = async (_type: string, free: () => void) => {
      frees.push(free);
      await new Promise<void>((resolve) => ends.push(resolve));
      return undefined;
    };
    queue.work({ types: ['one'], concurrency: 1, run });
    queue.offer('one', 3);
    expect(frees).toHaveLength(1);
    // Twice is once: the hand was given back already.
    frees[0]?.();
    frees[0]?.();
    expect(frees).toHaveLength(2);
    let isStopped = false;
    const stopping = queue.stop().then(() => {
      isStopped = true;
    });
    ends[1]?.();
    for (let turn = 0; turn < 20; turn += 1) await null;
    expect(isStopped).toBe(false);
    ends[0]?.();
    await stopping;
    expect(frees).toHaveLength(2);
  });

  it('TASK-12: one alarm serves all offers for later, the earliest first', async () => {
    const time = createVirtualClock();
    const queue = createLocalQueue({ clock: time, alarm: (onDue) => time.alarm(onDue) });
    const calls: string[] = [];
    queue.work({
      types: ['a', 'b', 'c'],
      concurrency: 9,
      run: async (type) => {
        calls.push(type);
        return undefined;
      },
    });
    queue.offer('b', 1, time.nowMs() + 2_000);
    queue.offer('a', 1, time.nowMs() + 1_000);
    queue.offer('c', 2, time.nowMs() + 3_000);
    await time.advance(999);
    expect(calls).toEqual([]);
    await time.advance(1);
    expect(calls).toEqual(['a']);
    await time.advance(2_000);
    expect(calls).toEqual(['a', 'b', 'c', 'c']);
  });
});
