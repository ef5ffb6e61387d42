/** How late the event loop is: what a caller of this process waits for at worst. */

import { monitorEventLoopDelay } from 'node:perf_hooks';

/** The loop is looked at this often, in ms. */
const RESOLUTION_MS = 10;

/** A window of numbers, in ms. */
const WINDOW_MS = 60_000;

/** Samples from which a window that is not over says something. */
const ENOUGH = 500;

/** Delays of the last minute or so, in ms. */
export interface LoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** A watch on the loop. */
export interface LoopWatch {
  read(): LoopDelay;
  close(): void;
}

/** Begins to watch. */
export function watchLoopDelay(): LoopWatch {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let before: LoopDelay | undefined;
  const turn = setInterval(() => {
    before = delayOf(histogram);
    histogram.reset();
  }, WINDOW_MS);
  turn.unref();
  return {
    read: () => (before !== undefined && histogram.count < ENOUGH ? before : delayOf(histogram)),
    close() {
      clearInterval(turn);
      histogram.disable();
    },
  };
}

function delayOf(histogram: ReturnType<typeof monitorEventLoopDelay>): LoopDelay {
  // Before the first sample the histogram has no number.
  if (histogram.count === 0) return { p50Ms: 0, p99Ms: 0, maxMs: 0 };
  return {
    p50Ms: lateness(histogram.percentile(50)),
    p99Ms: lateness(histogram.percentile(99)),
    maxMs: lateness(histogram.max),
  };
}

/** A sample is the whole time between two looks; what is beyond the resolution is the delay. */
function lateness(nanoseconds: number): number {
  return Math.round(Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS) * 100) / 100;
}
