/** Joins segments in small steps, so that searches and writes go on in between. */

import { mergePostings, type PostingSource } from '@headwater/shared/text/retrieval/postings';
import { createBlockPacker, type TermBlock } from '@headwater/shared/text/retrieval/term-blocks';
import type { Database, Db } from '../database/database.ts';
import { and, eq, inArray, lt, sql } from '../database/orm.ts';
import { collections, documents, lexicalSegments } from '../database/schema/passages.ts';
import { planMerge } from './plan-merge.ts';
import { createSegmentReader } from './segment-reader.ts';
import { BLOCKS_AT_ONCE, BUILDER_LEASE_MS, insertBlocks, insertSegment } from './segment-store.ts';

/** What a merge needs. */
export interface MergePorts {
  readonly database: Database;
  nowMs(): number;
  /** Stops between two steps; what was begun is given up. */
  readonly stop: AbortSignal;
}

/** A merge that has begun. */
interface Merge {
  readonly segmentId: number;
  readonly sources: readonly number[];
  /** The first passage of each document in the new segment. */
  readonly firstPassages: ReadonlyMap<string, number>;
  readonly renumbered: ReadonlyMap<number, Int32Array>;
  readonly passages: number;
}

/** Blocks that are deleted at once. */
const SWEPT_AT_ONCE = 2000;

/** Joins what should be joined in a collection, until nothing is left to do. */
export async function mergeCollection(ports: MergePorts, collectionId: number): Promise<void> {
  const { database, stop } = ports;
  await retireAbandoned(ports, collectionId);
  while (!stop.aborted) {
    const merge = await database.transaction((db) => beginMerge(db, ports, collectionId));
    if (merge === undefined) break;
    const firstTerms = await copyPostings(ports, merge);
    await database.transaction((db) =>
      firstTerms === undefined ? giveUp(db, merge) : publish(db, merge, firstTerms),
    );
  }
  await sweepRetired(ports);
}

/** Claims the sources: nobody else joins what a builder names. */
async function beginMerge(
  db: Db,
  { nowMs }: MergePorts,
  collectionId: number,
): Promise<Merge | undefined> {
  await db
    .select({ id: collections.id })
    .from(collections)
    .where(eq(collections.id, collectionId))
    .for('update');
  const rows = await db
    .select({
      id: lexicalSegments.id,
      state: lexicalSegments.state,
      passages: lexicalSegments.passages,
      dead: lexicalSegments.dead,
      sources: lexicalSegments.sources,
    })
    .from(lexicalSegments)
    .where(
      and(
        eq(lexicalSegments.collectionId, collectionId),
        inArray(lexicalSegments.state, ['live', 'building']),
      ),
    );
  const taken = new Set(rows.flatMap(({ sources }) => sources ?? []));
  const free = rows.filter(({ id, state }) => state === 'live' && !taken.has(id));
  const sources = planMerge(free);
  if (sources === undefined) return undefined;
  const kept = await renumber(db, sources);
  const segmentId = await insertSegment(db, {
    collectionId,
    state: 'building',
    sources,
    seenAtMs: nowMs(),
    firstTerms: '',
    ...kept,
  });
  return { segmentId, sources, ...kept };
}

/** New numbers for the passages that are still there, in the order of the sources. */
async function renumber(db: Db, sources: readonly number[]) {
  const segments = await db
    .select({ id: lexicalSegments.id, lengths: lexicalSegments.lengths })
    .from(lexicalSegments)
    .where(inArray(lexicalSegments.id, [...sources]));
  const lengthsOf = new Map(segments.map(({ id, lengths }) => [id, lengths]));
  const rows = await db
    .select({
      id: documents.id,
      segmentId: documents.segmentId,
      first: documents.firstPassage,
      passages: documents.passages,
    })
    .from(documents)
    .where(inArray(documents.segmentId, [...sources]));
  const place = new Map(sources.map((id, at) => [id, at]));
  const placeOf = (row: (typeof rows)[number]) => place.get(row.segmentId) ?? 0;
  rows.sort((one, other) => placeOf(one) - placeOf(other) || one.first - other.first);

  const renumbered = new Map(
    sources.map((id) => [id, new Int32Array((lengthsOf.get(id)?.length ?? 0) / 2).fill(-1)]),
  );
  const firstPassages = new Map<string, number>();
  const lengths: Buffer[] = [];
  let passages = 0;
  let terms = 0;
  for (const row of rows) {
    const part = lengthsOf
      .get(row.segmentId)
      ?.subarray(row.first * 2, (row.first + row.passages) * 2);
    const numbers = renumbered.get(row.segmentId);
    if (part === undefined || numbers === undefined) continue;
    firstPassages.set(row.id, passages);
    lengths.push(part);
    for (let at = 0; at < row.passages; at += 1) {
      numbers[row.first + at] = passages + at;
      terms += part.readUInt16LE(at * 2);
    }
    passages += row.passages;
  }
  return { renumbered, firstPassages, lengths: Buffer.concat(lengths), passages, terms };
}

