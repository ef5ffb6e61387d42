/** How much a run measures. */

import type { RetrievalPlan } from './retrieval/measure-retrieval.ts';
import { DEFAULT_TASK_PLAN, QUICK_TASK_PLAN, type TaskPlan } from './tasks/task-plan.ts';

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

/** One stream with many readers. */
export interface FanOutPlan {
  readonly readers: number;
  /** Events with text. */
  readonly events: number;
  /** Pause between two events, in ms. */
  readonly delayMs: number;
  /** Silence before the first event, in ms: all readers must be there before it is over. */
  readonly silenceMs: number;
}

/** Many short sessions, each purged soon after its end. */
interface SlopePlan {
  /** How often memory is read; the first two are the warm-up's and do not count. */
  readonly checkpoints: number;
  /** Between two readings. */
  readonly load: LoadPlan;
}

/** A whole run. */
export interface BenchPlan {
  readonly rounds: number;
  /**
   * Sent to each server once before it is measured, so that its code is compiled: of servers on
   * Node the figures fall by half over the first thousand streams, and then no more.
   */
  readonly warmUp: LoadPlan;
  /** The vendor sends everything at once: what a byte costs. */
  readonly full: LoadPlan;
  /** The vendor sends token by token: what a wake-up costs. */
  readonly paced: LoadPlan;
  /** Short streams, few at a time, each beside one straight to the vendor: what a user waits longer. */
  readonly firstToken: LoadPlan;
  /** Whole answers, so many at the same time, each after one straight to the vendor. */
  readonly generate: {
    readonly load: Omit<LoadPlan, 'concurrency'>;
    readonly concurrencies: readonly number[];
  };
  readonly fanOut: FanOutPlan;
  /** Readers of a stream that stays silent. */
  readonly idleReaders: { readonly origin: number; readonly edge: number };
  readonly slope: { readonly origin: SlopePlan; readonly edge: SlopePlan };
  readonly tasks: TaskPlan;
  readonly retrieval: RetrievalPlan;
}

const atOnce = { delayMs: 0, firstDelayMs: 0 };
const short = (streams: number): LoadPlan => ({ streams, concurrency: 50, tokens: 5, ...atOnce });

/** Answers of `/ai/generate` at the same time: a caller alone, and some together. */
export const GENERATE_AT_ONCE = [1, 8] as const;

const DEFAULT_PLAN: BenchPlan = {
  rounds: 3,
  warmUp: { streams: 1500, concurrency: 50, tokens: 200, ...atOnce },
  full: { streams: 400, concurrency: 50, tokens: 200, ...atOnce },
  paced: { streams: 200, concurrency: 200, tokens: 200, delayMs: 20, firstDelayMs: 0 },
  firstToken: { streams: 200, concurrency: 2, tokens: 5, delayMs: 0, firstDelayMs: 10 },
  generate: {
    load: { streams: 200, tokens: 50, delayMs: 0, firstDelayMs: 10 },
    concurrencies: GENERATE_AT_ONCE,
  },
  fanOut: { readers: 1000, events: 100, delayMs: 40, silenceMs: 4000 },
  idleReaders: { origin: 1000, edge: 250 },
  slope: {
    origin: { checkpoints: 6, load: short(2000) },
    edge: { checkpoints: 6, load: short(800) },
  },
  tasks: DEFAULT_TASK_PLAN,
  retrieval: { passages: 100_000, searches: 500 },
};

const QUICK_PLAN: BenchPlan = {
  rounds: 2,
  warmUp: { streams: 50, concurrency: 50, tokens: 200, ...atOnce },
  full: { streams: 100, concurrency: 50, tokens: 200, ...atOnce },
  paced: { streams: 50, concurrency: 50, tokens: 50, delayMs: 20, firstDelayMs: 0 },
  firstToken: { streams: 30, concurrency: 2, tokens: 5, delayMs: 0, firstDelayMs: 10 },
  generate: {
    load: { streams: 40, tokens: 50, delayMs: 0, firstDelayMs: 10 },
    concurrencies: GENERATE_AT_ONCE,
  },
  fanOut: { readers: 300, events: 40, delayMs: 20, silenceMs: 2000 },
  idleReaders: { origin: 300, edge: 100 },
  slope: {
    origin: { checkpoints: 4, load: short(200) },
    edge: { checkpoints: 4, load: short(100) },
  },
  tasks: QUICK_TASK_PLAN,
  // Making the large collection takes minutes.
  retrieval: { passages: 0, searches: 0 },
};

/** The plan of a default run (some minutes) or of a quick one (about one). */
export function planOf(quick: boolean): BenchPlan {
  return quick ? QUICK_PLAN : DEFAULT_PLAN;
}
