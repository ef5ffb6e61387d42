/** How much of the task queue a run measures. */

/** Sizes of the parts. */
export interface TaskPlan {
  readonly rounds: number;
  /** Requests open at the same time, and hands of the workers that have no processes. */
  readonly concurrency: number;
  readonly accept: {
    readonly tasks: number;
    /** Tasks that are sent in batches. */
    readonly batched: number;
    readonly batchSize: number;
    /** Batches open at the same time. */
    readonly batchConcurrency: number;
  };
  readonly drain: {
    readonly tasks: number;
    /** Tasks that go through child processes. */
    readonly inChildren: number;
    /** Child processes, of both sides. */
    readonly children: number;
  };
  readonly recovery: {
    readonly children: number;
    readonly nodes: number;
    /** Whether BullMQ's own recovery is waited for: it takes about a minute. */
    readonly bullmq: boolean;
  };
  readonly cancels: number;
  readonly fairness: {
    /** Tasks of the one who sends many. */
    readonly many: number;
    /** Tasks of each other one. */
    readonly few: number;
    readonly others: number;
  };
  readonly loop: {
    /** Of each window, in ms. */
    readonly windowMs: number;
    readonly requestsPerSecond: number;
    readonly workers: number;
  };
}

export const DEFAULT_TASK_PLAN: TaskPlan = {
  rounds: 5,
  concurrency: 32,
  accept: { tasks: 2_500, batched: 5_000, batchSize: 100, batchConcurrency: 4 },
  drain: { tasks: 3_000, inChildren: 800, children: 4 },
  recovery: { children: 10, nodes: 3, bullmq: true },
  cancels: 100,
  fairness: { many: 5_000, few: 50, others: 9 },
  loop: { windowMs: 10_000, requestsPerSecond: 50, workers: 2 },
};

export const QUICK_TASK_PLAN: TaskPlan = {
  ...DEFAULT_TASK_PLAN,
  rounds: 1,
  accept: { tasks: 1_000, batched: 2_000, batchSize: 100, batchConcurrency: 4 },
  drain: { tasks: 1_500, inChildren: 300, children: 2 },
  recovery: { children: 2, nodes: 1, bullmq: false },
  cancels: 8,
  fairness: { many: 1_000, few: 10, others: 9 },
  loop: { windowMs: 3_000, requestsPerSecond: 50, workers: 2 },
};
