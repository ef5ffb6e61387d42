import { createHash } from 'node:crypto';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { BM25 } from '@headwater/shared/text/retrieval/bm25';
import { cutPassages } from '@headwater/shared/text/retrieval/chunk';
import { queryTermsOf } from '@headwater/shared/text/retrieval/query-terms';
import { termsOf } from '@headwater/shared/text/retrieval/terms';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Database } from '../database/database.ts';
import { sql } from '../database/orm.ts';
import { describeWithDatabases } from '../testing/describe-with-databases.ts';
import { mergeCollection } from './merge-segments.ts';
import { openPassageLibrary } from './open-library.ts';
import type { NewDocument } from './passage-library.ts';
import { BUILDER_LEASE_MS } from './segment-store.ts';

const logger = createSilentLogger();
let owners = 0;
const newOwner = () => {
  owners += 1;
  return `owner-${owners}`;
};

/** A document of these passages, each a paragraph. */
function documentOf(owner: string, texts: readonly string[], more: Partial<NewDocument> = {}) {
  const text = texts.join('\n\n');
  let at = 0;
  const passages = texts.map((own) => {
    const start = at;
    at += own.length + 2;
    return { start, end: start + own.length, heading: '' };
  });
  const document: NewDocument = {
    owner,
    collection: 'default',
    title: texts[0]?.slice(0, 20) ?? 'empty',
    mediaType: 'text/plain',
    bytes: text.length,
    sha256: createHash('sha256').update(JSON.stringify(texts)).digest('hex'),
    metadata: {},
    content: { text, blocks: [] },
    passages,
    ...more,
  };
  return document;
}

const numbersOf = async (database: Database, owner: string) => {
  const { rows } = await database.use((db) =>
    db.execute<{ live: number; other: number; dead: number; blocks: number }>(sql`
      select count(*) filter (where state = 'live')::int as live,
        count(*) filter (where state <> 'live')::int as other,
        coalesce(sum(dead), 0)::int as dead,
        (select count(*)::int from lexical_blocks as block where block.segment_id in (
          select segment.id from lexical_segments as segment
          join collections on collections.id = segment.collection_id
          where collections.owner = ${owner})) as blocks
      from lexical_segments as segment
      join collections on collections.id = segment.collection_id
      where collections.owner = ${owner}`),
  );
  return rows[0];
};

