/** What the tests of a task store are made of. */

import { expect, vi } from 'vitest';
import type { StreamEvent } from '../../stream/event.ts';
import type { TaskStore } from '../../tasks/ports.ts';
import type { BatchRecord, TaskRecord } from '../../tasks/task.ts';
import { TASK_TIME_MS as AT_MS, aTask, takeStep } from '../task-fixtures.ts';

/** An empty store. */
export interface TaskStoreSubject {
  readonly store: TaskStore;
  /** There where a store outlives what holds it: the same one, as the next process finds it. */
  readonly reopen?: () => TaskStore | Promise<TaskStore>;
  /** There where several processes use one store: the same one, as another process sees it. */
  readonly other?: () => TaskStore | Promise<TaskStore>;
}

/** Declares a test on a store that {@link NODE} may claim from. */
export type StoreTest = (
  title: string,
  body: (store: TaskStore, subject: TaskStoreSubject) => Promise<void>,
) => void;

/** Runs a test with an empty store, wherever that must happen. */
export type WithTaskStore = (test: (subject: TaskStoreSubject) => Promise<void>) => Promise<void>;

/** The node that tests claim for. */
export const NODE = 'node-1';
/** How long it lives. */
export const LIFE_MS = 5_000;

export const idsOf = (tasks: readonly (TaskRecord | undefined)[]) =>
  tasks.map((task) => task?.spec.id);
export const ownersOf = (tasks: readonly TaskRecord[]) => tasks.map(({ spec }) => spec.owner);
export const countOf = <T>(all: readonly T[], one: T) => all.filter((each) => each === one).length;

export const several = (prefix: string, count: number, spec: Parameters<typeof aTask>[1] = {}) =>
  Array.from({ length: count }, (_, at) => aTask(`${prefix}${String(at).padStart(4, '0')}`, spec));

export const delta = (text: string): StreamEvent => ({ type: 'delta', text });

export const aBatch = (
  id: string,
  entries: BatchRecord['entries'],
  owner = 'ada',
): BatchRecord => ({
  id,
  owner,
  createdAtMs: AT_MS,
  entries,
});

export const anIdempotency = (answerId: string, key = 'k1', fingerprint = 'f1', owner = 'ada') => ({
  idempotency: { owner, key, fingerprint, answerId },
});

/** Claims the next task, which there MUST be. */
export async function claimOne(store: TaskStore, node = NODE, type = 'ocr'): Promise<TaskRecord> {
  const [task] = await store.claim(type, node, 1, AT_MS);
  if (task === undefined) throw new Error('nothing could be claimed');
  return task;
}

/** Claims the next task and begins it. */
export async function startOne(store: TaskStore, node = NODE): Promise<TaskRecord> {
  return takeStep(store, await claimOne(store, node), { type: 'start', node }, AT_MS, node);
}

/** Does `act` again until what it should cause has happened: a word may be lost. */
export async function until(act: () => Promise<unknown>, isSo: () => boolean): Promise<void> {
  await vi.waitFor(
    async () => {
      await act();
      expect(isSo()).toBe(true);
    },
    { timeout: 10_000, interval: 20 },
  );
}