/** The first terms of the new blocks; undefined where it was stopped, or taken for abandoned. */
async function copyPostings(ports: MergePorts, merge: Merge): Promise<string[] | undefined> {
  const { database, nowMs, stop } = ports;
  const readers = merge.sources.map((id) => createSegmentReader(database, id));
  const packer = createBlockPacker();
  const firstTerms: string[] = [];

  async function write(blocks: readonly TermBlock[]): Promise<boolean> {
    const isOurs = await database.transaction(async (db) => {
      const seen = await db
        .update(lexicalSegments)
        .set({ seenAtMs: nowMs() })
        .where(and(eq(lexicalSegments.id, merge.segmentId), eq(lexicalSegments.state, 'building')))
        .returning({ id: lexicalSegments.id });
      if (seen.length > 0) await insertBlocks(db, merge.segmentId, firstTerms.length, blocks);
      return seen.length > 0;
    });
    for (const { firstTerm } of blocks) firstTerms.push(firstTerm);
    return isOurs;
  }

  let blocks: TermBlock[] = [];
  for (;;) {
    if (stop.aborted) return undefined;
    // Terms that are in memory now, up to the first source that has to be read on.
    for (const reader of readers) if (reader.head === undefined) await reader.refill();
    for (;;) {
      const heads = readers.filter(({ head }) => head !== undefined);
      const least = heads.reduce<string | undefined>((term, { head }) => {
        return head !== undefined && (term === undefined || head.term < term) ? head.term : term;
      }, undefined);
      if (least === undefined) break;
      const sources = heads.flatMap((reader): PostingSource[] => {
        if (reader.head?.term !== least) return [];
        const { bytes } = reader.head;
        reader.advance();
        return [{ bytes, renumbered: merge.renumbered.get(reader.id) ?? new Int32Array() }];
      });
      const list = mergePostings(sources);
      if (list !== undefined) packer.add({ term: least, ...list });
      if (readers.some(({ head, isWhole }) => head === undefined && !isWhole)) break;
    }
    const isLast = readers.every(({ head, isWhole }) => head === undefined && isWhole);
    blocks.push(...packer.take(isLast));
    if (!isLast && blocks.length < BLOCKS_AT_ONCE) continue;
    for (; blocks.length > 0; blocks = blocks.slice(BLOCKS_AT_ONCE)) {
      if (!(await write(blocks.slice(0, BLOCKS_AT_ONCE)))) return undefined;
    }
    if (isLast) return firstTerms;
  }
}

/** The new segment takes the place of its sources, all at once. */
async function publish(db: Db, merge: Merge, firstTerms: readonly string[]): Promise<void> {
  const { segmentId, sources } = merge;
  const left = await db
    .select({ id: documents.id, passages: documents.passages })
    .from(documents)
    .where(inArray(documents.segmentId, [...sources]))
    .for('update');
  const kept = left.reduce((sum, { passages }) => sum + passages, 0);
  const published = await db
    .update(lexicalSegments)
    .set({
      state: kept === 0 ? 'retired' : 'live',
      firstTerms: firstTerms.join('\n'),
      sources: null,
      seenAtMs: null,
      dead: merge.passages - kept,
    })
    .where(and(eq(lexicalSegments.id, segmentId), eq(lexicalSegments.state, 'building')))
    .returning({ id: lexicalSegments.id });
  if (published.length === 0) return;
  const ids = left.map(({ id }) => id);
  const firsts = ids.map((id) => merge.firstPassages.get(id) ?? 0);
  await db.execute(sql`
    update documents set segment_id = ${segmentId}, first_passage = moved.first_passage
    from unnest(${sql.param(ids)}::text[], ${sql.param(firsts)}::int[]) as moved (id, first_passage)
    where documents.id = moved.id`);
  await db
    .update(lexicalSegments)
    .set({ state: 'retired' })
    .where(inArray(lexicalSegments.id, [...sources]));
}

async function giveUp(db: Db, { segmentId }: Merge): Promise<void> {
  await db
    .update(lexicalSegments)
    .set({ state: 'retired', sources: null })
    .where(and(eq(lexicalSegments.id, segmentId), eq(lexicalSegments.state, 'building')));
}

/** Builders that died leave their sources to others. */
async function retireAbandoned({ database, nowMs }: MergePorts, collectionId: number) {
  await database.use((db) =>
    db
      .update(lexicalSegments)
      .set({ state: 'retired', sources: null })
      .where(
        and(
          eq(lexicalSegments.collectionId, collectionId),
          eq(lexicalSegments.state, 'building'),
          lt(lexicalSegments.seenAtMs, nowMs() - BUILDER_LEASE_MS),
        ),
      ),
  );
}

/** Deletes what is retired, of any collection, whoever left it. */
async function sweepRetired({ database, stop }: MergePorts): Promise<void> {
  let swept = 0;
  while (!stop.aborted) {
    const isDone = await database.transaction(async (db) => {
      const [segment] = await db
        .select({ id: lexicalSegments.id })
        .from(lexicalSegments)
        .where(eq(lexicalSegments.state, 'retired'))
        .limit(1)
        .for('update', { skipLocked: true });
      if (segment === undefined) return true;
      const { rowCount } = await db.execute(sql`
        delete from lexical_blocks where ctid = any (array(
          select ctid from lexical_blocks where segment_id = ${segment.id} limit ${SWEPT_AT_ONCE}))`);
      swept += rowCount ?? 0;
      if ((rowCount ?? 0) < SWEPT_AT_ONCE) {
        await db.delete(lexicalSegments).where(eq(lexicalSegments.id, segment.id));
      }
      return false;
    });
    if (isDone) break;
  }
  // A server does it by itself; PGlite never.
  if (swept === 0 || database.look().kind !== 'embedded') return;
  await database.use((db) => db.execute(sql`vacuum lexical_blocks, lexical_segments`));
}
