/** Tables of conversations. */

import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  sql,
  text,
  uniqueIndex,
} from '../orm.ts';

/** A conversation of one caller. */
export const chatSessions = pgTable(
  'chat_sessions',
  {
    id: text().primaryKey(),
    owner: text().notNull(),
    system: text(),
    /** Number of the next message; numbers only grow, and a withdrawn turn leaves a hole. */
    nextSeq: integer('next_seq').notNull(),
    messageCount: integer('message_count').notNull(),
    summary: text(),
    summaryTokens: integer('summary_tokens').notNull().default(0),
    /** The summary tells of the messages up to this number. */
    summarySeq: integer('summary_seq').notNull().default(0),
    createdAtMs: bigint('created_at_ms', { mode: 'number' }).notNull(),
    lastUsedAtMs: bigint('last_used_at_ms', { mode: 'number' }).notNull(),
  },
  (table) => [
    index('chat_sessions_by_owner').on(table.owner, table.createdAtMs, table.id),
    index('chat_sessions_by_use').on(table.lastUsedAtMs),
  ],
);

/** What was said in them: a user's message, and after it what was answered. */
export const chatMessages = pgTable(
  'chat_messages',
  {
    sessionId: text('session_id')
      .notNull()
      .references(() => chatSessions.id, { onDelete: 'cascade' }),
    seq: integer().notNull(),
    id: text().notNull(),
    role: text({ enum: ['user', 'assistant'] }).notNull(),
    content: text().notNull(),
    tokens: integer().notNull(),
    /** `lost`: an answer whose stream nobody knows any more. */
    status: text({ enum: ['pending', 'completed', 'failed', 'cancelled', 'lost'] }).notNull(),
    streamId: text('stream_id'),
    /** SHA-256 of the owner, the conversation and the `Idempotency-Key` of the request. */
    turnKey: text('turn_key'),
    /** SHA-256 of what the request asked for. */
    fingerprint: text(),
    model: text(),
    provider: text(),
    finishReason: text('finish_reason'),
    usage: jsonb(),
    cost: jsonb(),
    error: jsonb(),
    isCached: boolean('is_cached').notNull().default(false),
    /** What the caller is told of the turn beside its text. */
    facts: jsonb(),
    createdAtMs: bigint('created_at_ms', { mode: 'number' }).notNull(),
    endedAtMs: bigint('ended_at_ms', { mode: 'number' }),
  },
  (table) => [
    primaryKey({ columns: [table.sessionId, table.seq] }),
    uniqueIndex('chat_messages_by_id').on(table.id),
    uniqueIndex('chat_messages_by_turn_key').on(table.turnKey),
    // At most one answer of a conversation is being written.
    uniqueIndex('chat_messages_pending')
      .on(table.sessionId)
      .where(sql`${table.status} = 'pending'`),
  ],
);
