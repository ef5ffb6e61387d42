/** Joins what a model says within a short time, for logs where every append costs. */

import type { ModelEvent } from '../providers/contract.ts';

/** Collects events and hands them on, in order. */
export interface Gatherer {
  /** Hands on at once after a pause; otherwise when `everyMs` have gone by since the last time. */
  add(events: readonly ModelEvent[]): void;
  /** Hands on what has been collected; before an end, and before anything else is decided. */
  flush(): void;
  /** Forgets what has been collected; nothing is handed on any more. */
  drop(): void;
}

/**
 * Makes a gatherer. `give` is called at most once in `everyMs`, but for flushes, so the first token
 * waits for nothing and none waits longer than that. `everyMs` 0 hands everything on at once.
 */
export function createGatherer(
  everyMs: number,
  nowMs: () => number,
  give: (events: readonly ModelEvent[]) => void,
): Gatherer {
  let collected: ModelEvent[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lastMs = Number.NEGATIVE_INFINITY;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (collected.length === 0) return;
    const events = collected;
    collected = [];
    lastMs = nowMs();
    give(events);
  }

  return {
    add(events) {
      if (everyMs === 0) return give(events);
      for (const event of events) collected.push(event);
      if (timer !== undefined) return;
      // A clock that steps back must not hold the text back.
      const waitMs = Math.min(everyMs, lastMs + everyMs - nowMs());
      if (waitMs <= 0) flush();
      else timer = setTimeout(flush, waitMs);
    },
    flush,
    drop() {
      collected = [];
      clearTimeout(timer);
    },
  };
}
