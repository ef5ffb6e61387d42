/** Commits what happened to the attempts of a node: together, one call at a time. */

import type { Outage } from './outage.ts';
import type { TaskChange, TaskStore } from './ports.ts';
import type { RunningAttempt } from './running-attempt.ts';
import type { TaskState } from './task.ts';

/** What the commits are wired to. */
export interface RunningCommitsPorts {
  readonly store: Pick<TaskStore, 'commit' | 'getMany'>;
  readonly node: string;
  random(): number;
  readonly outage: Outage;
  /** The store refused: `retry` is to be called in a while. */
  retryLater(): void;
}

/** The commits of one node. */
export interface RunningCommits {
  /** Something happened to the attempt. */
  add(attempt: RunningAttempt): void;
  /** Asks a store that refused again. */
  retry(): void;
}

/** A change on its way. */
interface Sent {
  readonly attempt: RunningAttempt;
  readonly change: TaskChange;
}

/** Makes a node's commits. What happens while a call is under way goes with the next one. */
export function createRunningCommits(ports: RunningCommitsPorts): RunningCommits {
  const { store, node, outage } = ports;
  const waiting = new Set<RunningAttempt>();
  let isFlushing = false;
  let isRefused = false;

  function collect(): Sent[] {
    const batch: Sent[] = [];
    for (const attempt of waiting) {
      const change = attempt.nextChange(ports.random);
      if (change !== undefined) batch.push({ attempt, change });
    }
    waiting.clear();
    return batch;
  }

  /** Attempts whose change is not the newest version: lost, but for answers that were lost. */
  async function settleRefused(refused: readonly Sent[]): Promise<void> {
    const newest = await store.getMany(refused.map(({ attempt }) => attempt.id));
    for (const [at, { attempt, change }] of refused.entries()) {
      const state = newest[at]?.state;
      if (state !== undefined && isSame(state, change.state)) goOn(attempt);
      else attempt.lose();
    }
  }

  function goOn(attempt: RunningAttempt): void {
    if (attempt.kept()) waiting.add(attempt);
  }

  async function commit(batch: readonly Sent[]): Promise<void> {
    try {
      const made = await store.commit(
        batch.map(({ change }) => change),
        node,
      );
      const refused: Sent[] = [];
      for (const [at, sent] of batch.entries()) {
        if (made[at]) goOn(sent.attempt);
        else if (!sent.attempt.isLost) refused.push(sent);
      }
      if (refused.length > 0) await settleRefused(refused);
      outage.worked();
    } catch (err) {
      outage.failed(err);
      isRefused = true;
      for (const { attempt } of batch) waiting.add(attempt);
    }
  }

  async function flush(): Promise<void> {
    isFlushing = true;
    // What happens in the same turn goes together.
    await null;
    // After a refusal each goes alone: one that the store can never take must not hold up the rest.
    const isCareful = isRefused;
    isRefused = false;
    while (waiting.size > 0 && !isRefused) {
      const batch = collect();
      if (batch.length === 0) continue;
      if (isCareful) await Promise.all(batch.map((sent) => commit([sent])));
      else await commit(batch);
    }
    isFlushing = false;
    if (isRefused) ports.retryLater();
  }

  function begin(): void {
    if (!isFlushing) void flush();
  }

  return {
    add(attempt) {
      waiting.add(attempt);
      if (!isRefused) begin();
    },
    retry: begin,
  };
}

/** True where one is the other as it was stored: nobody else writes these. */
function isSame(one: TaskState, other: TaskState): boolean {
  return (
    one.version === other.version &&
    one.status === other.status &&
    one.node === other.node &&
    one.attempts === other.attempts &&
    one.dueAtMs === other.dueAtMs &&
    one.startedAtMs === other.startedAtMs &&
    one.finishedAtMs === other.finishedAtMs &&
    one.epoch === other.epoch &&
    one.progress === other.progress
  );
}
