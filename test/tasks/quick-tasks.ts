/** Many small tasks, of which none may be lost. */

import { expect } from 'vitest';
import type { CallbackReceiver } from '../hosts/callback-receiver.ts';
import { expectOneCallback } from './one-callback.ts';
import type { TaskCaller } from './task-caller.ts';

/** Submits tasks that each take a moment; with a receiver they tell their end. */
export async function submitMany(
  caller: TaskCaller,
  name: string,
  count: number,
  receiver?: CallbackReceiver,
): Promise<readonly string[]> {
  return await Promise.all(
    Array.from({ length: count }, (_, n) => {
      const told = receiver === undefined ? {} : { callbackUrl: receiver.urlFor(`${name}-${n}`) };
      return caller.accept({ sleepMs: 150, echo: n, ...told });
    }),
  );
}

/** Each has succeeded with its own result, and with a receiver has said so once in effect. */
export async function expectAllDone(
  caller: TaskCaller,
  name: string,
  ids: readonly string[],
  receiver?: CallbackReceiver,
): Promise<void> {
  for (const [n, id] of ids.entries()) {
    const task = await caller.ended(id, 40_000);
    expect(task).toMatchObject({ status: 'succeeded', result: { echo: n } });
    if (receiver === undefined) continue;
    await expectOneCallback(receiver, `${name}-${n}`, { task_id: id, status: 'succeeded' });
  }
}
