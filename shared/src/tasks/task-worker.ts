/** Runs the tasks of one node: claims, starts, tells, keeps what came of them, and stops in order. */

import type { Alarm, Clock, Logger, MaybePromise } from '../stream/ports.ts';
import { changeTask } from './change-task.ts';
import { createOutage, createStoreOutage } from './outage.ts';
import type {
  AttemptNews,
  AttemptOutcome,
  EnginePool,
  TaskQueue,
  TaskStore,
  WorkOutcome,
} from './ports.ts';
import { createRunningAttempt, type RunningAttempt } from './running-attempt.ts';
import { createRunningClaims } from './running-claims.ts';
import { createRunningCommits } from './running-commits.ts';
import { createRunningLook } from './running-look.ts';
import { createRunningNews } from './running-news.ts';
import { isOver, type TaskRecord } from './task.ts';
import { stepTask } from './task-machine.ts';
import { within } from './within.ts';

/** A node says this often that it lives, in ms. */
export const BEAT_MS = 1_000;

/** A node that has not said so for this long counts as dead, in ms. */
export const NODE_LIFE_MS = 5_000;

/**
 * An attempt that has not ended is told to have begun after this time, in ms: one that is over
 * before costs one commit, not two.
 */
const START_WAIT_MS = 5;

/** One claim is for half of the hands, or so many, that the store and the node work side by side. */
const LEAST_CLAIM = 4;

/** Pause before a store that refused is asked again, in ms. */
const STORE_PAUSE_MS = 250;

/**
 * Time for the last words of a worker that stops, in ms: engines stop within 500 ms, and what they
 * worked on has to be given back.
 */
const LAST_WORDS_MS = 2_000;

/** What a worker is wired to. */
export interface TaskWorkerPorts {
  readonly store: TaskStore;
  readonly queue: TaskQueue;
  readonly pool: EnginePool;
  /** Id of this node: never one that another process has, or had. */
  readonly node: string;
  /** Types that it runs. */
  readonly types: readonly string[];
  /** Most tasks at once. */
  readonly concurrency: number;
  readonly clock: Clock;
  /** Makes an alarm that calls `onDue`. */
  alarm(onDue: () => void): Alarm;
  /** In [0, 1); spreads retries. */
  random(): number;
  readonly logger: Logger;
  /** How long the word that an attempt has begun may wait for its end, in ms. Default 5. */
  readonly startWaitMs?: number;
  /** A task that this worker ran is over: files are to go, the callback is to be settled. */
  over(record: TaskRecord): MaybePromise<void>;
}

/** A worker. */
export interface TaskWorker {
  /**
   * Begins to take tasks as soon as the store hears of the node; resolves after the first try, and
   * does not reject.
   */
  start(): Promise<void>;
  /**
   * Takes no more, gives what runs `graceMs` to end, and gives back the rest: those attempts do not
   * count. Resolves at the latest some seconds after the grace, also where the store is away.
   */
  stop(graceMs: number): Promise<void>;
  /** Attempts under way. */
  readonly running: number;
}

