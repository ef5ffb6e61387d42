/** The embedded database of an origin that is one process: `headwater.sqlite` in `DATA_DIR`. */

import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  DatabaseSync,
  type SQLInputValue,
  type SQLOutputValue,
  type StatementSync,
} from 'node:sqlite';
import { GatewayError } from '@headwater/shared/protocol/errors';
import type { MaybePromise } from '@headwater/shared/stream/ports';

/** A row by its columns' names. */
export type SqliteRow = Record<string, SQLOutputValue>;

/** A prepared statement; made once, used often. A failure is a `GatewayError`. */
export interface SqliteStatement {
  /** Runs it; gives the rows it changed. */
  run(...values: SQLInputValue[]): number;
  get(...values: SQLInputValue[]): SqliteRow | undefined;
  all(...values: SQLInputValue[]): SqliteRow[];
}

/** An open database. */
export interface SqliteDatabase {
  prepare(sql: string): SqliteStatement;
  /**
   * Runs `work` as one transaction: all that its statements write is kept, or nothing where it
   * throws. One inside another is part of it. `work` MUST NOT wait for anything: what comes after
   * its first `await` is not in the transaction.
   */
  transact<T>(work: () => T): T;
  /**
   * Runs `work` now, and resolves once it is kept: under load in a transaction that everything of
   * this turn of the event loop shares, for a commit costs more than a write; else at once. Within
   * `transact` it is part of that, and gives its result at once.
   */
  group<T>(work: () => T): MaybePromise<T>;
  /** Runs `work` once the transaction that is open is kept, at once where none is; never where it fails. */
  afterCommit(work: () => void): void;
  /** Lets the folder go. */
  close(): void;
}

/** SQLite's result codes that tell what to do (sqlite.org/rescode.html). */
const BUSY = 5;
const READONLY = 8;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

/** Time that a process which is about to end has to let the folder go, in ms. */
const LOCK_WAIT_MS = 1_000;

/** Time without a write after which the next one waits for no other, in ms. */
const QUIET_MS = 1;

/**
 * Pages of the write-ahead log after which it is carried into the database. That waits for the disk,
 * and every stream with it, for some 10 ms: with SQLite's own 1000 one stream in a hundred would.
 */
const CHECKPOINT_PAGES = 4000;

/**
 * `locking_mode` EXCLUSIVE keeps a second process out. The lock is the operating system's: it ends
 * with the process, however that ends. It comes before WAL, which then needs no shared memory.
 * `temp_store` is for what a part of a transaction could have to take back.
 */
