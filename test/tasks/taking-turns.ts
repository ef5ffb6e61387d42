/** Whose task is next. */

import type { TaskView } from '@headwater/shared/tasks/task-view';
import { expect, it } from 'vitest';
import { handsOf, keepBusy } from './hands.ts';
import { queueStatus, quietQueue } from './quiet-queue.ts';
import type { TaskCaller } from './task-caller.ts';
import type { TaskWorld } from './task-world.ts';

/** Long enough that two tasks that follow each other begin at different times. */
const TURN = { sleepMs: 60 };

/** Names in the order in which their tasks began; all of them by one pair of hands. */
async function orderOf(
  world: TaskWorld,
  submit: () => Promise<readonly (readonly [name: string, caller: TaskCaller, id: string])[]>,
): Promise<string[]> {
  const others = await keepBusy(world, handsOf(world) - 1);
  const last = await keepBusy(world, 1);
  const submitted = await submit();
  await last.end();
  const tasks: [string, TaskView][] = [];
  for (const [name, caller, id] of submitted) tasks.push([name, await caller.ended(id)]);
  await others.end();
  return tasks
    .toSorted(([, a], [, b]) => Date.parse(a.started_at ?? '') - Date.parse(b.started_at ?? ''))
    .map(([name]) => name);
}

/** Adds the tests. */
export function describeTurns(world: () => TaskWorld): void {
  it('QUEUE-5: of a caller’s waiting tasks the highest priority is first, then the oldest', async () => {
    const caller = await world().caller('hurries');
    const order = await orderOf(world(), async () => {
      const submitted: [string, TaskCaller, string][] = [];
      for (const [name, priority] of [
        ['low', 1],
        ['old', 5],
        ['new', 5],
        ['high', 10],
      ] as const) {
        submitted.push([name, caller, await caller.accept({ ...TURN, priority })]);
      }
      return submitted;
    });
    expect(order).toEqual(['high', 'old', 'new', 'low']);
  });

  it('QUEUE-4: callers take turns, however much one of them sends', async () => {
    const many = await world().caller('crowds');
    const few = await world().caller('comes-alone');
    const order = await orderOf(world(), async () => {
      const submitted: [string, TaskCaller, string][] = [];
      for (let n = 0; n < 6; n += 1) {
        submitted.push(['many', many, await many.accept({ ...TURN, priority: 10 })]);
      }
      submitted.push(['few', few, await few.accept({ ...TURN, priority: 1 })]);
      return submitted;
    });
    // One who comes to a line that stands waits for one turn of everybody else at most.
    expect(order.indexOf('few')).toBeLessThanOrEqual(1);
  });

  it('INPUT-1: a priority outside 1–10 is refused, and nothing is queued', async () => {
    const caller = await world().caller('hurries-too-much');
    const before = await quietQueue(caller);
    for (const priority of [0, 11, -1, 1.5, '5', null]) {
      const refused = await caller.submit({ priority });
      expect([refused.status, refused.body]).toMatchObject([
        400,
        { error: { code: 'validation_failed' } },
      ]);
      expect(JSON.stringify(refused.body)).toContain('priority');
    }
    expect(await queueStatus(caller)).toEqual(before);
  });
}
