/** What every {@link TaskQueue} must do, from the duties in `tasks/ports.ts`. */

import { describe, expect, it, vi } from 'vitest';
import type { TaskQueue, WorkOutcome } from '../tasks/ports.ts';

/** Runs a test with an empty queue, wherever that must happen, and closes it afterwards. */
export type WithTaskQueue = (test: (queue: TaskQueue) => Promise<void>) => Promise<void>;

const DONE: WorkOutcome = { taskId: 'task_1', status: 'succeeded' };
const FAILED: WorkOutcome = {
  taskId: 'task_2',
  status: 'failed',
  error: { code: 'processing_failed', message: 'The engine failed.' },
};

/** Until a condition holds; a queue may be behind a network. */
function eventually(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 10_000, interval: 5 });
}

/** Calls of `run`, each of which ends when the test says so. */
function createHands() {
  const calls: string[] = [];
  const ends: (() => void)[] = [];
  let running = 0;
  let most = 0;
  return {
    calls,
    get running() {
      return running;
    },
    get most() {
      return most;
    },
    /** Ends the oldest call that still runs. */
    endOne: () => ends.shift()?.(),
    async run(type: string): Promise<WorkOutcome> {
      calls.push(type);
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => {
        ends.push(resolve);
      });
      running -= 1;
      return DONE;
    },
  };
}