/** Makes a worker that does nothing yet. */
export function createTaskWorker(ports: TaskWorkerPorts): TaskWorker {
  const { store, queue, pool, node, clock, logger, startWaitMs = START_WAIT_MS } = ports;
  /** By task. */
  const running = new Map<string, RunningAttempt>();
  const outage = createStoreOutage(logger, 'task worker');
  const unsettled = createOutage(
    logger,
    'task worker: tasks that are over cannot be settled; the keeper tries again',
    'task worker: tasks that are over can be settled again',
  );
  const claims = createRunningClaims({
    store,
    node,
    clock,
    outage,
    maxAtOnce: Math.max(LEAST_CLAIM, Math.ceil(ports.concurrency / 2)),
  });
  const commits = createRunningCommits({
    store,
    node,
    outage,
    random: ports.random,
    retryLater: () => retryAlarm.set(clock.nowMs() + STORE_PAUSE_MS),
  });
  const retryAlarm = ports.alarm(() => commits.retry());
  const beatAlarm = ports.alarm(() => void beat());
  const news = createRunningNews({
    clock,
    alarm: ports.alarm,
    attempts: () => running.values(),
    commit: commits.add,
  });
  const look = createRunningLook({ store, node, clock, running, claims, giveBack });
  let unlisten: (() => void) | undefined;
  const afterwards = new Set<Promise<void>>();
  let isWorking = false;
  let isStopping = false;
  let isGivingBack = false;
  let isEnded = false;
  /** Attempts without a hand, whose end is on its way to the store. */
  let unkept = 0;

  async function run(type: string, free: () => void): Promise<WorkOutcome | undefined> {
    const claimed = await claims.claim(type);
    if (claimed === undefined) return undefined;
    let checkpoint: string | undefined;
    try {
      if (claimed.state.hasCheckpoint) checkpoint = await store.checkpointOf(claimed.spec.id);
    } catch (err) {
      // Begun anew it would do again what was done. A look finds it, and gives it back.
      outage.failed(err);
      return undefined;
    }
    if (isGivingBack) {
      await giveBack(claimed);
      return undefined;
    }
    return await runAttempt(claimed, checkpoint, free);
  }

  async function runAttempt(
    claimed: TaskRecord,
    checkpoint: string | undefined,
    free: () => void,
  ): Promise<WorkOutcome | undefined> {
    const { spec } = claimed;
    const nowMs = clock.nowMs();
    const started = stepTask(claimed, { type: 'start', node }, nowMs, 0);
    if (started === undefined) return undefined;
    // The store gave it out anew, so that whatever ran here under this id has lost it.
    running.get(spec.id)?.lose();
    const attempt = createRunningAttempt(claimed, node, nowMs, startWaitMs);
    running.set(spec.id, attempt);
    news.heard(attempt);
    const outcome = await runEngine({ spec, state: started.state }, attempt, checkpoint);
    attempt.decide(outcome, clock.nowMs());
    commits.add(attempt);
    const record = await keep(attempt, free);
    if (running.get(spec.id) === attempt) running.delete(spec.id);
    if (record === undefined) return await seeLost(spec.id);
    if (isOver(record.state.status)) settle(record);
    else await offerAgain(record);
    return outcomeOf(record);
  }

  /**
   * Waits until the end of an attempt is kept, or lost. Its hand goes on meanwhile, as long as no more
   * ends than there are hands wait for the store.
   */
  async function keep(attempt: RunningAttempt, free: () => void): Promise<TaskRecord | undefined> {
    if (unkept >= ports.concurrency) return await attempt.end;
    unkept += 1;
    free();
    try {
      return await attempt.end;
    } finally {
      unkept -= 1;
    }
  }

  async function runEngine(
    task: TaskRecord,
    attempt: RunningAttempt,
    checkpoint: string | undefined,
  ): Promise<AttemptOutcome> {
    const hear = (told: AttemptNews): void => {
      attempt.hear(told);
      news.heard(attempt);
    };
    try {
      return await pool.run(task, attempt.signal, hear, checkpoint);
    } catch (err) {
      // A pool answers and does not throw; if it does, the task must not hang.
      logger.error({ taskId: attempt.id, err }, 'the engine pool failed');
      return { type: 'crashed', reason: 'The engine could not be run.' };
    }
  }

  function outcomeOf({ spec, state }: TaskRecord): WorkOutcome {
    const { status, error } = state;
    return { taskId: spec.id, status, ...(error === undefined ? {} : { error }) };
  }

  /** What became of a task that someone else took, for whoever watches the queue. */
  async function seeLost(id: string): Promise<WorkOutcome | undefined> {
    try {
      const record = await store.get(id);
      return record === undefined ? undefined : outcomeOf(record);
    } catch (err) {
      outage.failed(err);
      return undefined;
    }
  }

  function settle(record: TaskRecord): void {
    const settling = Promise.resolve()
      .then(() => ports.over(record))
      // The keeper finds a callback that is owed, and files that are left when it forgets the task.
      .then(unsettled.worked, unsettled.failed)
      .finally(() => afterwards.delete(settling));
    afterwards.add(settling);
  }

  async function offerAgain({ spec, state }: TaskRecord): Promise<void> {
    try {
      const isLater = state.dueAtMs > clock.nowMs();
      await queue.offer(spec.type, 1, isLater ? state.dueAtMs : undefined);
    } catch (err) {
      // The keeper sees what waits, and offers it.
      logger.warn({ taskId: spec.id, err }, 'a task could not be offered again');
    }
  }

  async function giveBack(task: TaskRecord | string): Promise<void> {
    const isOurs = ({ state }: TaskRecord) => state.status === 'queued' || state.node === node;
    try {
      const options = { nowMs: clock.nowMs(), random: ports.random(), by: node };
      const record = await changeTask(
        store,
        task,
        (newest) => (isOurs(newest) ? { type: 'give-back' } : undefined),
        options,
      );
      if (record?.state.status === 'queued') await offerAgain(record);
    } catch (err) {
      outage.failed(err);
    }
  }

  /** A word that someone took a task is a hint: which one this node has lost, the store knows. */
  function hearTaken(): void {
    look().catch((err: unknown) => outage.failed(err));
  }

  async function beat(): Promise<void> {
    const beganMs = clock.nowMs();
    try {
      await store.beat(node, beganMs + NODE_LIFE_MS, ports.types);
      if (isEnded) return;
      if (!isWorking && !isStopping) work();
      await look();
      outage.worked();
    } catch (err) {
      outage.failed(err);
    }
    if (!isEnded) beatAlarm.set(beganMs + BEAT_MS);
  }

  function work(): void {
    isWorking = true;
    unlisten = store.listen(node, hearTaken);
    queue.work({ types: ports.types, concurrency: ports.concurrency, run });
  }

  async function stopWork(): Promise<void> {
    if (!isWorking) return;
    try {
      await queue.stop();
    } catch (err) {
      logger.warn({ err }, 'the queue could not be stopped in order');
    }
  }

  /** Does not wait for the store longer than a stop may. */
  async function leave(): Promise<void> {
    try {
      await store.leave(node);
    } catch (err) {
      // Its beat runs out, and then the others find what it had.
      outage.failed(err);
    }
  }

  async function stop(graceMs: number): Promise<void> {
    isStopping = true;
    const stopped = stopWork();
    await within(stopped, graceMs, ports);
    isGivingBack = true;
    for (const attempt of running.values()) attempt.stop();
    await within(stopped, LAST_WORDS_MS, ports);
    await within(Promise.all(afterwards), LAST_WORDS_MS, ports);
    isEnded = true;
    beatAlarm.set(undefined);
    unlisten?.();
    await within(leave(), LAST_WORDS_MS, ports);
    retryAlarm.set(undefined);
    news.stop();
  }

  return {
    start: beat,
    stop,
    get running() {
      return running.size;
    },
  };
}
