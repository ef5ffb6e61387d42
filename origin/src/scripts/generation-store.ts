/** Scripts in the database: what was asked for, and what came of it. */

import type { Database, Db } from '../database/database.ts';
import { isDuplicate } from '../database/database-fault.ts';
import { and, asc, desc, eq, gt, inArray, lte, or, sql } from '../database/orm.ts';
import { generations } from '../database/schema/scripts.ts';
import { SWEPT_AT_ONCE, sweepAll } from '../database/sweep-all.ts';
import type { Generation, GenerationOutcome, NewGeneration } from './generation-record.ts';

/** A part of a caller's list, newest first. */
interface GenerationListing {
  readonly projectId?: string | undefined;
  /** What comes after this one; one that is not there leaves nothing. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Keeps scripts. Errors: `unavailable` of the database. */
export interface GenerationStore {
  /** False where its idempotency key is taken. */
  insert(generation: NewGeneration): Promise<boolean>;
  /** Forgets one that no task was kept for. */
  remove(id: string): Promise<void>;
  find(owner: string, id: string): Promise<Generation | undefined>;
  findByKey(owner: string, key: string): Promise<Generation | undefined>;
  list(owner: string, listing: GenerationListing): Promise<readonly Generation[]>;
  /** Those whose end is not noted, oldest first, after a time and an id. */
  open(
    after: { readonly createdAtMs: number; readonly id: string },
    limit: number,
  ): Promise<readonly Generation[]>;
  /** Notes how it ended; the first note stands. */
  note(id: string, outcome: GenerationOutcome): Promise<void>;
  /** Takes back that its task was not found. */
  reopen(id: string): Promise<void>;
  /** Deletes those that were over at this time; gives how many. None in a database that is not open. */
  sweep(beforeMs: number): Promise<number>;
}

type Row = typeof generations.$inferSelect;

/** Makes the store. */
export function createGenerationStore(database: Database): GenerationStore {
  return {
    async insert(generation) {
      try {
        await database.use((db) => db.insert(generations).values(rowOf(generation)));
        return true;
      } catch (thrown) {
        if (isDuplicate(thrown)) return false;
        throw thrown;
      }
    },
    async remove(id) {
      await database.use((db) => db.delete(generations).where(eq(generations.id, id)));
    },
    async find(owner, id) {
      const [row] = await database.use((db) =>
        db
          .select()
          .from(generations)
          .where(and(eq(generations.id, id), eq(generations.owner, owner))),
      );
      return row && generationOf(row);
    },
    async findByKey(owner, key) {
      const [row] = await database.use((db) =>
        db
          .select()
          .from(generations)
          .where(and(eq(generations.owner, owner), eq(generations.idempotencyKey, key))),
      );
      return row && generationOf(row);
    },
    async list(owner, { projectId, after, limit }) {
      const { createdAtMs, id } = generations;
      const before =
        after === undefined
          ? undefined
          : sql`(${createdAtMs}, ${id}) < (select ${createdAtMs}, ${id} from ${generations} where ${id} = ${after} and ${generations.owner} = ${owner})`;
      const rows = await database.use((db) =>
        db
          .select()
          .from(generations)
          .where(
            and(
              eq(generations.owner, owner),
              projectId === undefined ? undefined : eq(generations.projectId, projectId),
              before,
            ),
          )
          .orderBy(desc(createdAtMs), desc(id))
          .limit(limit),
      );
      return rows.map(generationOf);
    },
    async open(after, limit) {
      const { createdAtMs, id, isOver } = generations;
      const rows = await database.use((db) =>
        db
          .select()
          .from(generations)
          .where(
            and(
              eq(isOver, false),
              or(
                gt(createdAtMs, after.createdAtMs),
                and(eq(createdAtMs, after.createdAtMs), gt(id, after.id)),
              ),
            ),
          )
          .orderBy(asc(createdAtMs), asc(id))
          .limit(limit),
      );
      return rows.map(generationOf);
    },
    async note(id, outcome) {
      await database.use((db) =>
        db
          .update(generations)
          .set({
            isOver: true,
            status: outcome.status,
            progress: Math.round(outcome.progress * 1000),
            startedAtMs: outcome.startedAtMs,
            finishedAtMs: outcome.finishedAtMs,
            text: storable(outcome.text),
            result: outcome.result === null ? null : JSON.stringify(outcome.result),
            error: outcome.error === null ? null : JSON.stringify(outcome.error),
          })
          .where(and(eq(generations.id, id), eq(generations.isOver, false))),
      );
    },
    async reopen(id) {
      await database.use((db) =>
        db
          .update(generations)
          .set({ isOver: false, status: 'queued', error: null, finishedAtMs: null })
          .where(and(eq(generations.id, id), eq(generations.status, 'failed'))),
      );
    },
    sweep: (beforeMs) => sweepAll(database, (db) => sweepSome(db, beforeMs)),
  };
}

async function sweepSome(db: Db, beforeMs: number): Promise<number> {
  const { id, isOver, createdAtMs, finishedAtMs } = generations;
  const old = db
    .select({ id })
    .from(generations)
    // Nothing is over before it is made: the index knows the time of making alone.
    .where(and(eq(isOver, true), lte(createdAtMs, beforeMs), lte(finishedAtMs, beforeMs)))
    .limit(SWEPT_AT_ONCE);
  const gone = await db.delete(generations).where(inArray(id, old)).returning({ id });
  return gone.length;
}

/** Postgres takes every character but NUL, and no half of one. */
function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed();
}

function rowOf(generation: NewGeneration): typeof generations.$inferInsert {
  const { request, warnings, idempotencyKey, ...rest } = generation;
  return {
    ...rest,
    projectId: request.project_id,
    request: JSON.stringify(request),
    warnings: JSON.stringify(warnings),
    idempotencyKey: idempotencyKey ?? null,
    status: 'queued',
  };
}

function generationOf(row: Row): Generation {
  return {
    id: row.id,
    owner: row.owner,
    request: JSON.parse(row.request) as Generation['request'],
    templateId: row.templateId,
    templateVersion: row.templateVersion,
    warnings: JSON.parse(row.warnings) as string[],
    ...(row.idempotencyKey === null ? {} : { idempotencyKey: row.idempotencyKey }),
    fingerprint: row.fingerprint,
    createdAtMs: row.createdAtMs,
    outcome: row.isOver ? outcomeOf(row) : undefined,
  };
}

function outcomeOf(row: Row): GenerationOutcome {
  return {
    status: row.status as GenerationOutcome['status'],
    progress: row.progress / 1000,
    startedAtMs: row.startedAtMs,
    finishedAtMs: row.finishedAtMs ?? row.createdAtMs,
    text: row.text,
    result: row.result === null ? null : (JSON.parse(row.result) as GenerationOutcome['result']),
    error: row.error === null ? null : (JSON.parse(row.error) as GenerationOutcome['error']),
  };
}
