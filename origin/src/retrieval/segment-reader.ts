/** Reads a segment of the lexical index from its beginning to its end. */

import { readBlock, type TermPostings } from '@headwater/shared/text/retrieval/term-blocks';
import type { Database } from '../database/database.ts';
import { and, eq, gte } from '../database/orm.ts';
import { lexicalBlocks } from '../database/schema/passages.ts';

/** Blocks that are read at once: what is made of them must not hold up the streams. */
const BLOCKS_READ = 16;

/** Reads the terms of a segment in order. */
export interface SegmentReader {
  readonly id: number;
  /** Undefined at the end, and where {@link refill} has to be called. */
  readonly head: TermPostings | undefined;
  /** True once nothing is left to read. */
  readonly isWhole: boolean;
  advance(): void;
  refill(): Promise<void>;
}

export function createSegmentReader(database: Database, id: number): SegmentReader {
  let terms: TermPostings[] = [];
  let at = 0;
  let next = 0;
  let isWhole = false;
  return {
    id,
    get head() {
      return terms[at];
    },
    get isWhole() {
      return isWhole;
    },
    advance() {
      at += 1;
    },
    async refill() {
      if (isWhole) return;
      const rows = await database.use((db) =>
        db
          .select({ number: lexicalBlocks.number, bytes: lexicalBlocks.bytes })
          .from(lexicalBlocks)
          .where(and(eq(lexicalBlocks.segmentId, id), gte(lexicalBlocks.number, next)))
          .orderBy(lexicalBlocks.number)
          .limit(BLOCKS_READ),
      );
      terms = rows.flatMap(({ bytes }) => [...readBlock(bytes)]);
      at = 0;
      next = (rows.at(-1)?.number ?? next) + 1;
      isWhole = rows.length < BLOCKS_READ;
    },
  };
}
