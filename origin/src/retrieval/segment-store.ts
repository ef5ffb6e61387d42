/** Segments of the lexical index, as rows. */

import type { TermBlock } from '@headwater/shared/text/retrieval/term-blocks';
import type { Db } from '../database/database.ts';
import { sql } from '../database/orm.ts';
import { lexicalSegments } from '../database/schema/passages.ts';

/** A segment without its postings. */
export interface NewSegment {
  readonly collectionId: number;
  readonly state: 'live' | 'building';
  readonly passages: number;
  readonly terms: number;
  readonly lengths: Uint8Array;
  /** Of its blocks, as {@link joinTerms} joins them; `''` as long as they are not known. */
  readonly firstTerms: string;
  readonly sources?: readonly number[];
  /** Of a builder, which MUST be seen again within {@link BUILDER_LEASE_MS}. */
  readonly seenAtMs?: number;
}

/** A builder that was not seen for so long is gone, in ms. */
export const BUILDER_LEASE_MS = 300_000;

/** Blocks of one statement, about 400 KB: the embedded database does nothing else meanwhile. */
export const BLOCKS_AT_ONCE = 256;

/** No term holds a line break. */
export const joinTerms = (blocks: readonly TermBlock[]): string =>
  blocks.map(({ firstTerm }) => firstTerm).join('\n');

/** Returns its id, which no other segment ever had. */
export async function insertSegment(db: Db, segment: NewSegment): Promise<number> {
  const [row] = await db
    .insert(lexicalSegments)
    .values({
      collectionId: segment.collectionId,
      state: segment.state,
      passages: segment.passages,
      terms: segment.terms,
      lengths: Buffer.from(segment.lengths),
      firstTerms: segment.firstTerms,
      sources: segment.sources === undefined ? null : [...segment.sources],
      seenAtMs: segment.seenAtMs ?? null,
    })
    .returning({ id: lexicalSegments.id });
  if (row === undefined) throw new Error('a segment was not inserted');
  return row.id;
}

/** Writes blocks of a segment, of which `from` is the number of the first. */
export async function insertBlocks(
  db: Db,
  segmentId: number,
  from: number,
  blocks: readonly TermBlock[],
): Promise<void> {
  if (blocks.length === 0) return;
  // One parameter in place of one for each row; base64 is shorter than Postgres' own form.
  const texts = blocks.map(({ bytes }) => Buffer.from(bytes).toString('base64'));
  await db.execute(sql`
    insert into lexical_blocks (segment_id, number, bytes)
    select ${segmentId}, ${from} + n - 1, decode(bytes, 'base64')
    from unnest(${sql.param(texts)}::text[]) with ordinality as given (bytes, n)`);
}