/** Declares the suite. */
export function describeTaskQueue(name: string, withQueue: WithTaskQueue): void {
  const check = (title: string, test: (queue: TaskQueue) => Promise<void>) =>
    it(title, () => withQueue(test), 30_000);

  /** Works with a `run` that is over at once, and counts the calls. */
  function count(
    queue: TaskQueue,
    outcome: WorkOutcome | undefined = DONE,
    types = ['one', 'two'],
  ): string[] {
    const calls: string[] = [];
    const run = async (type: string) => {
      calls.push(type);
      return outcome;
    };
    queue.work({ types, concurrency: 4, run });
    return calls;
  }

  describe(`task queue contract: ${name}`, () => {
    check('TASK-12: an offer leads to a call for its type', async (queue) => {
      const calls = count(queue);
      await queue.offer('one', 1);
      await eventually(() => expect(calls).toEqual(['one']));
      await queue.offer('two', 1);
      await eventually(() => expect(calls).toEqual(['one', 'two']));
    });

    check('TASK-12: what was offered before anybody works is not lost', async (queue) => {
      await queue.offer('one', 3);
      await queue.offer('two', 2);
      const calls = count(queue);
      await eventually(() => expect(calls).toHaveLength(5));
      expect(calls.filter((type) => type === 'one')).toHaveLength(3);
    });

    check('TASK-12: each of many offers gets its call', async (queue) => {
      const calls = count(queue);
      const offers = Array.from({ length: 50 }, (_, at) => queue.offer(at % 2 ? 'one' : 'two', 5));
      await Promise.all(offers);
      await eventually(() => expect(calls.length).toBeGreaterThanOrEqual(250));
      expect(calls.filter((type) => type === 'one').length).toBeGreaterThanOrEqual(125);
    });

    check('TASK-12: an offer of none is nothing', async (queue) => {
      const calls = count(queue);
      await queue.offer('one', 0);
      await queue.ensure('one', 0);
      await queue.offer('two', 1);
      await eventually(() => expect(calls).toEqual(['two']));
    });

    check('TASK-12: a type nobody works on is not called', async (queue) => {
      const calls = count(queue, DONE, ['two']);
      await queue.offer('one', 2);
      await queue.offer('two', 2);
      await eventually(() => expect(calls).toEqual(['two', 'two']));
    });

    check('TASK-12: an offer for later is called then, and not before', async (queue) => {
      const times = new Map<string, number>();
      queue.work({
        types: ['one', 'two'],
        concurrency: 4,
        async run(type) {
          times.set(type, Date.now());
          return DONE;
        },
      });
      const atMs = Date.now() + 250;
      await queue.offer('one', 1, atMs);
      await queue.offer('two', 1, Date.now() - 60_000);
      await eventually(() => expect(times.size).toBe(2));
      expect(times.get('one')).toBeGreaterThanOrEqual(atMs);
    });

    check('TASK-12: no more run at once than agreed, of all types together', async (queue) => {
      const hands = createHands();
      queue.work({ types: ['one', 'two'], concurrency: 3, run: hands.run });
      await queue.offer('one', 6);
      await queue.offer('two', 6);
      await eventually(() => expect(hands.running).toBe(3));
      for (let ended = 0; ended < 12; ended += 1) {
        await eventually(() => expect(hands.running).toBeGreaterThan(0));
        hands.endOne();
      }
      await eventually(() => expect(hands.calls).toHaveLength(12));
      expect(hands.most).toBe(3);
    });

    check('TASK-12: a call that found nothing, or failed, does no harm', async (queue) => {
      const calls: string[] = [];
      queue.work({
        types: ['one'],
        concurrency: 1,
        async run(type) {
          calls.push(type);
          return [undefined, FAILED, DONE][calls.length % 3];
        },
      });
      await queue.offer('one', 6);
      await eventually(() => expect(calls).toHaveLength(6));
      await queue.offer('one', 1);
      await eventually(() => expect(calls).toHaveLength(7));
    });

    check('TASK-12: ensure makes up for offers that were lost', async (queue) => {
      const calls = count(queue);
      await queue.ensure('one', 3);
      await eventually(() => expect(calls.length).toBeGreaterThanOrEqual(3));
      await queue.ensure('one', 2);
      await eventually(() => expect(calls.length).toBeGreaterThanOrEqual(5));
    });

    check('TASK-12: ensure again and again does not pile offers up', async (queue) => {
      await queue.offer('one', 3);
      for (let round = 0; round < 20; round += 1) await queue.ensure('one', 3);
      const calls = count(queue);
      await queue.offer('two', 1);
      await eventually(() => {
        expect(calls).toContain('two');
        expect(calls.length).toBeGreaterThanOrEqual(4);
      });
      await queue.stop();
      expect(calls.filter((type) => type === 'one').length).toBeLessThanOrEqual(6);
    });

    check('TASK-12: ensure does not wait for offers for later', async (queue) => {
      const calls = count(queue);
      await queue.offer('one', 1, Date.now() + 3_600_000);
      await queue.ensure('one', 1);
      await eventually(() => expect(calls).toHaveLength(1));
    });

    check('TASK-12: stop waits for the calls under way, and begins none', async (queue) => {
      const hands = createHands();
      queue.work({ types: ['one'], concurrency: 2, run: hands.run });
      await queue.offer('one', 5);
      await eventually(() => expect(hands.running).toBe(2));
      let stopped = false;
      const stopping = queue.stop().then(() => {
        stopped = true;
      });
      hands.endOne();
      await eventually(() => expect(hands.running).toBe(1));
      expect(stopped).toBe(false);
      hands.endOne();
      await stopping;
      expect(hands.calls).toHaveLength(2);
    });

    check('TASK-12: nothing is called after a stop', async (queue) => {
      const calls = count(queue);
      await queue.offer('one', 1);
      await eventually(() => expect(calls).toHaveLength(1));
      await queue.offer('one', 1, Date.now() + 20);
      await queue.stop();
      const before = calls.length;
      await queue.offer('one', 4);
      await queue.ensure('two', 4);
      await queue.close();
      expect(calls).toHaveLength(before);
    });

    check('TASK-12: a queue nobody worked on closes, with what it holds', async (queue) => {
      await queue.offer('one', 2);
      await queue.offer('one', 1, Date.now() + 3_600_000);
      await queue.stop();
      await queue.close();
      await queue.close();
    });
  });
}
