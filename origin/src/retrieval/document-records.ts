/** Rows → what the library tells of documents and passages. */

import type { Json } from '@headwater/shared/tasks/task';
import type { SQL } from 'drizzle-orm';
import type { Db } from '../database/database.ts';
import { and, desc, eq, sql } from '../database/orm.ts';
import { collections, documents, documentTexts } from '../database/schema/passages.ts';
import type { PassageKey } from './lexical-search.ts';
import type { DocumentRecord, FoundPassage } from './passage-library.ts';

/** Documents that meet a condition, newest first; `embedded` is 0. */
export async function readRecords(
  db: Db,
  condition: SQL | undefined,
  limit: number,
): Promise<DocumentRecord[]> {
  const rows = await db
    .select({
      id: documents.id,
      owner: documents.owner,
      collection: collections.name,
      title: documents.title,
      mediaType: documents.mediaType,
      bytes: documents.bytes,
      sha256: documents.sha256,
      sourceUrl: documents.sourceUrl,
      metadata: documents.metadata,
      chars: documents.chars,
      passages: documents.passages,
      createdAtMs: documents.createdAtMs,
    })
    .from(documents)
    .innerJoin(collections, eq(collections.id, documents.collectionId))
    .where(condition)
    .orderBy(desc(documents.createdAtMs), desc(documents.id))
    .limit(limit);
  return rows.map((row) => ({
    ...row,
    metadata: row.metadata as { readonly [name: string]: Json },
    embedded: 0,
  }));
}

/** A page of an owner's documents. */
export async function listRecords(
  db: Db,
  owner: string,
  page: {
    readonly collection?: string | undefined;
    readonly limit: number;
    readonly after?: string | undefined;
  },
): Promise<DocumentRecord[]> {
  const { collection, after } = page;
  return readRecords(
    db,
    and(
      eq(documents.owner, owner),
      collection === undefined ? undefined : eq(collections.name, collection),
      after === undefined
        ? undefined
        : sql`(${documents.createdAtMs}, ${documents.id}) < (
            select last.created_at_ms, last.id from documents as last
            where last.id = ${after} and last.owner = ${owner})`,
    ),
    page.limit,
  );
}

/** Of an owner's document. */
export async function readText(db: Db, owner: string, id: string): Promise<string | undefined> {
  const [row] = await db
    .select({ text: documentTexts.text })
    .from(documentTexts)
    .innerJoin(documents, eq(documents.id, documentTexts.documentId))
    .where(and(eq(documents.id, id), eq(documents.owner, owner)));
  return row?.text;
}

/** What is to be told of a find. */
export interface RankedPassage extends PassageKey {
  readonly score: number;
  readonly lexicalRank?: number;
  readonly vectorRank?: number;
}

/** The passages themselves, in the same order. */
export async function readPassages(
  db: Db,
  ranked: readonly RankedPassage[],
): Promise<FoundPassage[]> {
  if (ranked.length === 0) return [];
  const { rows } = await db.execute<{
    n: string;
    title: string;
    heading: string;
    page: number | null;
    start: number;
    end: number;
    text: string;
  }>(sql`
    select asked.n, document.title, passage.heading, passage.page,
      passage.start_offset as start, passage.end_offset as end, passage.text
    from unnest(
      ${sql.param(ranked.map(({ documentId }) => documentId))}::text[],
      ${sql.param(ranked.map(({ ordinal }) => ordinal))}::int[]
    ) with ordinality as asked (id, ordinal, n)
    join documents as document on document.id = asked.id
    join passages as passage
      on passage.document_id = asked.id and passage.ordinal = asked.ordinal
    order by asked.n`);
  return rows.flatMap(({ n, ...row }) => {
    const found = ranked[Number(n) - 1];
    if (found === undefined) return [];
    const { documentId, ordinal, ...ranks } = found;
    return { passageId: `${documentId}.${ordinal}`, documentId, ...row, ...ranks };
  });
}
