/** Keeps a folder for one process. */

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Time that the process before has to end, in ms: it may be in the middle of a query. */
const HOLD_WAIT_MS = 15_000;

/**
 * Waits until the folder is this process's own, until it ends. The lock is the operating system's, as
 * SQLite takes it: it ends with its process, however that ends. Errors: another process has it.
 */
export function holdFolder(folder: string): void {
  const lock = new DatabaseSync(join(folder, 'headwater.lock'), { timeout: HOLD_WAIT_MS });
  // In memory: nothing is ever written.
  lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  holders.push(lock);
}

/** A lock that the garbage collector took would be let go. */
const holders: DatabaseSync[] = [];
