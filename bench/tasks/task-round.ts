/** What is measured of the task queue. */

/** Who is measured. */
export type TaskServer = 'cluster' | 'cluster, idle' | 'BullMQ' | 'Fastify + BullMQ';

/** A figure, its unit and beside whom it is shown. */
interface TaskFigure {
  readonly name: string;
  readonly unit: string;
  readonly beside: readonly TaskServer[];
}

/** The figures by the names that rounds give them. */
export const TASK_FIGURES = {
  accepted: { name: 'tasks accepted', unit: '/s', beside: ['BullMQ', 'Fastify + BullMQ'] },
  batched: { name: 'tasks accepted, in batches', unit: '/s', beside: ['BullMQ'] },
  drained: { name: 'no-op tasks finished', unit: '/s', beside: ['BullMQ'] },
  drainedInChildren: {
    name: 'no-op tasks finished, in children',
    unit: '/s',
    beside: ['BullMQ'],
  },
  childKilled: { name: 'child killed, task goes on after', unit: 's', beside: [] },
  nodeKilled: { name: 'node killed, task goes on after', unit: 's', beside: ['BullMQ'] },
  canceledMedian: { name: 'canceled work stopped after, median', unit: 'ms', beside: [] },
  canceledP99: { name: 'canceled work stopped after, p99', unit: 'ms', beside: [] },
  fairness: { name: 'fairness, Jain index', unit: '', beside: ['BullMQ'] },
  loopDelay: { name: 'event loop delay, p99', unit: 'ms', beside: ['cluster, idle'] },
  answerTime: { name: 'answer time, p99', unit: 'ms', beside: ['cluster, idle'] },
} as const satisfies Readonly<Record<string, TaskFigure>>;

/** One value of one figure. */
export interface TaskRound {
  readonly figure: keyof typeof TASK_FIGURES;
  readonly server: TaskServer;
  /** From 1. */
  readonly round: number;
  readonly value: number;
  /** CPU of the server's processes, and of Redis, for each task, in µs; where it was read. */
  readonly cpuUsPerTask?: number;
  readonly redisUsPerTask?: number;
}
