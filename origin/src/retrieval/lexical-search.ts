/** Finds passages by their words: BM25 over the postings in the database. */

import {
  createBestPassages,
  type ScoredPassage,
} from '@headwater/shared/text/retrieval/best-passages';
import { addScores, normsOf, weightOfTerm } from '@headwater/shared/text/retrieval/bm25';
import { queryTermsOf } from '@headwater/shared/text/retrieval/query-terms';
import { blockOf, findInBlock } from '@headwater/shared/text/retrieval/term-blocks';
import type { Db } from '../database/database.ts';
import { sql } from '../database/orm.ts';
import { type BoundedCache, createBoundedCache } from './bounded-cache.ts';

/** Where, and for what. */
export interface LexicalQuery {
  readonly collectionId: number;
  readonly query: string;
  readonly limit: number;
  readonly documentIds?: readonly string[] | undefined;
}

/** A passage by its document. */
export interface PassageKey {
  readonly documentId: string;
  readonly ordinal: number;
}

/** Terms of a query that are looked up: further ones of a long text ask for nothing else. */
const MAX_TERMS = 128;

/**
 * Postings that one search reads, the rarest terms first: what a common word adds to the order is
 * little, and its postings are most of the work. At 100,000 passages a search is about 20 ms.
 */
const MAX_POSTINGS = 400_000;

/** Finds beyond the limit, in place of those whose documents turn out to be gone. */
const SPARE = 16;

/** Parts of segments that were read, in this process. Segments never change: it is never stale. */
export interface LexicalCache {
  readonly blocks: BoundedCache<Uint8Array>;
  readonly parts: BoundedCache<SegmentParts>;
}

/** Room for the words of some hundred thousand passages. */
const CACHED_BYTES = { blocks: 32 * 1024 * 1024, parts: 8 * 1024 * 1024 };

export const createLexicalCache = (): LexicalCache => ({
  blocks: createBoundedCache(CACHED_BYTES.blocks),
  parts: createBoundedCache(CACHED_BYTES.parts),
});

interface Segment extends Record<string, unknown> {
  readonly id: number;
  readonly passages: number;
  readonly terms: number;
}

/** Passages `[from, to)` of a segment. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * The best passages, best first. `db` MUST be one snapshot: a merge in between would move what was
 * found.
 */
export async function searchLexical(
  db: Db,
  cache: LexicalCache,
  search: LexicalQuery,
): Promise<PassageKey[]> {
  const counts = queryTermsOf(search.query);
  if (counts.size === 0 || search.limit < 1) return [];
  const { rows: segments } = await db.execute<Segment>(sql`
    select id, passages, terms from lexical_segments
    where collection_id = ${search.collectionId} and state = 'live' order by id`);
  if (segments.length === 0) return [];
  const ranges = search.documentIds && (await rangesOf(db, search.documentIds));
  const wanted = segments.filter(({ id }) => ranges === undefined || ranges.has(id));
  const parts = await readParts(db, cache, segments);
  const chosen = await readTerms(db, cache, parts, [...counts.keys()].slice(0, MAX_TERMS));

  const passages = segments.reduce((sum, segment) => sum + segment.passages, 0);
  const words = segments.reduce((sum, segment) => sum + segment.terms, 0);
  const scored = wanted.flatMap(({ id }) => {
    const norms = normsOf(parts.get(id)?.lengths ?? new Uint8Array(), words / passages);
    const scores = new Float64Array(norms.length);
    for (const { term, df, bytesOf } of chosen) {
      const bytes = bytesOf.get(id);
      const weight = weightOfTerm(df, passages) * (counts.get(term) ?? 1);
      if (bytes !== undefined) addScores(scores, norms, bytes, weight);
    }
    return { id, scores, seen: ranges?.get(id) ?? [{ from: 0, to: scores.length }] };
  });

  for (let most = search.limit + SPARE; ; most *= 4) {
    const best = createBestPassages(most);
    for (const { id, scores, seen } of scored) {
      for (const { from, to } of seen) best.see(id, scores, from, to);
    }
    const list = best.list();
    const found = await locate(db, list);
    if (found.length >= search.limit || list.length < most) return found.slice(0, search.limit);
  }
}

/** Where these documents are, by segment. */
async function rangesOf(db: Db, ids: readonly string[]): Promise<Map<number, Range[]>> {
  const { rows } = await db.execute<{ segment: number; from: number; to: number }>(sql`
    select segment_id as segment, first_passage as from, first_passage + passages as to
    from documents where id = any (${sql.param([...ids])}::text[])
    order by first_passage`);
  return Map.groupBy(rows, ({ segment }) => segment);
}

