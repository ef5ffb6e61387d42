/** Tables of answers. */

import { bigint, index, integer, pgTable, text } from '../orm.ts';

/** Whole answers, kept for equal requests of the same subject. */
export const answerCache = pgTable(
  'answer_cache',
  {
    /** SHA-256 of the subject and all that shapes the answer. */
    key: text().primaryKey(),
    text: text().notNull(),
    /** As it was asked for. */
    model: text().notNull(),
    inputTokens: integer('input_tokens').notNull(),
    outputTokens: integer('output_tokens').notNull(),
    usageSource: text('usage_source', { enum: ['provider', 'tokenizer'] }).notNull(),
    createdAtMs: bigint('created_at_ms', { mode: 'number' }).notNull(),
    expiresAtMs: bigint('expires_at_ms', { mode: 'number' }).notNull(),
  },
  (table) => [index('answer_cache_by_expiry').on(table.expiresAtMs)],
);
