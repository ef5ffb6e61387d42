/** Several wake-up calls on a Durable Object's one alarm. */

import type { Alarm } from '@headwater/shared/stream/ports';

/** Hands out alarms that share the object's. */
export interface SharedAlarm {
  /** An alarm of its own; `onDue` runs when it rings. */
  named(onDue: () => Promise<void>): Alarm;
  /** The object's alarm rang: runs everything that is due, then arms the next. */
  ring(): Promise<void>;
}

/**
 * Shares `storage`'s alarm. The times live in memory: after a restart every owner sets its own
 * again from its kept state.
 */
export function createSharedAlarm(storage: DurableObjectStorage, nowMs: () => number): SharedAlarm {
  const owners: { atMs: number | undefined; readonly onDue: () => Promise<void> }[] = [];
  let armedAtMs: number | undefined;

  function arm(): void {
    const times = owners.flatMap((owner) => (owner.atMs === undefined ? [] : [owner.atMs]));
    const next = times.length === 0 ? undefined : Math.min(...times);
    if (next === armedAtMs) return;
    armedAtMs = next;
    // The runtime keeps storage calls in order and breaks the object when one fails, so that
    // nothing is sent that is not kept.
    if (next === undefined) void storage.deleteAlarm();
    else void storage.setAlarm(next);
  }

  return {
    named(onDue) {
      const owner: (typeof owners)[number] = { atMs: undefined, onDue };
      owners.push(owner);
      return {
        set(atMs) {
          owner.atMs = atMs;
          arm();
        },
      };
    },
    async ring() {
      armedAtMs = undefined;
      const now = nowMs();
      const due = owners.filter((owner) => owner.atMs !== undefined && owner.atMs <= now);
      for (const owner of due) owner.atMs = undefined;
      await Promise.all(due.map((owner) => owner.onDue()));
      arm();
    },
  };
}
