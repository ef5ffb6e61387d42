/** Tasks in memory: they live and die with the process. */

import type { StreamEvent } from '../stream/event.ts';
import { createJournaledTaskStore } from './journaled-task-store.ts';
import { createLineHeap, type HeapItem } from './line-heap.ts';
import type { TaskStore } from './ports.ts';
import { type BatchRecord, isOver, type TaskRecord } from './task.ts';
import type { KeptKey, TaskJournal } from './task-journal.ts';

/** A task, its events and its checkpoint. */
interface Entry {
  record: TaskRecord;
  events: StreamEvent[];
  checkpoint?: string;
}

interface BatchEntry {
  readonly batch: BatchRecord;
  /** Tasks of it that are not forgotten. */
  left: number;
}

/** What is forgotten for its age. */
interface Aged extends HeapItem {
  readonly id: string;
  readonly atMs: number;
}

/** Makes an empty store. */
export function createMemoryTaskStore(): TaskStore {
  return createJournaledTaskStore(createMemoryTaskJournal());
}

function createMemoryTaskJournal(): TaskJournal {
  const entries = new Map<string, Entry>();
  const batches = new Map<string, BatchEntry>();
  const keys = new Map<string, KeptKey>();
  /** The name of the key, by what it stands for. */
  const keyOf = new Map<string, string>();
  const owing = new Set<string>();
  const over = createLineHeap<Aged>(isOlder);
  const refusals = createLineHeap<Aged>(isOlder);
  let committed: (() => void)[] = [];

  function dropBatch(id: string): void {
    batches.delete(id);
    dropKey(id);
  }

  function dropKey(answerId: string): void {
    const name = keyOf.get(answerId);
    if (name === undefined) return;
    keyOf.delete(answerId);
    keys.delete(name);
  }

  function drop({ spec }: TaskRecord): void {
    entries.delete(spec.id);
    owing.delete(spec.id);
    dropKey(spec.id);
    const batch = spec.batchId === undefined ? undefined : batches.get(spec.batchId);
    if (batch === undefined) return;
    batch.left -= 1;
    if (batch.left === 0) dropBatch(batch.batch.id);
  }

  return {
    group(work) {
      const result = work();
      const after = committed;
      committed = [];
      for (const run of after) run();
      return result;
    },
    afterCommit: (work) => void committed.push(work),
    live: () => [],
    ends: () => [],

    insert({ tasks, batch, idempotency }) {
      for (const record of tasks) entries.set(record.spec.id, { record, events: [] });
      if (batch !== undefined) {
        batches.set(batch.id, { batch, left: tasks.length });
        if (tasks.length === 0) refusals.push({ id: batch.id, atMs: batch.createdAtMs, place: -1 });
      }
      if (idempotency !== undefined) {
        const { owner, key, fingerprint, answerId } = idempotency;
        keys.set(nameOf(owner, key), { fingerprint, answerId });
        keyOf.set(answerId, nameOf(owner, key));
      }
    },
    advance({ before, state, events, checkpoint }) {
      const { id } = before.spec;
      const entry = entries.get(id);
      if (entry === undefined) return false;
      const { spec, state: was } = entry.record;
      if (was.version !== before.state.version) return false;
      entry.record = { spec, state };
      if (state.epoch > was.epoch) entry.events = [];
      for (const event of events) entry.events.push(event);
      if (checkpoint !== undefined) entry.checkpoint = checkpoint;
      if (!isOver(state.status)) return true;
      delete entry.checkpoint;
      if (!isOver(was.status)) {
        over.push({ id, atMs: state.finishedAtMs ?? spec.createdAtMs, place: -1 });
      }
      if (state.callback === 'owed') owing.add(id);
      else owing.delete(id);
      return true;
    },
    get: (id) => entries.get(id)?.record,
    checkpointOf: (id) => entries.get(id)?.checkpoint,
    getBatch: (id) => batches.get(id)?.batch,
    getKey: (owner, key) => keys.get(nameOf(owner, key)),
    read(id, after, limit) {
      const entry = entries.get(id);
      if (entry?.record.state.epoch !== after.epoch) return [];
      return entry.events.slice(after.seq, after.seq + limit);
    },
    head(id) {
      const entry = entries.get(id);
      if (entry === undefined || entry.events.length === 0) return { epoch: 0, seq: 0 };
      return { epoch: entry.record.state.epoch, seq: entry.events.length };
    },
    owing(limit) {
      const records: TaskRecord[] = [];
      for (const id of owing) {
        const record = entries.get(id)?.record;
        if (records.length >= limit) break;
        if (record !== undefined) records.push(record);
      }
      return records;
    },
    forget(beforeMs, limit) {
      const records: TaskRecord[] = [];
      while (records.length < limit && (over.peek()?.atMs ?? beforeMs) < beforeMs) {
        const record = entries.get(over.pop()?.id ?? '')?.record;
        if (record === undefined) continue;
        drop(record);
        records.push(record);
      }
      for (let count = 0; count < limit; count += 1) {
        if ((refusals.peek()?.atMs ?? beforeMs) >= beforeMs) break;
        dropBatch(refusals.pop()?.id ?? '');
      }
      return records;
    },
  };
}

const isOlder = (one: Aged, other: Aged): boolean => one.atMs < other.atMs;

/** Owner and key as one name that no other two have. */
function nameOf(owner: string, key: string): string {
  return `${owner.length}:${owner}:${key}`;
}