/** A term of the query. */
interface Term {
  readonly term: string;
  /** In all segments together. */
  readonly df: number;
  /** Its postings by segment. */
  readonly bytesOf: ReadonlyMap<number, Uint8Array>;
}

/** The rarest terms that fit into the bounds. */
async function readTerms(
  db: Db,
  cache: LexicalCache,
  parts: ReadonlyMap<number, SegmentParts>,
  names: readonly string[],
): Promise<Term[]> {
  const places = names.flatMap((term) =>
    [...parts].flatMap(([id, { firstTerms }]) => {
      const number = blockOf(firstTerms, term);
      return number === undefined ? [] : [{ term, id, number, key: `${id} ${number}` }];
    }),
  );
  const blocks = new Map<string, Uint8Array>();
  const missing = new Map<string, (typeof places)[number]>();
  for (const place of places) {
    const known = cache.blocks.get(place.key);
    if (known === undefined) missing.set(place.key, place);
    else blocks.set(place.key, known);
  }
  if (missing.size > 0) {
    const asked = [...missing.values()];
    const { rows } = await db.execute<{ id: number; number: number; bytes: string }>(sql`
      select block.segment_id as id, block.number, encode(block.bytes, 'base64') as bytes
      from unnest(
        ${sql.param(asked.map(({ id }) => id))}::int[],
        ${sql.param(asked.map(({ number }) => number))}::int[]
      ) as asked (id, number)
      join lexical_blocks as block
        on block.segment_id = asked.id and block.number = asked.number`);
    for (const { id, number, bytes: text } of rows) {
      const bytes = Buffer.from(text, 'base64');
      blocks.set(`${id} ${number}`, bytes);
      cache.blocks.set(`${id} ${number}`, bytes, bytes.length);
    }
  }
  const found = names.map((term) => ({ term, df: 0, bytesOf: new Map<number, Uint8Array>() }));
  const byName = new Map(found.map((entry) => [entry.term, entry]));
  for (const { term, id, key } of places) {
    const block = blocks.get(key);
    const postings = block && findInBlock(block, term);
    const entry = byName.get(term);
    if (postings === undefined || entry === undefined) continue;
    entry.df += postings.df;
    entry.bytesOf.set(id, postings.bytes);
  }
  return rarestOf(found.filter(({ df }) => df > 0));
}

function rarestOf(terms: readonly Term[]): Term[] {
  const rarest = terms.toSorted(
    (one, other) => one.df - other.df || (one.term < other.term ? -1 : 1),
  );
  let postings = 0;
  return rarest.filter(({ df }, at) => {
    postings += df;
    return at === 0 || postings <= MAX_POSTINGS;
  });
}

/** What a search needs of a segment beside its blocks. */
interface SegmentParts {
  readonly lengths: Uint8Array;
  readonly firstTerms: readonly string[];
}

async function readParts(
  db: Db,
  cache: LexicalCache,
  segments: readonly Segment[],
): Promise<Map<number, SegmentParts>> {
  const parts = new Map<number, SegmentParts>();
  const missing: number[] = [];
  for (const { id } of segments) {
    const known = cache.parts.get(String(id));
    if (known === undefined) missing.push(id);
    else parts.set(id, known);
  }
  if (missing.length === 0) return parts;
  const { rows } = await db.execute<{ id: number; lengths: Buffer; terms: string }>(sql`
    select id, lengths, first_terms as terms from lexical_segments
    where id = any (${sql.param(missing)}::int[])`);
  for (const { id, lengths, terms } of rows) {
    const known = { lengths, firstTerms: terms === '' ? [] : terms.split('\n') };
    parts.set(id, known);
    // A string of its own for each term takes more than its letters.
    cache.parts.set(
      String(id),
      known,
      lengths.length + terms.length + known.firstTerms.length * 24,
    );
  }
  return parts;
}

/** The documents of what was found; passages whose documents are gone are left out. */
async function locate(db: Db, list: readonly ScoredPassage[]): Promise<PassageKey[]> {
  if (list.length === 0) return [];
  const { rows } = await db.execute<{ id: string; ordinal: number }>(sql`
    select document.id, asked.passage - document.first_passage as ordinal
    from unnest(
      ${sql.param(list.map(({ segment }) => segment))}::int[],
      ${sql.param(list.map(({ passage }) => passage))}::int[]
    ) with ordinality as asked (segment, passage, n)
    cross join lateral (
      select id, first_passage, passages from documents
      where segment_id = asked.segment and first_passage <= asked.passage
      order by first_passage desc limit 1
    ) as document
    where asked.passage < document.first_passage + document.passages
    order by asked.n`);
  return rows.map(({ id, ordinal }) => ({ documentId: id, ordinal }));
}
