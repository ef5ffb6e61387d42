/** Documents and their passages, as rows. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Json } from '@headwater/shared/tasks/task';
import { createSegmentBuilder } from '@headwater/shared/text/retrieval/build-segment';
import type { TermBlock } from '@headwater/shared/text/retrieval/term-blocks';
import type { Database, Db } from '../database/database.ts';
import { and, eq, sql } from '../database/orm.ts';
import {
  collections,
  documents,
  documentTexts,
  lexicalSegments,
} from '../database/schema/passages.ts';
import type { NewDocument } from './passage-library.ts';
import {
  BLOCKS_AT_ONCE,
  insertBlocks,
  insertSegment,
  joinTerms,
  type NewSegment,
} from './segment-store.ts';
import { storableJson, storableText } from './storable.ts';

/** Characters that are indexed between two turns of the event loop: about 5 ms. */
const CHARS_A_TURN = 32_768;

/** Blocks that are packed between two turns. */
const BLOCKS_A_TURN = 64;

/** Passages of one statement. */
const PASSAGES_AT_ONCE = 1000;

/** A new document, ready to be written. */
export interface PreparedDocument {
  readonly document: NewDocument;
  readonly text: string;
  /** What its segment is told to be. */
  readonly segment: Pick<NewSegment, 'passages' | 'terms' | 'lengths' | 'firstTerms'>;
  readonly blocks: readonly TermBlock[];
}

/** Indexes it. Whoever streams meanwhile is let in between. */
export async function prepareDocument(document: NewDocument): Promise<PreparedDocument> {
  const text = storableText(document.content.text);
  const builder = createSegmentBuilder();
  let chars = 0;
  for (const { start, end, heading } of document.passages) {
    builder.add(`${heading}\n${text.slice(start, end)}`);
    chars += end - start;
    if (chars < CHARS_A_TURN) continue;
    chars = 0;
    await nextTurn();
  }
  const { passages, terms } = builder;
  const blocks: TermBlock[] = [];
  for (const block of builder.blocks()) {
    blocks.push(block);
    if (blocks.length % BLOCKS_A_TURN === 0) await nextTurn();
  }
  const segment = { passages, terms, lengths: builder.lengths(), firstTerms: joinTerms(blocks) };
  return { document, text, segment, blocks };
}

/** The collection's id; it is made where it is missing. */
export async function ensureCollection(db: Db, owner: string, name: string): Promise<number> {
  const known = await findCollection(db, owner, name);
  if (known !== undefined) return known;
  await db.insert(collections).values({ owner, name }).onConflictDoNothing();
  const made = await findCollection(db, owner, name);
  if (made === undefined) throw new Error('a collection was not inserted');
  return made;
}

export async function findCollection(
  db: Db,
  owner: string,
  name: string,
): Promise<number | undefined> {
  const [row] = await db
    .select({ id: collections.id })
    .from(collections)
    .where(and(eq(collections.owner, owner), eq(collections.name, name)));
  return row?.id;
}

/**
 * Writes the postings of a large document ahead, in small steps, under a segment that nobody
 * searches yet; undefined for a small one, which is written at once.
 */
export async function stageSegment(
  database: Database,
  collectionId: number,
  { segment, blocks }: PreparedDocument,
  nowMs: () => number,
): Promise<number | undefined> {
  if (blocks.length <= BLOCKS_AT_ONCE) return undefined;
  const segmentId = await database.use((db) =>
    insertSegment(db, {
      collectionId,
      state: 'building',
      ...segment,
      seenAtMs: nowMs(),
    }),
  );
  for (let from = 0; from < blocks.length; from += BLOCKS_AT_ONCE) {
    await database.transaction(async (db) => {
      await db
        .update(lexicalSegments)
        .set({ seenAtMs: nowMs() })
        .where(eq(lexicalSegments.id, segmentId));
      await insertBlocks(db, segmentId, from, blocks.slice(from, from + BLOCKS_AT_ONCE));
    });
  }
  return segmentId;
}

