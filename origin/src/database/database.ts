/** The database of an origin: what outlives tasks and streams is kept here. */

import type { NodePgDatabase } from 'drizzle-orm/node-postgres';

/** Queries, of the database or of one transaction. */
export type Db = Pick<
  NodePgDatabase,
  'select' | 'selectDistinct' | 'insert' | 'update' | 'delete' | 'execute'
>;

/** What can be said of it without asking it. */
export interface DatabaseState {
  /** `embedded` is PGlite in `DATA_DIR`, `postgres` the server of `DATABASE_URL`, `none` a cluster without one. */
  readonly kind: 'embedded' | 'postgres' | 'none';
  /** `closed` until it is first needed; `away` after a failure that may pass. */
  readonly state: 'closed' | 'opening' | 'open' | 'away';
  /** Whether vectors can be kept; known once it is open. */
  readonly hasVectors?: boolean;
}

/** One database, embedded or a server; the same tables and the same SQL. */
export interface Database {
  /**
   * Runs queries on the migrated database, which the first call opens. Errors of the connection, the
   * disk and the lack of a database come as `unavailable`; refusals of the data (`23505` …) as they
   * are.
   */
  use<Result>(work: (db: Db) => Promise<Result>): Promise<Result>;
  /** The same in one transaction: all of what `work` writes is kept when it resolves, or nothing of it. */
  transaction<Result>(work: (db: Db) => Promise<Result>): Promise<Result>;
  /** True where pgvector can be used; opens the database. Errors: `unavailable`. */
  hasVectors(): Promise<boolean>;
  look(): DatabaseState;
  close(): Promise<void>;
}
