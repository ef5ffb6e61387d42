/** The library of documents: rows, an index of words, and vectors where a model is set. */

import { randomUUID } from 'node:crypto';
import type { Logger } from '@headwater/shared/stream/ports';
import { fuseByRank } from '@headwater/shared/text/retrieval/fuse';
import type { Database, Db } from '../database/database.ts';
import { and, eq, sql } from '../database/orm.ts';
import { documents } from '../database/schema/passages.ts';
import {
  listRecords,
  type RankedPassage,
  readPassages,
  readRecords,
  readText,
} from './document-records.ts';
import {
  deleteDocument,
  ensureCollection,
  findCollection,
  insertDocument,
  prepareDocument,
  stageSegment,
} from './document-store.ts';
import { createLexicalCache, type PassageKey, searchLexical } from './lexical-search.ts';
import type {
  DocumentRecord,
  NewDocument,
  PassageLibrary,
  PassageSearch,
} from './passage-library.ts';
import { createSegmentKeeper, type SegmentKeeper } from './segment-keeper.ts';
import { noVectors, type VectorIndex } from './vector-index.ts';

/** What a library needs. */
export interface LibraryPorts {
  readonly database: Database;
  readonly logger: Logger;
  nowMs(): number;
  /** Default none: words alone. */
  readonly vectors?: VectorIndex | undefined;
}

/** The best of each list that are fused. */
const FUSED_FROM = 50;

const DEFAULT_COLLECTION = 'default';

const keyOf = ({ documentId, ordinal }: PassageKey) => `${documentId}.${ordinal}`;

/** Opens it; the database is used only when it is needed. */
export function openPassageLibrary(
  ports: LibraryPorts,
): PassageLibrary & Pick<SegmentKeeper, 'idle'> {
  const { database, nowMs, vectors = noVectors('EMBEDDING_MODEL is not set') } = ports;
  const cache = createLexicalCache();
  const keeper = createSegmentKeeper(ports);

  async function withEmbedded(db: Db, records: readonly DocumentRecord[]) {
    const counts = await vectors.countOf(
      db,
      records.map(({ id }) => id),
    );
    return records.map((record) => ({ ...record, embedded: counts.get(record.id) ?? 0 }));
  }

  async function rank(
    db: Db,
    search: PassageSearch & { readonly collectionId: number },
    vector: readonly number[] | undefined,
  ): Promise<readonly RankedPassage[]> {
    const { limit } = search;
    if (vector === undefined) {
      const found = await searchLexical(db, cache, search);
      return found.map((key, at) => ({ ...key, score: 1 / (at + 1), lexicalRank: at + 1 }));
    }
    const most = Math.max(limit, FUSED_FROM);
    const lexical = await searchLexical(db, cache, { ...search, limit: most });
    const near = await vectors.search(db, { ...search, vector, limit: most });
    return fuseByRank([lexical, near], keyOf)
      .slice(0, limit)
      .map(({ item, score, ranks: [lexicalRank, vectorRank] }) => ({
        ...item,
        score,
        ...(lexicalRank === undefined ? {} : { lexicalRank }),
        ...(vectorRank === undefined ? {} : { vectorRank }),
      }));
  }

  async function add(
    document: NewDocument,
  ): Promise<{ readonly record: DocumentRecord; readonly isNew: boolean }> {
    const prepared = await prepareDocument(document);
    const { owner, collection, sha256 } = document;
    const { collectionId, known } = await database.use(async (db) => {
      const collectionId = await ensureCollection(db, owner, collection);
      return { collectionId, known: await readSame(db, collectionId, sha256) };
    });
    if (known !== undefined) return { record: known, isNew: false };
    const id = `doc_${randomUUID().replaceAll('-', '')}`;
    const stagedId = await stageSegment(database, collectionId, prepared, nowMs);
    const place = { id, collectionId, stagedId, nowMs: nowMs() };
    const added = await database.transaction(async (db) => {
      const isNew = await insertDocument(db, prepared, place);
      return { isNew, record: await readSame(db, collectionId, sha256) };
    });
    // Whoever was first has deleted it again.
    if (added.record === undefined) return add(document);
    keeper.changed(collectionId);
    if (added.isNew) vectors.changed();
    return { isNew: added.isNew, record: added.record };
  }

  return {
    add,
    list: (owner, page) =>
      database.use(async (db) => withEmbedded(db, await listRecords(db, owner, page))),
    get: (owner, id) =>
      database.use(async (db) => {
        const condition = and(eq(documents.id, id), eq(documents.owner, owner));
        const [record] = await withEmbedded(db, await readRecords(db, condition, 1));
        return record;
      }),
    textOf: (owner, id) => database.use((db) => readText(db, owner, id)),
    async remove(owner, id) {
      const gone = await database.transaction((db) => deleteDocument(db, owner, id));
      if (gone !== undefined) keeper.changed(gone.collectionId);
      return gone !== undefined;
    },
    async search(search) {
      if (search.documentIds?.length === 0) return [];
      const vector = await vectors.embedQuery(search.query);
      return database.transaction(async (db) => {
        // One snapshot for all of it: a merge in between would move what was found.
        await db.execute(sql`set transaction isolation level repeatable read, read only`);
        const { owner, collection = DEFAULT_COLLECTION } = search;
        const collectionId = await findCollection(db, owner, collection);
        if (collectionId === undefined) return [];
        return readPassages(db, await rank(db, { ...search, collectionId }, vector));
      });
    },
    look: () => ({ vectors: vectors.look() }),
    idle: keeper.idle,
    async close() {
      await Promise.all([keeper.close(), vectors.close()]);
    },
  };
}

/** The same file in the same collection. */
async function readSame(db: Db, collectionId: number, sha256: string) {
  const condition = and(eq(documents.collectionId, collectionId), eq(documents.sha256, sha256));
  const [record] = await readRecords(db, condition, 1);
  return record;
}
