/** What the programs of this folder are asked, and what they answer: plain data over IPC. */

/** Adds jobs to BullMQ. Answered by {@link Timed}. */
export interface AddJob {
  readonly type: 'add';
  readonly jobs: number;
  /** Jobs of one call: `add` for 1, else `addBulk`. */
  readonly atOnce: number;
  /** Calls open at the same time. */
  readonly concurrency: number;
}

/** Sends one request again and again. Answered by {@link Timed}. */
export interface PostJob {
  readonly type: 'post';
  readonly url: string;
  /** The callers, who take turns; none where nobody asks who it is. */
  readonly tokens: readonly string[];
  readonly body: string;
  readonly requests: number;
  readonly concurrency: number;
  /** What every answer must say. */
  readonly status: number;
}

/** Asks for one address at a steady rate. Answered by {@link Paced}. */
export interface PaceJob {
  readonly type: 'pace';
  readonly url: string;
  readonly token: string;
  readonly perSecond: number;
  readonly forMs: number;
}

/** Queues a task for each owner, in this order, and then works them all off. Answered by {@link Drained}. */
export interface DrainJob {
  readonly type: 'drain';
  readonly owners: readonly string[];
  /** Tasks at once. */
  readonly concurrency: number;
  /** Whether each runs in a child process, of which there are as many. */
  readonly inChildren: boolean;
}

/** How long it took. */
export interface Timed {
  readonly wallMs: number;
  readonly failures: readonly string[];
}

/** How long each took. */
export interface Paced {
  readonly answerMs: readonly number[];
  readonly failures: readonly string[];
}

/** What came of a drain. */
export interface Drained extends Timed {
  /** CPU of the process and its children, in ms. */
  readonly cpuMs: number;
  /** Tasks of each owner that were finished when the first of them had none left that waited. */
  readonly shares: readonly number[];
}

/** Answers each message of the parent by one of its own, and ends with the parent. */
export function serve<Job>(answer: (job: Job) => Promise<object>): void {
  for (const event of ['disconnect', 'SIGTERM'] as const) process.on(event, () => process.exit());
  process.on('message', async (job) => {
    process.send?.(await answer(job as Job));
  });
}

/** A setting that whoever started the program has made. */
export function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}
