/** What a task store writes down, as rows of the embedded database. */

import type { StreamEvent } from '@headwater/shared/stream/event';
import type { TaskEnd } from '@headwater/shared/tasks/line-book';
import type { Submission, TaskChange } from '@headwater/shared/tasks/ports';
import {
  type BatchRecord,
  isOver,
  type TaskRecord,
  type TaskSpec,
  type TaskState,
} from '@headwater/shared/tasks/task';
import type { LiveTask, TaskJournal } from '@headwater/shared/tasks/task-journal';
import type { SqliteDatabase, SqliteRow } from './sqlite-database.ts';

/**
 * Opens it. A spec is written once, apart from what changes: a change costs its state and events,
 * however much the task was given to work on.
 */
export function createSqliteTaskJournal(database: SqliteDatabase): TaskJournal {
  const insertTask = database.prepare(
    `INSERT INTO tasks (id, type, owner, batch, priority, created, version, epoch, events, owed, state)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?) RETURNING number`,
  );
  const insertSpec = database.prepare('INSERT INTO task_specs (number, spec) VALUES (?, ?)');
  const insertBatch = database.prepare(
    'INSERT INTO task_batches (id, created, remaining, batch) VALUES (?, ?, ?, ?)',
  );
  const insertKey = database.prepare(
    'INSERT INTO task_keys (owner, key, fingerprint, answer) VALUES (?, ?, ?, ?)',
  );
  const advance = database.prepare(
    `UPDATE tasks SET version = ?, state = ?, ended = ?, owed = ?, epoch = ?,
       events = ? + CASE epoch WHEN ? THEN events ELSE 0 END
     WHERE id = ? AND version = ? RETURNING number, events`,
  );
  const dropEvents = database.prepare('DELETE FROM task_events WHERE number = ?');
  const insertEvent = database.prepare(
    'INSERT INTO task_events (number, seq, event) VALUES (?, ?, ?)',
  );
  const keepCheckpoint = database.prepare(
    'INSERT OR REPLACE INTO task_checkpoints (number, checkpoint) VALUES (?, ?)',
  );
  const dropCheckpoint = database.prepare('DELETE FROM task_checkpoints WHERE number = ?');
  const countEnd = database.prepare(
    `INSERT INTO task_ends (type, status, count) VALUES (?, ?, 1)
     ON CONFLICT (type, status) DO UPDATE SET count = count + 1`,
  );

  const RECORD = 'SELECT spec, state FROM tasks JOIN task_specs USING (number)';
  const select = database.prepare(`${RECORD} WHERE id = ?`);
  const selectOwing = database.prepare(`${RECORD} WHERE owed = 1 ORDER BY ended LIMIT ?`);
  const selectCheckpoint = database.prepare(
    'SELECT checkpoint FROM tasks JOIN task_checkpoints USING (number) WHERE id = ?',
  );
  const selectBatch = database.prepare('SELECT batch FROM task_batches WHERE id = ?');
  const selectKey = database.prepare(
    'SELECT fingerprint, answer FROM task_keys WHERE owner = ? AND key = ?',
  );
  const selectEvents = database.prepare(
    `SELECT event FROM task_events
     WHERE number = (SELECT number FROM tasks WHERE id = ? AND epoch = ?) AND seq > ?
     ORDER BY seq LIMIT ?`,
  );
  const selectHead = database.prepare('SELECT epoch, events FROM tasks WHERE id = ?');
  const selectLive = database.prepare(
    'SELECT number, id, type, owner, priority, created, state FROM tasks WHERE ended IS NULL AND number > ? ORDER BY number LIMIT ?',
  );
  const selectEnds = database.prepare('SELECT type, status, count FROM task_ends');

  const selectOver = database.prepare(
    `SELECT number, id, batch, spec, state FROM tasks JOIN task_specs USING (number)
     WHERE ended < ? ORDER BY ended LIMIT ?`,
  );
  const dropTask = database.prepare('DELETE FROM tasks WHERE number = ?');
  const dropSpec = database.prepare('DELETE FROM task_specs WHERE number = ?');
  const dropKey = database.prepare('DELETE FROM task_keys WHERE answer = ?');
  const countForgotten = database.prepare(
    'UPDATE task_batches SET remaining = remaining - 1 WHERE id = ? RETURNING remaining',
  );
  const dropBatch = database.prepare('DELETE FROM task_batches WHERE id = ?');
  const selectRefused = database.prepare(
    'SELECT id FROM task_batches WHERE remaining = 0 AND created < ? ORDER BY created LIMIT ?',
  );

  function insertRecord({ spec, state }: TaskRecord): void {
    const row = insertTask.get(
      spec.id,
      spec.type,
      spec.owner,
      spec.batchId ?? null,
      spec.priority,
      // Columns of whole numbers; times of a clock may have a fraction.
      Math.floor(spec.createdAtMs),
      state.version,
      state.epoch,
      JSON.stringify(state),
    );
    insertSpec.run(Number(row?.['number']), JSON.stringify(spec));
  }

  function forgetBatch(id: string): void {
    dropBatch.run(id);
    dropKey.run(id);
  }

  function forgetTask(row: SqliteRow): TaskRecord {
    const { number = null, batch = null } = row;
    dropTask.run(number);
    dropSpec.run(number);
    dropEvents.run(number);
    dropKey.run(String(row['id']));
    if (batch !== null) {
      const left = countForgotten.get(batch);
      if (left !== undefined && Number(left['remaining']) <= 0) forgetBatch(String(batch));
    }
    return recordOf(row);
  }

  return {
    // What fails in the middle takes back what it wrote, and nothing of those it shares a turn with.
    group: (work) => database.group(() => database.transact(work)),
    afterCommit: (work) => database.afterCommit(work),
    *live() {
      for (let number = 0; ; ) {
        const rows = selectLive.all(number, LOAD_PAGE);
        for (const row of rows) yield liveOf(row);
        if (rows.length < LOAD_PAGE) return;
        number = Number(rows.at(-1)?.['number']);
      }
    },
    ends: () =>
      selectEnds
        .all()
        .map(({ type, status, count }) => [String(type), String(status) as TaskEnd, Number(count)]),

    insert({ tasks, batch, idempotency }: Submission) {
      for (const record of tasks) insertRecord(record);
      if (batch !== undefined) {
        const createdMs = Math.floor(batch.createdAtMs);
        insertBatch.run(batch.id, createdMs, tasks.length, JSON.stringify(batch));
      }
      if (idempotency !== undefined) {
        const { owner, key, fingerprint, answerId } = idempotency;
        insertKey.run(owner, key, fingerprint, answerId);
      }
    },
    advance({ before, state, events, checkpoint }: TaskChange) {
      const { id, type, createdAtMs } = before.spec;
      const ends = isOver(state.status);
      const row = advance.get(
        state.version,
        JSON.stringify(state),
        ends ? Math.floor(state.finishedAtMs ?? createdAtMs) : null,
        state.callback === 'owed' ? 1 : 0,
        state.epoch,
        events.length,
        state.epoch,
        id,
        before.state.version,
      );
      if (row === undefined) return false;
      const { number = null } = row;
      if (state.epoch !== before.state.epoch) dropEvents.run(number);
      let seq = Number(row['events']) - events.length;
      for (const event of events) {
        seq += 1;
        insertEvent.run(number, seq, JSON.stringify(event));
      }
      if (checkpoint !== undefined && !ends) keepCheckpoint.run(number, checkpoint);
      if (before.state.hasCheckpoint && ends) dropCheckpoint.run(number);
      if (ends && !isOver(before.state.status)) countEnd.run(type, state.status);
      return true;
    },
    get(id) {
      const row = select.get(id);
      return row === undefined ? undefined : recordOf(row);
    },
    checkpointOf(id) {
      const row = selectCheckpoint.get(id);
      return row === undefined ? undefined : String(row['checkpoint']);
    },
    getBatch(id) {
      const row = selectBatch.get(id);
      return row === undefined ? undefined : (JSON.parse(String(row['batch'])) as BatchRecord);
    },
    getKey(owner, key) {
      const row = selectKey.get(owner, key);
      if (row === undefined) return undefined;
      return { fingerprint: String(row['fingerprint']), answerId: String(row['answer']) };
    },
    read: (id, after, limit) =>
      selectEvents
        .all(id, after.epoch, after.seq, limit)
        .map(({ event }) => JSON.parse(String(event)) as StreamEvent),
    head(id) {
      const row = selectHead.get(id);
      const seq = Number(row?.['events'] ?? 0);
      return seq === 0 ? { epoch: 0, seq } : { epoch: Number(row?.['epoch']), seq };
    },
    owing: (limit) => selectOwing.all(limit).map(recordOf),
    forget(beforeMs, limit) {
      const before = Math.ceil(beforeMs);
      const records = selectOver.all(before, limit).map(forgetTask);
      for (const { id } of selectRefused.all(before, limit)) forgetBatch(String(id));
      return records;
    },
  };
}

/** So many tasks that wait are read at once when the store is opened. */
const LOAD_PAGE = 1_000;

function recordOf({ spec, state }: SqliteRow): TaskRecord {
  return {
    spec: JSON.parse(String(spec)) as TaskSpec,
    state: JSON.parse(String(state)) as TaskState,
  };
}

function liveOf({ id, type, owner, priority, created, state }: SqliteRow): LiveTask {
  return {
    spec: {
      id: String(id),
      type: String(type),
      owner: String(owner),
      priority: Number(priority),
      createdAtMs: Number(created),
    },
    state: JSON.parse(String(state)) as TaskState,
  };
}
