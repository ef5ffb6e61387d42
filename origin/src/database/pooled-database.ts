/** A database behind a pool of node-postgres: of a server, or of the embedded one. */

import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayError } from '@headwater/shared/protocol/errors';
import type { Logger } from '@headwater/shared/stream/ports';
import pg from 'pg';
import type { Database, DatabaseState, Db } from './database.ts';
import { databaseFault } from './database-fault.ts';
import { type EmbeddedServer, startEmbeddedServer } from './embedded-server.ts';
import { migrateDatabase, SCHEMA } from './migrate.ts';
import { drizzle } from './orm.ts';

/** Where it is. */
export type DatabasePlace =
  | { readonly kind: 'embedded'; readonly dataDir: string }
  | { readonly kind: 'postgres'; readonly url: string };

/** Connections of one origin to a server. */
const POOL_SIZE = 10;

/** A query waits this long for a connection, in ms. */
const CONNECT_MS = 5_000;

/** A server ends a query that takes longer, in ms. */
const STATEMENT_MS = 60_000;

/** Pause between two clean-ups of an embedded database, in ms. */
const VACUUM_MS = 6 * 3_600_000;

/** After a failed opening the next one begins no sooner, in ms. */
const REOPEN_MS = 1_000;

/** An open database. */
interface Opened {
  readonly pool: pg.Pool;
  readonly db: ReturnType<typeof drizzle>;
  readonly server: EmbeddedServer | undefined;
  readonly hasVectors: boolean;
}

/** Makes it; the first use opens it. */
export function createPooledDatabase(place: DatabasePlace, logger: Logger): Database {
  let opening: Promise<Opened> | undefined;
  let opened: Opened | undefined;
  let failedAtMs: number | undefined;
  /** Since the last use failed, until one does not. */
  let isAway = false;
  let isClosed = false;

  async function open(): Promise<Opened> {
    const waitMs = failedAtMs === undefined ? 0 : failedAtMs + REOPEN_MS - Date.now();
    if (waitMs > 0) await sleep(waitMs);
    try {
      const next = await openPlace(place, logger);
      next.server?.ended.addEventListener('abort', () => {
        if (opened !== next) return;
        opened = undefined;
        opening = undefined;
        // One that ends as soon as it is open must not be started again in a circle.
        failedAtMs = Date.now();
        if (!isClosed) logger.error({ err: next.server?.ended.reason }, 'the database has ended');
      });
      opened = next;
      failedAtMs = undefined;
      logger.info({ database: place.kind, vectors: next.hasVectors }, 'database is open');
      return next;
    } catch (thrown) {
      opening = undefined;
      failedAtMs = Date.now();
      logger.error({ database: place.kind, err: thrown }, 'database cannot be opened');
      throw cannotOpen(thrown);
    }
  }

  function ready(): Promise<Opened> {
    if (isClosed) return Promise.reject(new Error('Client was closed'));
    opening ??= open();
    return opening;
  }

  async function guarded<Result>(work: (opened: Opened) => Promise<Result>): Promise<Result> {
    try {
      const current = opened ?? (await ready());
      const result = await whileThere(current.server, work(current));
      isAway = false;
      return result;
    } catch (thrown) {
      const fault = databaseFault(thrown);
      isAway ||= fault instanceof GatewayError && fault !== thrown && fault.code === 'unavailable';
      throw fault;
    }
  }

  return {
    use: (work) => guarded(({ db }) => work(db as Db)),
    transaction: (work) => guarded(({ db }) => db.transaction((tx) => work(tx as Db))),
    hasVectors: () => guarded(async ({ hasVectors }) => hasVectors),
    look(): DatabaseState {
      const { kind } = place;
      if (opened !== undefined) {
        return { kind, state: isAway ? 'away' : 'open', hasVectors: opened.hasVectors };
      }
      if (opening !== undefined) return { kind, state: 'opening' };
      return { kind, state: failedAtMs === undefined ? 'closed' : 'away' };
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      // One that cannot be opened has nothing to close.
      const last = await opening?.catch(() => undefined);
      await last?.pool.end();
      await last?.server?.close();
    },
  };
}

/**
 * Settles as `work` does, or fails as soon as the process of an embedded database has ended: pg's pool
 * leaves those who wait for its one connection waiting.
 */
function whileThere<Result>(
  server: EmbeddedServer | undefined,
  work: Promise<Result>,
): Promise<Result> {
  if (server === undefined) return work;
  const { ended } = server;
  return new Promise((resolve, reject) => {
    const end = () => reject(ended.reason);
    ended.addEventListener('abort', end, { once: true });
    if (ended.aborted) end();
    work.then(resolve, reject).finally(() => ended.removeEventListener('abort', end));
  });
}

/** Also where its tables are not those of this release: nothing of that is the caller's doing. */
function cannotOpen(thrown: unknown): GatewayError {
  const fault = databaseFault(thrown);
  if (fault instanceof GatewayError) return fault;
  const message = 'The database cannot be opened. The log of the gateway says why.';
  return new GatewayError('unavailable', message, { cause: thrown });
}

async function openPlace(place: DatabasePlace, logger: Logger): Promise<Opened> {
  const server = place.kind === 'embedded' ? await startEmbeddedServer(place.dataDir) : undefined;
  // Before its first user has it.
  const onConnect = (client: pg.ClientBase) => client.query(`set search_path to ${SCHEMA}, public`);
  const pool = new pg.Pool(
    place.kind === 'embedded'
      ? {
          onConnect,
          user: 'postgres',
          database: 'postgres',
          max: 1,
          idleTimeoutMillis: 0,
          // Whoever comes while a long transaction has the one connection waits for it.
          connectionTimeoutMillis: STATEMENT_MS,
          ...(server && { stream: () => server.connect() }),
        }
      : {
          onConnect,
          connectionString: place.url,
          max: POOL_SIZE,
          connectionTimeoutMillis: CONNECT_MS,
          statement_timeout: STATEMENT_MS,
          application_name: 'headwater',
        },
  );
  // Of one that is lent and is just not asked, as between two queries of a transaction: the next query
  // tells it, and without a listener it would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  // Of a connection that nobody uses; the pool makes another one.
  pool.on('error', (err) => logger.warn({ err }, 'a connection to the database was lost'));
  try {
    const client = await pool.connect();
    try {
      const { hasVectors } = await migrateDatabase(client);
      if (server !== undefined) vacuumNowAndThen(pool, server.ended, logger);
      return { pool, db: drizzle(pool), server, hasVectors };
    } finally {
      client.release();
    }
  } catch (thrown) {
    // The reason to tell is the first one.
    await pool.end().catch(() => undefined);
    await server?.close();
    throw thrown;
  }
}

/** PGlite has nobody who does it by itself: rows that are gone would take room, and searches time. */
function vacuumNowAndThen(pool: pg.Pool, ended: AbortSignal, logger: Logger): void {
  const timer = setInterval(() => {
    pool.query('vacuum (analyze)').catch((err: unknown) => {
      // The next one may come through.
      logger.warn({ err }, 'the database could not be vacuumed');
    });
  }, VACUUM_MS).unref();
  ended.addEventListener('abort', () => clearInterval(timer));
}
