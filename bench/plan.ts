/** How much a run measures. */

/** One load: how many streams of how many tokens, and how fast the vendor sends them. */
export interface LoadPlan {
  readonly streams: number;
  /** Streams open at the same time. */
  readonly concurrency: number;
  /** Of each stream. */
  readonly tokens: number;
  /** The vendor's pause between two tokens, in ms. */
  readonly delayMs: number;
  /** The vendor's pause before its first byte, in ms. */
  readonly firstDelayMs: number;
}

/** A whole run. */
export interface BenchPlan {
  readonly rounds: number;
  /** Sent to each server once before it is measured, so that its code is compiled. */
  readonly warmUp: LoadPlan;
  /** The vendor sends everything at once: what a byte costs. */
  readonly full: LoadPlan;
  /** The vendor sends token by token: what a wake-up costs. */
  readonly paced: LoadPlan;
  /** Short streams, few at a time, each beside one straight to the vendor: what a user waits longer. */
  readonly firstToken: LoadPlan;
}

const DEFAULT_PLAN: BenchPlan = {
  rounds: 3,
  warmUp: { streams: 100, concurrency: 50, tokens: 200, delayMs: 0, firstDelayMs: 0 },
  full: { streams: 400, concurrency: 50, tokens: 200, delayMs: 0, firstDelayMs: 0 },
  paced: { streams: 200, concurrency: 200, tokens: 200, delayMs: 20, firstDelayMs: 0 },
  firstToken: { streams: 100, concurrency: 2, tokens: 5, delayMs: 0, firstDelayMs: 10 },
};

const QUICK_PLAN: BenchPlan = {
  rounds: 2,
  warmUp: { streams: 50, concurrency: 50, tokens: 200, delayMs: 0, firstDelayMs: 0 },
  full: { streams: 100, concurrency: 50, tokens: 200, delayMs: 0, firstDelayMs: 0 },
  paced: { streams: 50, concurrency: 50, tokens: 50, delayMs: 20, firstDelayMs: 0 },
  firstToken: { streams: 30, concurrency: 2, tokens: 5, delayMs: 0, firstDelayMs: 10 },
};

/** The plan of a default run (a few minutes) or of a quick one (less than a minute). */
export function planOf(quick: boolean): BenchPlan {
  return quick ? QUICK_PLAN : DEFAULT_PLAN;
}