/** Writes all of it; false where the same content is there. MUST run in a transaction. */
export async function insertDocument(
  db: Db,
  prepared: PreparedDocument,
  place: {
    readonly id: string;
    readonly collectionId: number;
    readonly stagedId: number | undefined;
    readonly nowMs: number;
  },
): Promise<boolean> {
  const { document, text, segment, blocks } = prepared;
  const { id, collectionId, stagedId } = place;
  const segmentId =
    stagedId ?? (await insertSegment(db, { collectionId, state: 'live', ...segment }));
  const inserted = await db
    .insert(documents)
    .values({
      id,
      owner: document.owner,
      collectionId,
      title: storableText(document.title),
      mediaType: document.mediaType,
      bytes: document.bytes,
      sha256: document.sha256,
      sourceUrl: document.sourceUrl ?? null,
      metadata: storableJson(document.metadata as Json),
      chars: text.length,
      passages: document.passages.length,
      segmentId,
      firstPassage: 0,
      createdAtMs: place.nowMs,
    })
    .onConflictDoNothing()
    .returning({ id: documents.id });
  if (inserted.length === 0) {
    const unused = eq(lexicalSegments.id, segmentId);
    // What was staged has rows to sweep.
    if (stagedId === undefined) await db.delete(lexicalSegments).where(unused);
    else await db.update(lexicalSegments).set({ state: 'retired' }).where(unused);
    return false;
  }
  await db.insert(documentTexts).values({ documentId: id, text });
  await insertPassages(db, id, document, text);
  if (stagedId === undefined) {
    await insertBlocks(db, segmentId, 0, blocks);
  } else {
    const published = await db
      .update(lexicalSegments)
      .set({ state: 'live', seenAtMs: null })
      .where(and(eq(lexicalSegments.id, segmentId), eq(lexicalSegments.state, 'building')))
      .returning({ id: lexicalSegments.id });
    if (published.length === 0) throw new Error('a staged segment was taken for abandoned');
  }
  return true;
}

async function insertPassages(
  db: Db,
  documentId: string,
  { passages }: NewDocument,
  text: string,
): Promise<void> {
  for (let from = 0; from < passages.length; from += PASSAGES_AT_ONCE) {
    const part = passages.slice(from, from + PASSAGES_AT_ONCE);
    const column = <Value>(pick: (passage: (typeof part)[number], at: number) => Value) =>
      sql.param(part.map(pick));
    await db.execute(sql`
      insert into passages (document_id, ordinal, start_offset, end_offset, heading, page, text)
      select ${documentId}, given.* from unnest(
        ${column((_, at) => from + at)}::int[],
        ${column(({ start }) => start)}::int[],
        ${column(({ end }) => end)}::int[],
        ${column(({ heading }) => storableText(heading))}::text[],
        ${column(({ page }) => page ?? null)}::int[],
        ${column(({ start, end }) => text.slice(start, end).toWellFormed())}::text[]
      ) as given (ordinal, start_offset, end_offset, heading, page, text)`);
  }
}

/** Deletes it with all its rows; its postings stay until a merge. MUST run in a transaction. */
export async function deleteDocument(
  db: Db,
  owner: string,
  id: string,
): Promise<{ readonly collectionId: number } | undefined> {
  const [gone] = await db
    .delete(documents)
    .where(and(eq(documents.id, id), eq(documents.owner, owner)))
    .returning({
      collectionId: documents.collectionId,
      segmentId: documents.segmentId,
      passages: documents.passages,
    });
  if (gone === undefined) return undefined;
  await db.execute(sql`
    update lexical_segments set
      dead = dead + ${gone.passages},
      state = case when dead + ${gone.passages} >= passages then 'retired' else state end
    where id = ${gone.segmentId}`);
  return gone;
}
