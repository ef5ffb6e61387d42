/** Tables of documents, their passages, and the index that finds them. */

import {
  bigint,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  sql,
  text,
  uniqueIndex,
} from '../orm.ts';

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' });

/** Documents that are searched together. */
export const collections = pgTable(
  'collections',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    owner: text().notNull(),
    name: text().notNull(),
  },
  (table) => [uniqueIndex('collections_by_owner').on(table.owner, table.name)],
);

/** A document without its text. */
export const documents = pgTable(
  'documents',
  {
    id: text().primaryKey(),
    owner: text().notNull(),
    collectionId: integer('collection_id')
      .notNull()
      .references(() => collections.id),
    title: text().notNull(),
    mediaType: text('media_type').notNull(),
    bytes: bigint({ mode: 'number' }).notNull(),
    sha256: text().notNull(),
    sourceUrl: text('source_url'),
    metadata: jsonb().notNull(),
    chars: integer().notNull(),
    passages: integer().notNull(),
    /** Where it is in the lexical index: these passages of this segment, from the first one on. */
    segmentId: integer('segment_id').notNull(),
    firstPassage: integer('first_passage').notNull(),
    createdAtMs: bigint('created_at_ms', { mode: 'number' }).notNull(),
  },
  (table) => [
    uniqueIndex('documents_by_content').on(table.collectionId, table.sha256),
    index('documents_by_owner').on(table.owner, table.createdAtMs, table.id),
    index('documents_by_segment').on(table.segmentId, table.firstPassage),
  ],
);

/** Apart from the documents, whose rows are read much more often. */
export const documentTexts = pgTable('document_texts', {
  documentId: text('document_id')
    .primaryKey()
    .references(() => documents.id, { onDelete: 'cascade' }),
  text: text().notNull(),
});

/** A piece of a document's text, with its offsets in it. */
export const passages = pgTable(
  'passages',
  {
    documentId: text('document_id')
      .notNull()
      .references(() => documents.id, { onDelete: 'cascade' }),
    ordinal: integer().notNull(),
    startOffset: integer('start_offset').notNull(),
    endOffset: integer('end_offset').notNull(),
    heading: text().notNull(),
    page: integer(),
    text: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.documentId, table.ordinal] })],
);

/** An immutable part of a collection's lexical index; its passages are numbered from 0. */
export const lexicalSegments = pgTable(
  'lexical_segments',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    collectionId: integer('collection_id')
      .notNull()
      .references(() => collections.id),
    /** Only `live` ones are searched; `retired` ones are deleted bit by bit. */
    state: text({ enum: ['live', 'building', 'retired'] }).notNull(),
    passages: integer().notNull(),
    /** Passages whose documents are gone. */
    dead: integer().notNull().default(0),
    terms: integer().notNull(),
    lengths: bytea().notNull(),
    /** The first term of each block, one a line. */
    firstTerms: text('first_terms').notNull(),
    /** Of one that is being built: the segments it will replace. */
    sources: integer().array(),
    /** When its builder was last seen. */
    seenAtMs: bigint('seen_at_ms', { mode: 'number' }),
  },
  (table) => [
    index('lexical_segments_by_collection').on(table.collectionId, table.state),
    index('lexical_segments_retired').on(table.id).where(sql`${table.state} = 'retired'`),
  ],
);

/** The terms of a segment with their postings; see `term-blocks.ts` for the bytes. */
export const lexicalBlocks = pgTable(
  'lexical_blocks',
  {
    segmentId: integer('segment_id').notNull(),
    number: integer().notNull(),
    bytes: bytea().notNull(),
  },
  (table) => [primaryKey({ columns: [table.segmentId, table.number] })],
);
