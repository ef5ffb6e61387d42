/** Tasks of an origin that is one process, in its embedded database. */

import { createJournaledTaskStore } from '@headwater/shared/tasks/journaled-task-store';
import type { TaskStore } from '@headwater/shared/tasks/ports';
import type { SqliteDatabase } from './sqlite-database.ts';
import { createSqliteTaskJournal } from './sqlite-task-journal.ts';

/**
 * Opens the store. Records are on disk alone; of what is not over the memory has the place in the
 * line. It is as durable as the database, and what it is asked for within one turn of the event loop
 * is kept together. A restart finds everything but the nodes: what ran is lost at once.
 */
export function openSqliteTaskStore(database: SqliteDatabase): TaskStore {
  return createJournaledTaskStore(createSqliteTaskJournal(database));
}