const PRAGMAS = `
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
PRAGMA temp_store = MEMORY;
BEGIN EXCLUSIVE;
COMMIT;
`;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS sessions (
  id TEXT PRIMARY KEY, ended INTEGER NOT NULL, wake_at INTEGER NOT NULL, state TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS sessions_by_wake ON sessions (ended, wake_at);
CREATE TABLE IF NOT EXISTS sealed_logs (
  id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, events TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS outbox (
  id TEXT PRIMARY KEY, receiver TEXT NOT NULL, due INTEGER NOT NULL, pending INTEGER NOT NULL,
  state TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS outbox_pending ON outbox (due, receiver, id) WHERE pending = 1;
CREATE TABLE IF NOT EXISTS tasks (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, owner TEXT NOT NULL,
  batch TEXT, priority INTEGER NOT NULL, created INTEGER NOT NULL, version INTEGER NOT NULL,
  epoch INTEGER NOT NULL, events INTEGER NOT NULL, ended INTEGER, owed INTEGER NOT NULL,
  state TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS tasks_live ON tasks (number) WHERE ended IS NULL;
CREATE INDEX IF NOT EXISTS tasks_by_end ON tasks (ended) WHERE ended IS NOT NULL;
CREATE INDEX IF NOT EXISTS tasks_owing ON tasks (ended) WHERE owed = 1;
CREATE TABLE IF NOT EXISTS task_specs (number INTEGER PRIMARY KEY, spec TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS task_checkpoints (
  number INTEGER PRIMARY KEY, checkpoint TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS task_events (
  number INTEGER NOT NULL, seq INTEGER NOT NULL, event TEXT NOT NULL, PRIMARY KEY (number, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS task_batches (
  id TEXT PRIMARY KEY, created INTEGER NOT NULL, remaining INTEGER NOT NULL, batch TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS task_batches_refused ON task_batches (created) WHERE remaining = 0;
CREATE TABLE IF NOT EXISTS task_keys (
  owner TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, answer TEXT NOT NULL UNIQUE,
  PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS task_ends (
  type TEXT NOT NULL, status TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (type, status)
) STRICT, WITHOUT ROWID;
`;

/**
 * Opens the database in `folder`, which is made where it is missing, for its owner's eyes only.
 *
 * What a statement or a transaction wrote survives the end of the process, `kill -9` included: it
 * is in the write-ahead log before the call returns. A power cut or a crash of the system may cost
 * what was written since the last checkpoint (every {@link CHECKPOINT_PAGES} pages, 16 MB); what is left is whole.
 *
 * @throws GatewayError `unavailable`, which names `DATA_DIR`: it cannot be written, another process
 *   has it, its disk is full, or the file in it is no database
 */
export function openSqliteDatabase(folder: string): SqliteDatabase {
  const file = join(folder, 'headwater.sqlite');
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    db = new DatabaseSync(file, { timeout: LOCK_WAIT_MS });
    chmodSync(file, 0o600);
    db.exec(PRAGMAS);
    db.exec(SCHEMA);
    return wrap(db);
  } catch (cause) {
    if (db?.isOpen) db.close();
    throw new GatewayError('unavailable', whyNotOpened(cause), { cause });
  }
}

function wrap(db: DatabaseSync): SqliteDatabase {
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  const beginPart = db.prepare('SAVEPOINT part');
  const keepPart = db.prepare('RELEASE part');
  let committed: (() => void)[] = [];
  let lastWriteMs = Number.NEGATIVE_INFINITY;
  /** The transaction whose work runs now, and the first write of it that failed. */
  let running: { fault?: { readonly thrown: unknown } } | undefined;
  /** Those who wait for the shared transaction of this turn; absent while there is none. */
  let turn: PromiseWithResolvers<void> | undefined;

  const guard =
    <A extends SQLInputValue[], T>(run: (...values: A) => T) =>
    (...values: A): T => {
      try {
        return run(...values);
      } catch (cause) {
        throw mapFault(cause);
      }
    };

  function runGuarded(statement: StatementSync): void {
    try {
      statement.run();
    } catch (cause) {
      throw mapFault(cause);
    }
  }

  function beginTurn(): PromiseWithResolvers<void> {
    runGuarded(begin);
    const begun = Promise.withResolvers<void>();
    // Nobody may be waiting any more: each who does has a promise of its own.
    begun.promise.catch(() => undefined);
    setImmediate(endTurn);
    turn = begun;
    return begun;
  }

  function endTurn(): void {
    const ending = turn;
    turn = undefined;
    if (ending === undefined) return;
    try {
      // A full disk may have rolled it back already, and then nothing of it is kept.
      if (!db.isTransaction) throw new GatewayError('unavailable', DISK_FULL);
      runGuarded(commit);
    } catch (thrown) {
      rollBack();
      ending.reject(thrown);
      return;
    }
    tellCommitted();
    ending.resolve();
  }

  function transactAtOnce<T>(work: () => T): T {
    runGuarded(begin);
    let result: T;
    try {
      result = runWhole(work);
      runGuarded(commit);
    } catch (thrown) {
      rollBack();
      throw thrown;
    }
    tellCommitted();
    return result;
  }

  async function workInTurn<T>(work: () => T): Promise<T> {
    // A full disk may have rolled the turn back: who wrote in it is told, and a new one begins.
    if (turn !== undefined && !db.isTransaction) endTurn();
    const { promise } = turn ?? beginTurn();
    const result = work();
    await promise;
    return result;
  }

  /** All of it is kept with the turn, or nothing of it. */
  function transactWithinTurn<T>(work: () => T): T {
    const before = committed.length;
    runGuarded(beginPart);
    try {
      const result = runWhole(work);
      runGuarded(keepPart);
      return result;
    } catch (thrown) {
      committed.length = before;
      if (db.isTransaction) db.exec('ROLLBACK TO part; RELEASE part');
      throw thrown;
    }
  }

  /** Fails where any write within it did, also where whoever made that write keeps the failure. */
  function runWhole<T>(work: () => T): T {
    const outer = running;
    const mine: NonNullable<typeof running> = {};
    running = mine;
    try {
      const result = work();
      if (mine.fault !== undefined) throw mine.fault.thrown;
      return result;
    } finally {
      running = outer;
    }
  }

  /** A write of the transaction that runs now: done at once, and kept when that is. */
  function workWithin<T>(whole: NonNullable<typeof running>, work: () => T): MaybePromise<T> {
    try {
      // A full disk may have rolled it back: the rest of it must not be kept without its beginning.
      if (!db.isTransaction) throw new GatewayError('unavailable', DISK_FULL);
      const result = work();
      return turn === undefined ? result : turn.promise.then(() => result);
    } catch (thrown) {
      whole.fault ??= { thrown };
      throw thrown;
    }
  }

  function tellCommitted(): void {
    const after = committed;
    committed = [];
    for (const run of after) run();
  }

  function rollBack(): void {
    committed = [];
    // A full disk may have rolled it back already.
    if (db.isTransaction) db.exec('ROLLBACK');
  }

  return {
    prepare(sql) {
      const statement = db.prepare(sql);
      return {
        run: guard((...values: SQLInputValue[]) => Number(statement.run(...values).changes)),
        get: guard((...values: SQLInputValue[]) => statement.get(...values)),
        all: guard((...values: SQLInputValue[]) => statement.all(...values)),
      };
    },
    transact(work) {
      if (turn !== undefined) return transactWithinTurn(work);
      return db.isTransaction ? work() : transactAtOnce(work);
    },
    group(work) {
      if (running !== undefined) return workWithin(running, work);
      const nowMs = performance.now();
      const isQuiet = turn === undefined && nowMs - lastWriteMs > QUIET_MS;
      lastWriteMs = nowMs;
      // With nobody to share it with, a commit at once spares the caller a turn of the event loop.
      return isQuiet ? transactAtOnce(work) : workInTurn(work);
    },
    afterCommit(work) {
      if (db.isTransaction) committed.push(work);
      else work();
    },
    close() {
      endTurn();
      db.close();
    },
  };
}

/** SQLite's result code, without what extends it; undefined where the fault is not SQLite's. */
function resultCode(thrown: unknown): number | undefined {
  const { errcode } = thrown as { errcode?: unknown };
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
}

function isDiskFull(thrown: unknown): boolean {
  return resultCode(thrown) === FULL || (thrown as { code?: unknown }).code === 'ENOSPC';
}

const DISK_FULL = 'The disk of DATA_DIR is full: free space on it, or set DATA_DIR to another one.';

function whyNotOpened(thrown: unknown): string {
  if (isDiskFull(thrown)) return DISK_FULL;
  switch (resultCode(thrown)) {
    case BUSY:
      return 'DATA_DIR belongs to an origin that is running: stop that one, or give this one a DATA_DIR of its own.';
    case CORRUPT:
    case NOTADB:
      return 'DATA_DIR has a headwater.sqlite that is not a whole database: move it away, or set DATA_DIR to another folder.';
    default:
      return 'DATA_DIR cannot be written: set it to a folder that this process may write to.';
  }
}

function mapFault(cause: unknown): GatewayError {
  if (isDiskFull(cause)) return new GatewayError('unavailable', DISK_FULL, { cause });
  const code = resultCode(cause);
  if (code === READONLY || code === CANTOPEN) {
    const message = 'DATA_DIR can no longer be written: look at its disk and its rights.';
    return new GatewayError('unavailable', message, { cause });
  }
  const message = 'The database in DATA_DIR refused. The request id finds the reason in the log.';
  return new GatewayError('processing_failed', message, { cause });
}
