/** Keeps the engines of a host busy, so that what comes meanwhile waits. */

import { randomUUID } from 'node:crypto';
import { WORKERS } from './task-node.ts';
import type { TaskWorld } from './task-world.ts';

/** Tasks that are being done until they are stopped. */
export interface BusyHands {
  /** Stops so many of them. Default: all that are left. */
  end(count?: number): Promise<void>;
}

/** Tasks that a host does at once. */
export const handsOf = ({ host }: TaskWorld): number => host.nodes.length * WORKERS;

/** Keeps `count` hands busy; resolves once they are. */
export async function keepBusy(world: TaskWorld, count: number): Promise<BusyHands> {
  const caller = await world.caller(`busy-${randomUUID()}`);
  const ids: string[] = [];
  for (let hand = 0; hand < count; hand += 1) ids.push(await caller.accept({ sleepMs: 120_000 }));
  for (const id of ids) await caller.once(id, ({ status }) => status === 'running');
  return {
    async end(ended = ids.length) {
      await Promise.all(ids.splice(0, ended).map((id) => caller.cancel(id)));
    },
  };
}
