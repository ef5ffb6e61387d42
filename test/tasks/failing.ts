/** Tasks that fail, and whether they are tried again. */

import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { TaskWorld } from './task-world.ts';

/** Adds the tests. */
export function describeFailing(world: () => TaskWorld): void {
  it('TASK-3: a failure that may pass is tried again after a pause, and the attempts show', async () => {
    const caller = await world().caller('fails-once');
    const fields = { key: randomUUID(), fail: { code: 'unavailable', times: 1 }, echo: 'then' };
    const id = await caller.accept(fields);
    const waiting = await caller.once(
      id,
      ({ status, attempts }) => status === 'queued' && attempts === 1,
    );
    expect(waiting).toMatchObject({
      error: { code: 'unavailable' },
      next_attempt_at: expect.any(String),
    });
    expect(await caller.ended(id)).toMatchObject({
      status: 'succeeded',
      attempts: 2,
      error: null,
      next_attempt_at: null,
      result: { echo: 'then' },
    });
  });

  it('TASK-3: what fails for good, or too often, is failed with its last error', async () => {
    const caller = await world().caller('fails-for-good');
    const forbidden = await caller.accept({ fail: { code: 'forbidden' } });
    const unavailable = await caller.accept({ fail: { code: 'upstream_failed' } });
    expect(await caller.ended(forbidden)).toMatchObject({
      status: 'failed',
      attempts: 1,
      error: { code: 'forbidden' },
      result: null,
    });
    expect(await caller.ended(unavailable)).toMatchObject({
      status: 'failed',
      attempts: 3,
      error: { code: 'upstream_failed' },
    });
  });

  it('ENGINE-5, TASK-6: an attempt beyond its time is timed_out', async () => {
    const caller = await world().caller('fails-late');
    const [asleep, hung] = await Promise.all([
      caller.accept({ sleepMs: 60_000, timeoutSeconds: 1 }),
      caller.accept({ hang: true, timeoutSeconds: 1 }),
    ]);
    for (const id of [asleep, hung]) {
      const task = await caller.ended(id);
      expect(task).toMatchObject({
        status: 'timed_out',
        attempts: 1,
        timeout_seconds: 1,
        error: { code: 'upstream_timeout' },
      });
      const tookMs = Date.parse(task.finished_at ?? '') - Date.parse(task.started_at ?? '');
      expect(tookMs).toBeLessThan(2_500);
    }
  });

  it.each(['exit', 'abort', 'sigkill', 'throw-later'])(
    'ENGINE-3: an engine process that ends by %s costs one attempt, and the task goes on',
    async (crash) => {
      const caller = await world().caller(`fails-${crash}`);
      const id = await caller.accept({ key: randomUUID(), crash, times: 1, echo: 'survived' });
      const task = await caller.ended(id);
      expect(task).toMatchObject({
        status: 'succeeded',
        attempts: 2,
        result: { echo: 'survived' },
      });
    },
  );

  it('ENGINE-7, LOG-3: what an engine throws shows neither to the caller nor in the log', async () => {
    const caller = await world().caller('fails-secretly');
    const id = await caller.accept({ fail: { code: 'none' } });
    const task = await caller.ended(id);
    expect(task).toMatchObject({ status: 'failed', error: { code: 'processing_failed' } });
    expect(JSON.stringify(task)).not.toContain('secret');
    expect(world().host.logs()).not.toContain('secret-of-a-prompt');
  });
}