describeWithDatabases('a library of documents', (database) => {
  const open = () => openPassageLibrary({ database: database(), logger, nowMs: Date.now });

  it('FIND-9: keeps a document with its offsets, its text and its passages', async () => {
    const library = open();
    const owner = newOwner();
    const content = {
      text: 'Rivers\n\nThe Nile flows north.\0 \ud800 The Amazon is wide.',
      blocks: [
        { kind: 'heading', level: 1, start: 0, end: 6 },
        { kind: 'paragraph', start: 8, end: 55, page: 3 },
      ] as const,
    };
    const metadata = { tags: ['a\0b'], year: 1999 };
    const { record, isNew } = await library.add(
      documentOf(owner, [], {
        title: 'Rivers',
        sourceUrl: 'https://a.example/rivers',
        metadata,
        content,
        passages: cutPassages(content),
        sha256: 'a',
      }),
    );
    expect(isNew).toBe(true);
    expect(record).toMatchObject({
      owner,
      collection: 'default',
      title: 'Rivers',
      sourceUrl: 'https://a.example/rivers',
      metadata: { tags: ['a\uFFFDb'], year: 1999 },
      chars: content.text.length,
      passages: 1,
      embedded: 0,
    });
    expect(record.id).toMatch(/^doc_[0-9a-f]{32}$/);
    expect(await library.get(owner, record.id)).toEqual(record);
    const text = await library.textOf(owner, record.id);
    expect(text).toHaveLength(content.text.length);
    const [found] = await library.search({ owner, query: 'wide Amazon', limit: 5 });
    expect(found).toMatchObject({ documentId: record.id, title: 'Rivers', heading: 'Rivers' });
    expect(found).toMatchObject({ lexicalRank: 1, passageId: `${record.id}.0` });
    expect(text?.slice(found?.start, found?.end)).toBe(found?.text);
    await library.close();
  });

  it('FIND-9: keeps the same file of a collection once, also of two at the same moment', async () => {
    const library = open();
    const other = open();
    const owner = newOwner();
    const document = documentOf(owner, ['One river.', 'One sea.']);
    const both = await Promise.all([library.add(document), other.add(document)]);
    expect(both.map(({ isNew }) => isNew).sort()).toEqual([false, true]);
    expect(both[0]?.record).toEqual(both[1]?.record);
    const elsewhere = await library.add({ ...document, collection: 'other' });
    expect(elsewhere.isNew).toBe(true);
    expect(await library.search({ owner, query: 'river', limit: 9 })).toHaveLength(1);
    await Promise.all([library.close(), other.close()]);
  });

  it('FIND-9: shows an owner its own documents, newest first', async () => {
    let nowMs = 1000;
    const library = openPassageLibrary({ database: database(), logger, nowMs: () => nowMs++ });
    const [owner, stranger] = [newOwner(), newOwner()];
    const ids: string[] = [];
    for (const word of ['one', 'two', 'three', 'four']) {
      const document = documentOf(owner, [`The river ${word}.`]);
      const collection = word === 'four' ? 'apart' : 'default';
      ids.unshift((await library.add({ ...document, collection })).record.id);
    }
    const list = async (page: Parameters<typeof library.list>[1]) =>
      (await library.list(owner, page)).map(({ id }) => id);
    expect(await list({ limit: 10 })).toEqual(ids);
    expect(await list({ limit: 2 })).toEqual(ids.slice(0, 2));
    expect(await list({ limit: 2, after: ids[1] })).toEqual(ids.slice(2));
    expect(await list({ limit: 9, collection: 'default' })).toEqual(ids.slice(1));
    expect(await list({ limit: 9, after: 'doc_unknown' })).toEqual([]);
    const id = ids[0] ?? '';
    expect(await library.list(stranger, { limit: 10 })).toEqual([]);
    expect(await library.get(stranger, id)).toBeUndefined();
    expect(await library.textOf(stranger, id)).toBeUndefined();
    expect(await library.remove(stranger, id)).toBe(false);
    expect(await library.search({ owner: stranger, query: 'river', limit: 9 })).toEqual([]);
    const search = { owner, query: 'river', limit: 9 };
    expect(await library.search(search)).toHaveLength(3);
    expect(await library.search({ ...search, collection: 'apart' })).toHaveLength(1);
    const documentIds = [ids[2] ?? '', id, 'doc_unknown'];
    const some = await library.search({ ...search, documentIds });
    expect(some.map(({ documentId }) => documentId)).toEqual([ids[2]]);
    expect(await library.search({ ...search, documentIds: [] })).toEqual([]);
    await library.close();
  });

  it('FIND-10: finds nothing of a document that is gone, and more of others in its place', async () => {
    const library = open();
    const owner = newOwner();
    const rivers = Array.from({ length: 60 }, (_, n) => `river river ${n}`);
    const best = await library.add(documentOf(owner, rivers));
    await library.add(documentOf(owner, ['A river of much else to read about here.', 'A sea.']));
    expect(await library.search({ owner, query: 'river', limit: 5 })).toHaveLength(5);
    expect(await library.remove(owner, best.record.id)).toBe(true);
    expect(await library.remove(owner, best.record.id)).toBe(false);
    const left = await library.search({ owner, query: 'river', limit: 5 });
    expect(left.map(({ text }) => text)).toEqual(['A river of much else to read about here.']);
    await library.idle();
    expect(await numbersOf(database(), owner)).toMatchObject({ live: 1, other: 0, dead: 0 });
    await library.close();
  });

  it('FIND-11: ranks as the formula over all passages does, whatever was added, joined and deleted', async () => {
    const word = fc.constantFrom('ada', 'bert', 'cleo', 'dora', 'emil', 'fritz', 'gerd', 'ida');
    const passage = fc.array(word, { minLength: 1, maxLength: 12 }).map((all) => all.join(' '));
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.array(passage, { minLength: 1, maxLength: 6 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 30 }) },
    );
    const steps = fc.array(step, { minLength: 12, maxLength: 30 });
    const queries = fc.array(fc.uniqueArray(word, { minLength: 1, maxLength: 3 }), {
      minLength: 2,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(steps, queries, async (all, wanted) => {
        const library = open();
        const owner = newOwner();
        const kept: { readonly id: string; readonly texts: readonly string[] }[] = [];
        for (const [at, one] of all.entries()) {
          if (typeof one === 'number') {
            const [gone] = kept.splice(one % Math.max(1, kept.length), 1);
            if (gone !== undefined) await library.remove(owner, gone.id);
          } else {
            const document = documentOf(owner, one, { sha256: String(at) });
            kept.push({ id: (await library.add(document)).record.id, texts: one });
          }
        }
        await library.idle();
        await purge(database(), owner);
        const passages = kept.flatMap(({ id, texts }) =>
          texts.map((text, ordinal) => ({ id: `${id}.${ordinal}`, text })),
        );
        for (const words of wanted) {
          const scores = scoresOf(passages, words.join(' '));
          const found = await library.search({ owner, query: words.join(' '), limit: 10 });
          const best = [...scores.values()].filter((score) => score > 0).sort((a, b) => b - a);
          const got = found.map(({ passageId }) => scores.get(passageId) ?? -1);
          expect(got.map((score) => score.toFixed(9))).toEqual(
            best.slice(0, 10).map((score) => score.toFixed(9)),
          );
        }
        await library.close();
      }),
      { numRuns: 12, seed: 7 },
    );
  }, 120_000);

  it('FIND-12: joins segments, and keeps no row of what they replaced', async () => {
    const library = open();
    const owner = newOwner();
    for (let n = 0; n < 40; n += 1) {
      await library.add(documentOf(owner, [`The river number${n}.`, `The sea number${n}.`]));
    }
    await library.idle();
    const numbers = await numbersOf(database(), owner);
    expect(numbers?.live).toBeLessThan(16);
    expect(numbers).toMatchObject({ other: 0, dead: 0, blocks: numbers?.live });
    for (const n of [0, 17, 39]) {
      const [first] = await library.search({ owner, query: `river number${n}`, limit: 3 });
      expect(first?.text).toBe(`The river number${n}.`);
    }
    await library.close();
  });

  it('FIND-12: a merge that is given up, or whose process died, changes nothing', async () => {
    const library = open();
    const owner = newOwner();
    for (let n = 0; n < 7; n += 1) await library.add(documentOf(owner, [`The river ${n}.`]));
    await library.close();
    const last = openPassageLibrary({ database: database(), logger, nowMs: () => 1_000_001 });
    const { rows } = await database().use((db) =>
      db.execute<{ id: number }>(sql`select id from collections where owner = ${owner}`),
    );
    const collectionId = rows[0]?.id ?? 0;
    // As a process that claimed them and was killed: nobody else touches them for a while.
    await database().use((db) =>
      db.execute(sql`
        insert into lexical_segments
          (collection_id, state, passages, terms, lengths, first_terms, sources, seen_at_ms)
        select ${collectionId}, 'building', 7, 14, '', '', array_agg(id), 1000000
        from lexical_segments where collection_id = ${collectionId}`),
    );
    await last.add(documentOf(owner, ['The river 8.']));
    await last.idle();
    const search = { owner, query: 'river', limit: 20 };
    expect(await last.search(search)).toHaveLength(8);
    expect(await numbersOf(database(), owner)).toMatchObject({ live: 8, other: 1 });
    const { signal } = new AbortController();
    const nowMs = () => 1_000_001 + BUILDER_LEASE_MS;
    // Stopped in its first step, and then not.
    const stop = new AbortController();
    const stopping: Database = {
      ...database(),
      use(work) {
        stop.abort();
        return database().use(work);
      },
    };
    await mergeCollection({ database: stopping, nowMs, stop: stop.signal }, collectionId);
    expect(await last.search(search)).toHaveLength(8);
    await mergeCollection({ database: database(), nowMs, stop: signal }, collectionId);
    expect(await numbersOf(database(), owner)).toMatchObject({ live: 1, other: 0 });
    expect(await last.search(search)).toHaveLength(8);
    await last.close();
  });

  it('FIND-12: two instances that join at the same time lose nothing', async () => {
    const libraries = [open(), open()];
    const owner = newOwner();
    await Promise.all(
      libraries.map(async (library, which) => {
        for (let n = 0; n < 20; n += 1) {
          const { record } = await library.add(documentOf(owner, [`River ${which} ${n}.`]));
          if (n % 5 === 4) await library.remove(owner, record.id);
        }
      }),
    );
    await Promise.all(libraries.map((library) => library.idle()));
    for (const library of libraries) {
      expect(await library.search({ owner, query: 'river', limit: 50 })).toHaveLength(32);
      await library.close();
    }
  });

  it('FIND-12: a large document is indexed in steps, and found as one', async () => {
    const library = open();
    const owner = newOwner();
    const texts = Array.from({ length: 1500 }, (_, n) =>
      Array.from({ length: 30 }, (_, m) => `word${n}x${m}`).join(' '),
    );
    const { record } = await library.add(documentOf(owner, texts));
    expect(record.passages).toBe(1500);
    const [found] = await library.search({ owner, query: 'word1234x7', limit: 1 });
    expect(found?.passageId).toBe(`${record.id}.1234`);
    expect((await numbersOf(database(), owner))?.blocks).toBeGreaterThan(256);
    await library.close();
  }, 60_000);

  it('FIND-6: a query of nothing finds nothing', async () => {
    const library = open();
    const owner = newOwner();
    await library.add(documentOf(owner, ['The river.', '']));
    for (const query of ['', ' ?! ', 'unheardof', '\0']) {
      expect(await library.search({ owner, query, limit: 3 })).toEqual([]);
    }
    expect(await library.search({ owner, query: 'the', limit: 3 })).toHaveLength(1);
    expect(library.look().vectors).toEqual({ state: 'off', reason: 'EMBEDDING_MODEL is not set' });
    await library.close();
  });
});

