/** Several wake-up calls on a Durable Object's one alarm. */

import type { Alarm } from '@headwater/shared/stream/ports';

/** Hands out alarms that share the object's. */
export interface SharedAlarm {
  /** An alarm of its own; `onDue` runs when it rings. */
  named(onDue: () => Promise<void>): Alarm;
  /** The object's alarm rang: runs everything that is due, then arms the next. */
  ring(): Promise<void>;
  /** Learns what the object's life before this one has set; without it the first time is set anew. */
  recall(): Promise<void>;
}

/**
 * What is due runs at once, in this life of the object. Its alarm only guards against the end of
 * that life, and rings so much later, in ms.
 */
const GUARD_MS = 10_000;

/**
 * An alarm that rings at most so much too early is left as it is, in ms: it is set again when it
 * rings, and mostly something has come between. Each change is a write to two databases.
 */
const EARLY_MS = 60_000;

interface Owner {
  atMs: number | undefined;
  readonly onDue: () => Promise<void>;
}

/**
 * Shares `storage`'s alarm. The times live in memory: after a restart every owner sets its own
 * again from its kept state. `later` calls back soon, in another turn: what is due waits until what
 * made it so is done.
 */
export function createSharedAlarm(
  storage: DurableObjectStorage,
  nowMs: () => number,
  later: (run: () => void) => void,
): SharedAlarm {
  const owners: Owner[] = [];
  let armedAtMs: number | undefined;
  /** The first alarm of an object is early: a stream is mostly read, and told, before its time. */
  let isFirst = true;
  let isAwaited = false;

  const nextAtMs = (): number | undefined => {
    let next: number | undefined;
    for (const { atMs } of owners) {
      if (atMs !== undefined && (next === undefined || atMs < next)) next = atMs;
    }
    return next;
  };

  function set(atMs: number): void {
    isFirst = false;
    armedAtMs = atMs;
    // The runtime keeps storage calls in order and breaks the object when one fails, so that
    // nothing is sent that is not kept.
    void storage.setAlarm(atMs);
  }

  function arm(): void {
    const next = nextAtMs();
    if (next === undefined) {
      if (armedAtMs !== undefined) void storage.deleteAlarm();
      armedAtMs = undefined;
      return;
    }
    const now = nowMs();
    const isDue = next <= now;
    const latestMs = isDue ? now + GUARD_MS : next;
    const isGuarded =
      armedAtMs !== undefined &&
      armedAtMs > now &&
      armedAtMs <= latestMs &&
      armedAtMs >= latestMs - EARLY_MS;
    if (!isGuarded) set(isFirst ? Math.min(latestMs, now + GUARD_MS) : latestMs);
    if (isDue && !isAwaited) {
      isAwaited = true;
      later(() => void runSoon());
    }
  }

  async function runSoon(): Promise<void> {
    isAwaited = false;
    try {
      await runDue();
    } catch {
      // Whoever failed is called again, and the alarm is set for it.
    }
    arm();
  }

  async function run(owner: Owner): Promise<void> {
    owner.atMs = undefined;
    try {
      await owner.onDue();
    } catch (thrown) {
      owner.atMs ??= nowMs() + GUARD_MS;
      throw thrown;
    }
  }

  async function runDue(): Promise<void> {
    const now = nowMs();
    await Promise.all(owners.filter(({ atMs }) => atMs !== undefined && atMs <= now).map(run));
  }

  return {
    named(onDue) {
      const owner: Owner = { atMs: undefined, onDue };
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
      try {
        await runDue();
      } finally {
        arm();
      }
    },
    async recall() {
      armedAtMs = (await storage.getAlarm()) ?? undefined;
      isFirst = false;
    },
  };
}
