/** Sees to it that every task ends: finds what was lost, offers what waits, settles what is owed. */

import type { Alarm, Clock, Logger, MaybePromise } from '../stream/ports.ts';
import { createOutage, createStoreOutage } from './outage.ts';
import type { TaskChange, TaskQueue, TaskStore } from './ports.ts';
import { isOver, type TaskRecord } from './task.ts';
import { stepTask } from './task-machine.ts';
import { NODE_LIFE_MS } from './task-worker.ts';

/** The keeper looks this often, in ms. */
const LOOK_MS = 1_000;

/** What waits, and which callbacks are owed, is asked this often, in ms. */
const MEND_MS = 2_000;

/** What is old enough is forgotten this often, in ms. */
const FORGET_MS = 60_000;

/** Tasks a call. */
const PAGE = 200;

/** A keeper whose own look came later than this was frozen, and the others may have been too, in ms. */
const FROZEN_MS = 2_500;

/** What a keeper is wired to. */
export interface TaskKeeperPorts {
  readonly store: TaskStore;
  readonly queue: TaskQueue;
  readonly clock: Clock;
  /** Makes an alarm that calls `onDue`. */
  alarm(onDue: () => void): Alarm;
  /** In [0, 1). */
  random(): number;
  readonly logger: Logger;
  /** How long a task that is over is kept, in ms. */
  readonly retentionMs: number;
  /** A task is over that had lost its node: files are to go, the callback is to be settled. */
  over(record: TaskRecord): MaybePromise<void>;
  /** The callback of a task that is over is to be settled. */
  settle(record: TaskRecord): MaybePromise<void>;
  /** Tasks were forgotten: their files are to go. */
  forgotten(records: readonly TaskRecord[]): MaybePromise<void>;
}

/** A keeper. Any number of them, on any number of nodes, do no harm to each other. */
export interface TaskKeeper {
  /** Looks for the first time; resolves after it, and does not reject. */
  start(): Promise<void>;
  /** Looks no more; resolves when the look under way is over. */
  stop(): Promise<void>;
}

/** Makes a keeper that does nothing yet. */
export function createTaskKeeper(ports: TaskKeeperPorts): TaskKeeper {
  const { store, queue, clock, logger } = ports;
  const outage = createStoreOutage(logger, 'task keeper');
  const settling = createOutage(
    logger,
    'task keeper: tasks that are over cannot be settled, and are tried again',
    'task keeper: tasks that are over can be settled again',
  );
  const lookAlarm = ports.alarm(() => void look());
  let lookedMs: number | undefined;
  let mendAtMs = Number.NEGATIVE_INFINITY;
  let forgetAtMs = Number.NEGATIVE_INFINITY;
  /** Before this no node is judged: after an outage all of them have to say first that they live. */
  let judgeAtMs = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> = Promise.resolve();
  let isStopped = false;

  /** One that fails is found again, and must not keep the others waiting. */
  async function attend(
    records: readonly TaskRecord[],
    work: (record: TaskRecord) => MaybePromise<void>,
  ): Promise<void> {
    let failed = 0;
    for (const record of records) {
      try {
        await work(record);
      } catch (err) {
        failed += 1;
        settling.failed(err);
      }
    }
    if (failed === 0 && records.length > 0) settling.worked();
  }

  async function requeueLost(nowMs: number): Promise<void> {
    if (nowMs < judgeAtMs) return;
    for (;;) {
      const lost = await store.lost(nowMs, PAGE);
      const ended: TaskRecord[] = [];
      const offers = new Map<string, number>();
      const made = await crash(lost, nowMs);
      for (const { spec, state } of made) {
        if (isOver(state.status)) ended.push({ spec, state });
        else offers.set(spec.type, (offers.get(spec.type) ?? 0) + 1);
      }
      for (const [type, count] of offers) await queue.offer(type, count);
      await attend(ended, ports.over);
      if (made.length > 0) logger.warn({ tasks: made.length }, 'tasks of a lost node go on');
      // Where nothing was made, others were faster, and the next look sees what is left.
      if (lost.length < PAGE || made.length === 0) return;
    }
  }

  /** The records after it, of those that nobody else has changed. */
  async function crash(lost: readonly TaskRecord[], nowMs: number): Promise<TaskRecord[]> {
    const changes: TaskChange[] = [];
    for (const record of lost) {
      const step = { type: 'crash', reason: 'The node that ran it is gone.' } as const;
      const change = stepTask(record, step, nowMs, ports.random());
      if (change !== undefined) changes.push(change);
    }
    if (changes.length === 0) return [];
    const made = await store.commit(changes);
    return changes
      .filter((_, at) => made[at])
      .map(({ before, state }) => ({ spec: before.spec, state }));
  }

  async function mend(nowMs: number): Promise<void> {
    if (nowMs < mendAtMs) return;
    for (const [type, { queued }] of await store.counts(nowMs)) {
      if (queued > 0) await queue.ensure(type, queued);
    }
    await attend(await store.owing(PAGE), ports.settle);
    mendAtMs = nowMs + MEND_MS;
  }

  async function forget(nowMs: number): Promise<void> {
    if (nowMs < forgetAtMs) return;
    for (;;) {
      const gone = await store.forget(nowMs - ports.retentionMs, PAGE);
      if (gone.length > 0) await ports.forgotten(gone);
      if (gone.length < PAGE || isStopped) break;
    }
    forgetAtMs = nowMs + FORGET_MS;
  }

  async function lookOnce(): Promise<void> {
    const nowMs = clock.nowMs();
    if (lookedMs !== undefined && nowMs - lookedMs > FROZEN_MS) judgeAtMs = nowMs + NODE_LIFE_MS;
    lookedMs = nowMs;
    try {
      await requeueLost(nowMs);
      await mend(nowMs);
      await forget(nowMs);
      outage.worked();
    } catch (err) {
      outage.failed(err);
      judgeAtMs = clock.nowMs() + NODE_LIFE_MS;
    }
    lookedMs = clock.nowMs();
    if (lookedMs - nowMs > FROZEN_MS) judgeAtMs = lookedMs + NODE_LIFE_MS;
    if (!isStopped) lookAlarm.set(Math.max(lookedMs, nowMs + LOOK_MS));
  }

  function look(): Promise<void> {
    looking = lookOnce();
    return looking;
  }

  return {
    start: look,
    async stop() {
      isStopped = true;
      lookAlarm.set(undefined);
      await looking;
    },
  };
}
