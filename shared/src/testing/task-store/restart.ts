/** What a task store owes that outlives the process that holds it. */

import { expect } from 'vitest';
import { TASK_TIME_MS as AT_MS, aChange, aSubmission, aTask, takeStep } from '../task-fixtures.ts';
import {
  aBatch,
  anIdempotency,
  delta,
  idsOf,
  LIFE_MS,
  type StoreTest,
  several,
  startOne,
} from './store-test.ts';

const callbackUrl = 'https://n8n.example/wait';

/** Declares it. */
export function testRestart(test: StoreTest): void {
  test('QUEUE-15: a store that is opened again has what was kept, and goes on', async (store, {
    reopen,
  }) => {
    if (reopen === undefined) throw new Error('a durable store must be opened again');
    const batch = aBatch('b1', [{ taskId: 't0000' }, { taskId: 't0001' }]);
    const tasks = several('t', 4, { batchId: 'b1', callbackUrl });
    await store.submit(aSubmission(tasks, { batch, ...anIdempotency('b1') }));
    const ended = await takeStep(store, await startOne(store), { type: 'succeed', result: 1 });
    const begun = await takeStep(store, await startOne(store), { type: 'text', text: 'é' });
    const checkpoint = '{"done":["é"]}';
    const running = await takeStep(store, begun, { type: 'keep', checkpoint });
    const error = { code: 'upstream_failed', message: 'It broke.' } as const;
    const later = { type: 'fail', error, retryAfterMs: 4_000 } as const;
    const delayed = await takeStep(store, await startOne(store), later);
    const counts = await store.counts(AT_MS);
    const again = await reopen();
    const nowMs = AT_MS + LIFE_MS + 1;
    expect(await again.getBatch('b1')).toEqual(batch);
    expect(await again.counts(AT_MS)).toEqual(counts);
    expect(await again.nextDueMs('ocr')).toBe(AT_MS + 4_000);
    expect(await again.getMany(idsOf(tasks).map(String))).toEqual([
      ended,
      running,
      delayed,
      tasks[3],
    ]);
    expect(await again.read('t0001', { epoch: 1, seq: 1 }, 9)).toEqual([delta('é')]);
    expect(await again.checkpointOf('t0001')).toBe(checkpoint);
    expect(await again.checkpointOf('t0000')).toBeUndefined();
    expect(await again.owing(9)).toEqual([ended]);
    const twice = aSubmission([], { batch: { ...batch, id: 'b2' }, ...anIdempotency('b2') });
    expect(await again.submit(twice)).toEqual({ type: 'again', answerId: 'b1' });
    const limits = { maxQueuedPerOwner: 2, maxQueued: 9 };
    const full = await again.submit(aSubmission([aTask('t9')], limits));
    expect(full).toEqual({ type: 'full', by: 'owner' });
    expect(await again.lost(nowMs, 9)).toEqual([running]);
    expect(await again.claim('ocr', 'n2', 9, AT_MS)).toEqual([tasks[3]]);
    expect(await again.claim('ocr', 'n2', 9, nowMs)).toEqual([delayed]);
    const late = aChange(running, { type: 'succeed', result: 2 });
    expect(await again.commit([late])).toEqual([true]);
    expect(await again.lost(nowMs, 9)).toHaveLength(2);
    expect(await again.head('t0001')).toEqual({ epoch: 1, seq: 3 });
  });
}
