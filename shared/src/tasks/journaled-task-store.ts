/** A store of tasks that belongs to one process: the line in memory, the records in a journal. */

import type { MaybePromise } from '../stream/ports.ts';
import { createLineBook } from './line-book.ts';
import type { Submission, SubmitOutcome, TaskChange, TaskStore } from './ports.ts';
import type { TaskRecord } from './task.ts';
import { createTaskEars } from './task-ears.ts';
import type { TaskJournal } from './task-journal.ts';

/**
 * Opens it with what the journal has. Nodes are not kept: what was running when the process before
 * this one ended is lost at once, for its node went with it, and what it had claimed waits again.
 *
 * The line follows the journal once that has kept a change: nobody is handed a task that a full
 * disk may undo.
 */
export function createJournaledTaskStore(journal: TaskJournal): TaskStore {
  const book = createLineBook();
  const watchers = createTaskEars<() => void>();
  const listeners = createTaskEars<(id: string) => void>();
  /** Queued tasks that are being written, by owner: they take room already. */
  const coming = new Map<string, number>();
  let comingTotal = 0;

  for (const [type, end, count] of journal.ends()) book.addEnds(type, end, count);
  for (const { spec, state } of journal.live()) book.apply(spec, state);

  /** Returns what ends it, once. */
  function reserve(owner: string, count: number): () => void {
    let held = count;
    coming.set(owner, (coming.get(owner) ?? 0) + count);
    comingTotal += count;
    return () => {
      const left = (coming.get(owner) ?? 0) - held;
      comingTotal -= held;
      held = 0;
      if (left === 0) coming.delete(owner);
      else coming.set(owner, left);
    };
  }

  /** What stands in its way; `kept` for what has been kept before. */
  function refusalOf(submission: Submission): SubmitOutcome | undefined {
    const { tasks, batch, idempotency } = submission;
    if (idempotency !== undefined) {
      const { owner, key, fingerprint, answerId } = idempotency;
      const used = journal.getKey(owner, key);
      if (used !== undefined) {
        if (used.fingerprint !== fingerprint) return { type: 'mismatch' };
        if (used.answerId === answerId) return { type: 'kept' };
        return { type: 'again', answerId: used.answerId };
      }
    }
    const [first] = tasks;
    if (batch !== undefined && journal.getBatch(batch.id) !== undefined) return { type: 'kept' };
    if (first === undefined) return undefined;
    const { id, owner } = first.spec;
    if (batch === undefined && journal.get(id) !== undefined) return { type: 'kept' };
    const ofOwner = book.queued(owner) + (coming.get(owner) ?? 0) + tasks.length;
    if (ofOwner > submission.maxQueuedPerOwner) return { type: 'full', by: 'owner' };
    const ofAll = book.queued() + comingTotal + tasks.length;
    return ofAll > submission.maxQueued ? { type: 'full', by: 'all' } : undefined;
  }

  async function submitLater(kept: Promise<SubmitOutcome>, release: () => void) {
    try {
      return await kept;
    } finally {
      release();
    }
  }

  function submit(submission: Submission): MaybePromise<SubmitOutcome> {
    const { tasks } = submission;
    const refusal = refusalOf(submission);
    if (refusal !== undefined) return waitForKept(refusal);
    const release = reserve(tasks[0]?.spec.owner ?? '', tasks.length);
    let kept: MaybePromise<SubmitOutcome>;
    try {
      kept = journal.group((): SubmitOutcome => {
        journal.insert(submission);
        journal.afterCommit(() => {
          release();
          for (const { spec, state } of tasks) book.apply(spec, state);
        });
        return { type: 'kept' };
      });
    } catch (thrown) {
      release();
      throw thrown;
    }
    return kept instanceof Promise ? submitLater(kept, release) : kept;
  }

  /** What stands in the way may itself be only about to be kept. */
  function waitForKept(outcome: SubmitOutcome): MaybePromise<SubmitOutcome> {
    return outcome.type === 'kept' || outcome.type === 'again'
      ? journal.group(() => outcome)
      : outcome;
  }

  /** The task is where its state says, and whoever has to know is told. */
  function follow({ before: { spec }, state }: TaskChange, by: string | undefined): void {
    const node = book.apply(spec, state);
    if (node !== undefined && node !== by) listeners.tell(node, (taken) => taken(spec.id));
    watchers.tell(spec.id, (hint) => hint());
  }

  const records = (ids: readonly string[]): TaskRecord[] =>
    ids.flatMap((id) => journal.get(id) ?? []);

  return {
    submit,
    get: journal.get,
    getMany: (ids) => ids.map((id) => journal.get(id)),
    getBatch: journal.getBatch,
    claim(type, node, limit, nowMs) {
      const claimed: TaskRecord[] = [];
      book.claim(type, node, limit, nowMs, (id) => {
        const record = journal.get(id);
        // A change of it is being written, and the line hears of it only then.
        if (record?.state.status !== 'queued') return false;
        claimed.push(record);
        return true;
      });
      return claimed;
    },
    commit: (changes, by) =>
      journal.group(() => {
        const made = changes.map((change) => journal.advance(change));
        journal.afterCommit(() => {
          for (const [at, change] of changes.entries()) if (made[at] === true) follow(change, by);
        });
        return made;
      }),
    checkpointOf: journal.checkpointOf,

    beat: (node, untilMs, types = []) => book.nodes.beat(node, untilMs, types),
    leave: (node) => book.nodes.leave(node),
    nodes: (nowMs) => book.nodes.alive(nowMs),
    liveTypes: (nowMs) => book.nodes.types(nowMs),
    lost: (nowMs, limit) => records(book.lost(nowMs, limit)),
    listen: (node, taken) => listeners.add(node, taken),
    held: (node) => book.held(node),

    read: journal.read,
    head: journal.head,
    watch: (id, hint) => watchers.add(id, hint),

    counts: (nowMs) => book.counts(nowMs),
    nextDueMs: (type) => book.nextDueMs(type),
    owing: journal.owing,
    forget: (beforeMs, limit) => journal.group(() => journal.forget(beforeMs, limit)),
  };
}
