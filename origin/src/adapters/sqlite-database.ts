/** The embedded database of an origin that is one process: `headwater.sqlite` in `DATA_DIR`. */

import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite';
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
 * `locking_mode` EXCLUSIVE keeps a second process out. The lock is the operating system's: it ends
 * with the process, however that ends. It comes before WAL, which then needs no shared memory.
 */
const PRAGMAS = `
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
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
`;

/**
 * Opens the database in `folder`, which is made where it is missing, for its owner's eyes only.
 *
 * What a statement or a transaction wrote survives the end of the process, `kill -9` included: it
 * is in the write-ahead log before the call returns. A power cut or a crash of the system may cost
 * what was written since the last checkpoint (every 1000 pages, 4 MB); what is left is whole.
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
  let committed: (() => void)[] = [];
  let lastWriteMs = Number.NEGATIVE_INFINITY;
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

  function beginTurn(): PromiseWithResolvers<void> {
    guard(() => db.exec('BEGIN IMMEDIATE'))();
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
      guard(() => db.exec('COMMIT'))();
    } catch (thrown) {
      rollBack();
      ending.reject(thrown);
      return;
    }
    tellCommitted();
    ending.resolve();
  }

  function transactAtOnce<T>(work: () => T): T {
    guard(() => db.exec('BEGIN IMMEDIATE'))();
    let result: T;
    try {
      result = work();
      guard(() => db.exec('COMMIT'))();
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
    db.exec('SAVEPOINT part');
    try {
      const result = work();
      db.exec('RELEASE part');
      return result;
    } catch (thrown) {
      committed.length = before;
      if (db.isTransaction) db.exec('ROLLBACK TO part; RELEASE part');
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
      // Part of a transaction of its caller's, who is told of its end.
      if (turn === undefined && db.isTransaction) return work();
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