/** Rewrites every segment that holds passages of deleted documents, which count until then. */
async function purge(database: Database, owner: string): Promise<void> {
  const mine = sql`collection_id in (select id from collections where owner = ${owner})`;
  await database.use((db) =>
    db.execute(sql`update lexical_segments set dead = passages where dead > 0 and ${mine}`),
  );
  const { rows } = await database.use((db) =>
    db.execute<{ id: number }>(sql`select id from collections where owner = ${owner}`),
  );
  const stop = new AbortController().signal;
  for (const { id } of rows) await mergeCollection({ database, nowMs: Date.now, stop }, id);
}

/** BM25 by its formula, passage by passage. */
function scoresOf(
  passages: readonly { readonly id: string; readonly text: string }[],
  query: string,
) {
  const bags = passages.map(({ text }) => termsOf(text));
  const mean = bags.reduce((sum, bag) => sum + bag.length, 0) / bags.length;
  const scores = new Map<string, number>();
  for (const [at, bag] of bags.entries()) {
    let score = 0;
    for (const [term, times] of queryTermsOf(query)) {
      const df = bags.filter((other) => other.includes(term)).length;
      const tf = bag.filter((other) => other === term).length;
      const idf = Math.log(1 + (bags.length - df + 0.5) / (df + 0.5));
      const norm = BM25.k1 * (1 - BM25.b + (BM25.b * bag.length) / mean);
      score += (times * idf * tf * (BM25.k1 + 1)) / (tf + norm);
    }
    scores.set(passages[at]?.id ?? '', score);
  }
  return scores;
}
