/** Passages → a segment of the lexical index: immutable, and numbered from 0 by itself. */

import { createPostingWriter, type PostingWriter } from './postings.ts';
import { createBlockPacker, type TermBlock } from './term-blocks.ts';
import { termsOf } from './terms.ts';

/** Indexes texts one after the other, so that a host can pause between them. */
export interface SegmentBuilder {
  add(text: string): void;
  readonly passages: number;
  /** Of all passages together. */
  readonly terms: number;
  /** A copy of the terms of each passage, two bytes each, the low one first. */
  lengths(): Uint8Array;
  /** All terms with their postings, in order. */
  blocks(): Generator<TermBlock>;
}

/** Two bytes hold no more; no passage is that long. */
const MAX_LENGTH = 0xffff;

export function createSegmentBuilder(): SegmentBuilder {
  const postings = new Map<string, PostingWriter>();
  const lengths: number[] = [];
  let total = 0;
  return {
    get passages() {
      return lengths.length;
    },
    get terms() {
      return total;
    },
    add(text) {
      const terms = termsOf(text);
      const counts = new Map<string, number>();
      for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
      for (const [term, count] of counts) {
        let writer = postings.get(term);
        if (writer === undefined) {
          writer = createPostingWriter();
          postings.set(term, writer);
        }
        writer.add(lengths.length, count);
      }
      const length = Math.min(terms.length, MAX_LENGTH);
      lengths.push(length);
      total += length;
    },
    lengths() {
      const bytes = new Uint8Array(lengths.length * 2);
      for (const [passage, length] of lengths.entries()) {
        bytes[passage * 2] = length & 0xff;
        bytes[passage * 2 + 1] = length >> 8;
      }
      return bytes;
    },
    *blocks() {
      const packer = createBlockPacker();
      for (const term of [...postings.keys()].sort()) {
        const writer = postings.get(term);
        if (writer !== undefined) packer.add({ term, df: writer.df, bytes: writer.bytes() });
        yield* packer.take();
      }
      yield* packer.take(true);
    },
  };
}
