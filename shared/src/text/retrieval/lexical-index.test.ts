import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBestPassages } from './best-passages.ts';
import { addScores, BM25, normsOf, weightOfTerm } from './bm25.ts';
import { createSegmentBuilder } from './build-segment.ts';
import { fuseByRank } from './fuse.ts';
import { createPostingWriter, mergePostings, readPostings } from './postings.ts';
import { blockOf, createBlockPacker, findInBlock, readBlock } from './term-blocks.ts';
import { termsOf } from './terms.ts';

const read = (bytes: Uint8Array) => {
  const seen: [number, number][] = [];
  readPostings(bytes, (passage, count) => seen.push([passage, count]));
  return seen;
};

const list = fc
  .uniqueArray(fc.integer({ min: 0, max: 5_000_000 }), { maxLength: 60 })
  .map((numbers) => numbers.sort((one, other) => one - other))
  .chain((numbers) =>
    fc.tuple(...numbers.map((n) => fc.tuple(fc.constant(n), fc.integer({ min: 1, max: 70_000 })))),
  );

const write = (entries: readonly (readonly [number, number])[]) => {
  const writer = createPostingWriter();
  for (const [passage, count] of entries) writer.add(passage, count);
  return writer;
};

describe('the lexical index', () => {
  it('FIND-7: gives postings back as they were written', () => {
    fc.assert(
      fc.property(list, (entries) => {
        const writer = write(entries);
        expect(writer.df).toBe(entries.length);
        expect(read(writer.bytes())).toEqual(entries);
      }),
    );
  });

  it('FIND-7: joins postings without those that are gone', () => {
    const sources = [
      {
        bytes: write([
          [0, 1],
          [2, 3],
          [3, 1],
        ]).bytes(),
        renumbered: Int32Array.of(0, 1, -1, 2),
      },
      { bytes: write([[1, 9]]).bytes(), renumbered: Int32Array.of(3, 4) },
    ];
    const merged = mergePostings(sources);
    expect(merged?.df).toBe(3);
    expect(read(merged?.bytes ?? new Uint8Array())).toEqual([
      [0, 1],
      [2, 1],
      [4, 9],
    ]);
    const gone = { bytes: write([[0, 1]]).bytes(), renumbered: Int32Array.of(-1) };
    expect(mergePostings([gone])).toBeUndefined();
  });

  it('FIND-7: finds each term in the one block that may hold it', () => {
    const term = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.uniqueArray(term, { minLength: 1, maxLength: 200 }), term, (terms, other) => {
        const packer = createBlockPacker();
        const bytes = new Uint8Array(100).fill(7);
        for (const name of terms.toSorted()) packer.add({ term: name, df: name.length, bytes });
        const blocks = packer.take(true);
        const firsts = blocks.map(({ firstTerm }) => firstTerm);
        for (const name of [...terms, other]) {
          const at = blockOf(firsts, name);
          const found =
            at === undefined ? undefined : findInBlock(blocks[at]?.bytes ?? bytes, name);
          expect(found?.df).toBe(terms.includes(name) ? name.length : undefined);
        }
        const all = blocks.flatMap((block) => [...readBlock(block.bytes)]);
        expect(all.map((entry) => entry.term)).toEqual(terms.toSorted());
      }),
      { numRuns: 60 },
    );
  });

  it('FIND-8: scores as the formula does', () => {
    const word = fc.constantFrom('ada', 'bert', 'cleo', 'dora', 'emil', 'fritz');
    const passage = fc.array(word, { minLength: 1, maxLength: 30 }).map((words) => words.join(' '));
    const query = fc.uniqueArray(word, { minLength: 1 });
    fc.assert(
      fc.property(fc.array(passage, { minLength: 1, maxLength: 20 }), query, (texts, words) => {
        const builder = createSegmentBuilder();
        for (const text of texts) builder.add(text);
        const norms = normsOf(builder.lengths(), builder.terms / texts.length);
        const scores = new Float64Array(texts.length);
        const blocks = [...builder.blocks()];
        for (const term of words.flatMap(termsOf)) {
          const entry = findInBlock(blocks[0]?.bytes ?? new Uint8Array(), term);
          if (entry) addScores(scores, norms, entry.bytes, weightOfTerm(entry.df, texts.length));
        }
        const bags = texts.map(termsOf);
        const mean = bags.reduce((sum, bag) => sum + bag.length, 0) / bags.length;
        for (const [at, bag] of bags.entries()) {
          let score = 0;
          for (const term of words.flatMap(termsOf)) {
            const df = bags.filter((other) => other.includes(term)).length;
            const tf = bag.filter((other) => other === term).length;
            const idf = Math.log(1 + (texts.length - df + 0.5) / (df + 0.5));
            const length = 1 - BM25.b + (BM25.b * bag.length) / mean;
            score += (idf * tf * (BM25.k1 + 1)) / (tf + BM25.k1 * length);
          }
          expect(scores[at]).toBeCloseTo(score, 9);
        }
      }),
    );
  });

  it('FIND-8: keeps the best, and the earlier of what scores the same', () => {
    const score = fc.integer({ min: 0, max: 9 });
    fc.assert(
      fc.property(
        fc.array(score, { maxLength: 80 }),
        fc.integer({ min: 1, max: 20 }),
        (all, limit) => {
          const best = createBestPassages(limit);
          const half = all.length >> 1;
          best.see(1, Float64Array.from(all), 0, half);
          best.see(1, Float64Array.from(all), half, all.length);
          const sorted = all
            .map((value, passage) => ({ segment: 1, passage, score: value }))
            .filter((entry) => entry.score > 0)
            .sort((one, other) => other.score - one.score || one.passage - other.passage);
          expect(best.list()).toEqual(sorted.slice(0, limit));
        },
      ),
    );
  });

  it('FIND-13: fuses lists by the places in them', () => {
    const fused = fuseByRank(
      [
        ['a', 'b', 'c'],
        ['c', 'd'],
      ],
      (item) => item,
    );
    expect(fused.map(({ item }) => item)).toEqual(['c', 'a', 'b', 'd']);
    expect(fused[0]).toEqual({ item: 'c', score: 1 / 63 + 1 / 61, ranks: [3, 1] });
    expect(fused[3]?.ranks).toEqual([undefined, 2]);
  });
});
