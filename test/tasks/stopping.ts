/** `DELETE` of tasks, whatever their state. */

import { expect, it } from 'vitest';
import { handsOf, keepBusy } from './hands.ts';
import type { TaskWorld } from './task-world.ts';

/** Adds the tests. */
export function describeStopping(world: () => TaskWorld): void {
  it('TASK-40: a queued task ends at once and is never begun', async () => {
    const caller = await world().caller('stops-queued');
    const busy = await keepBusy(world(), handsOf(world()));
    const id = await caller.accept({ echo: 'never' });
    const { status, body } = await caller.cancel(id);
    expect(status).toBe(200);
    expect(body).toMatchObject({ task_id: id, status: 'canceled', attempts: 0, result: null });
    await busy.end();
    expect(await caller.view(id)).toMatchObject({ status: 'canceled', attempts: 0 });
  });

  it('TASK-40: a running task ends at once, and its hands are free again', async () => {
    const caller = await world().caller('stops-running');
    const ids = await Promise.all(
      Array.from({ length: handsOf(world()) }, () => caller.accept({ sleepMs: 60_000 })),
    );
    for (const id of ids) await caller.once(id, ({ status }) => status === 'running');
    const answers = await Promise.all(ids.map((id) => caller.cancel(id)));
    for (const { body } of answers) expect(body).toMatchObject({ status: 'canceled', attempts: 1 });
    const { status, body } = await caller.submit({ echo: 'next' }, { prefer: 'wait=10' });
    expect([status, body.status]).toEqual([200, 'succeeded']);
  });

  it('TASK-40: a finished task stays as it is, and asking again changes nothing', async () => {
    const caller = await world().caller('stops-finished');
    const { body: done } = await caller.submit({ echo: 'done' }, { prefer: 'wait=20' });
    expect(done.status).toBe('succeeded');
    for (const _ of [1, 2]) {
      const { status, body } = await caller.cancel(done.task_id);
      expect(status).toBe(200);
      expect(body).toEqual(done);
    }
  });
}
