/**
 * The table of vectors. It is made when it is first needed, because a server without pgvector could
 * not run a migration that makes it.
 */

import { createHash } from 'node:crypto';
import type { Db } from '../database/database.ts';
import { sql } from '../database/orm.ts';
import type { PassageKey } from './lexical-search.ts';
import type { VectorQuery } from './vector-index.ts';

/** pgvector indexes no longer vectors of this type: https://github.com/pgvector/pgvector#hnsw */
const MAX_INDEXED = 2000;

/** So many vectors are compared one by one: exact, and quick enough. */
const EXACT_UP_TO = 10_000;

/**
 * Makes the tables, each once, whoever else does. True where pgvector can go on in an index until
 * enough was found, which it can from 0.8 on.
 */
export async function makeVectorTables(db: Db): Promise<boolean> {
  // Of two that make the same at the same moment Postgres refuses one, in spite of the words below.
  await db.execute(sql`select pg_advisory_xact_lock(4853277402)`);
  // First what names documents: whoever adds one locks its tables in the same order.
  await db.execute(sql`
    create table if not exists embedded_documents (
      document_id text not null references documents (id) on delete cascade,
      model text not null,
      claim text not null,
      claimed_at_ms bigint not null,
      is_done boolean not null default false,
      primary key (document_id, model)
    )`);
  await db.execute(sql`
    create table if not exists passage_vectors (
      document_id text not null,
      ordinal integer not null,
      model text not null,
      collection_id integer not null,
      embedding vector not null,
      primary key (document_id, ordinal, model),
      foreign key (document_id, ordinal) references passages (document_id, ordinal)
        on delete cascade
    )`);
  await db.execute(sql`
    create index if not exists passage_vectors_by_collection
      on passage_vectors (collection_id, model)`);
  const { rows } = await db.execute<{ version: string }>(
    sql`select extversion as version from pg_extension where extname = 'vector'`,
  );
  const [major = 0, minor = 0] = (rows[0]?.version ?? '').split('.').map(Number);
  return major > 0 || minor >= 8;
}

/** Indexes the vectors of a model, where their length allows it. */
export async function makeVectorIndex(db: Db, model: string, size: number): Promise<void> {
  if (size > MAX_INDEXED) return;
  const hash = createHash('sha256').update(`${model} ${size}`).digest('hex').slice(0, 16);
  await db.execute(sql`select pg_advisory_xact_lock(4853277402)`);
  await db.execute(sql`
    create index if not exists ${sql.identifier(`passage_vectors_${hash}`)} on passage_vectors
      using hnsw ((embedding::vector(${sql.raw(String(size))})) vector_cosine_ops)
      where model = ${sql.raw(quoted(model))} and vector_dims(embedding) = ${sql.raw(String(size))}`);
}

/** A condition of an index takes no parameter. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** One that is there already stays. */
export async function insertVectors(
  db: Db,
  place: { readonly documentId: string; readonly collectionId: number; readonly model: string },
  ordinals: readonly number[],
  vectors: readonly (readonly number[])[],
): Promise<void> {
  const texts = vectors.map((vector) => JSON.stringify(vector));
  // The join locks out nobody, and leaves out passages that were deleted meanwhile.
  await db.execute(sql`
    insert into passage_vectors (document_id, ordinal, model, collection_id, embedding)
    select passage.document_id, passage.ordinal, ${place.model}, ${place.collectionId},
      given.embedding::vector
    from unnest(${sql.param([...ordinals])}::int[], ${sql.param(texts)}::text[])
      as given (ordinal, embedding)
    join passages as passage
      on passage.document_id = ${place.documentId} and passage.ordinal = given.ordinal
    on conflict do nothing`);
}

/** The nearest by cosine, nearest first. */
export async function searchVectors(
  db: Db,
  model: string,
  index: { readonly goesOn: boolean; readonly exactUpTo?: number | undefined },
  { collectionId, vector, limit, documentIds }: VectorQuery,
): Promise<PassageKey[]> {
  const size = sql.raw(String(vector.length));
  const wanted = JSON.stringify(vector);
  const mine = sql`collection_id = ${collectionId} and model = ${sql.raw(quoted(model))}
    and vector_dims(embedding) = ${size}
    ${documentIds === undefined ? sql`` : sql`and document_id = any (${sql.param([...documentIds])}::text[])`}`;
  const { goesOn, exactUpTo = EXACT_UP_TO } = index;
  const { rows: counted } = await db.execute<{ n: number }>(sql`
    select count(*)::int as n from (
      select 1 from passage_vectors where ${mine} limit ${exactUpTo + 1}) as counted`);
  const isExact = (counted[0]?.n ?? 0) <= exactUpTo || vector.length > MAX_INDEXED;
  // An index knows nothing of collections: it is asked on until enough of this one's came.
  if (!isExact && goesOn) await db.execute(sql`set local hnsw.iterative_scan = strict_order`);
  const { rows } = await db.execute<{ id: string; ordinal: number }>(
    isExact
      ? sql`with mine as materialized (
          select document_id, ordinal, embedding from passage_vectors where ${mine})
        select document_id as id, ordinal from mine
        order by embedding <=> ${wanted}::vector, document_id, ordinal limit ${limit}`
      : sql`select document_id as id, ordinal from passage_vectors where ${mine}
        order by (embedding::vector(${size})) <=> ${wanted}::vector(${size}) limit ${limit}`,
  );
  return rows.map(({ id, ordinal }) => ({ documentId: id, ordinal }));
}

/** Passages of each document that have a vector. */
export async function countVectors(
  db: Db,
  model: string,
  documentIds: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await db.execute<{ id: string; n: number }>(sql`
    select document_id as id, count(*)::int as n from passage_vectors
    where model = ${model} and document_id = any (${sql.param([...documentIds])}::text[])
    group by document_id`);
  return new Map(rows.map(({ id, n }) => [id, n]));
}
