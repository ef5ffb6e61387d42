/** Tables of characters. */

import { bigint, index, integer, pgTable, primaryKey, text } from '../orm.ts';
import { chatSessions } from './chat.ts';

/** Characters that callers keep. */
export const characters = pgTable(
  'characters',
  {
    owner: text().notNull(),
    /** Each owner has ids of its own. */
    id: text().notNull(),
    name: text().notNull(),
    /** Who it is, in one sentence; `''` where its details say none. */
    summary: text().notNull(),
    /** JSON as it came: a text keeps what `jsonb` refuses, such as an escaped NUL. */
    details: text().notNull(),
    /** Counts from 1, one more with each change. */
    version: integer().notNull(),
    createdAtMs: bigint('created_at_ms', { mode: 'number' }).notNull(),
    updatedAtMs: bigint('updated_at_ms', { mode: 'number' }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.owner, table.id] }),
    index('characters_by_age').on(table.owner, table.createdAtMs),
  ],
);

/** Conversations with a character, which stays the same in each. */
export const characterSessions = pgTable('character_sessions', {
  sessionId: text('session_id')
    .primaryKey()
    .references(() => chatSessions.id, { onDelete: 'cascade' }),
  /** SHA-256 of the details that began it. */
  details: text().notNull(),
  name: text().notNull(),
  /** `''`: the engine's default. */
  voice: text().notNull(),
});
