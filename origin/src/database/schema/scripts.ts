/** Tables of scripts: what was asked for and came of it, and callers' own templates. */

import { bigint, boolean, index, integer, pgTable, primaryKey, text, uniqueIndex } from '../orm.ts';

/**
 * A script that was asked for. JSON is kept as text: it may hold characters that Postgres refuses in
 * `jsonb`.
 */
export const generations = pgTable(
  'generations',
  {
    id: text().primaryKey(),
    owner: text().notNull(),
    projectId: text('project_id').notNull(),
    /** JSON: the request, as it was when it was accepted. */
    request: text().notNull(),
    templateId: text('template_id').notNull(),
    templateVersion: integer('template_version').notNull(),
    /** JSON: a list of texts. */
    warnings: text().notNull(),
    idempotencyKey: text('idempotency_key'),
    fingerprint: text().notNull(),
    createdAtMs: bigint('created_at_ms', { mode: 'number' }).notNull(),
    /** True once the outcome below is noted, for good. */
    isOver: boolean('is_over').notNull().default(false),
    status: text({
      enum: ['queued', 'running', 'succeeded', 'failed', 'canceled', 'timed_out'],
    }).notNull(),
    progress: integer('progress_millis').notNull().default(0),
    startedAtMs: bigint('started_at_ms', { mode: 'number' }),
    finishedAtMs: bigint('finished_at_ms', { mode: 'number' }),
    /** The script, or as much of it as was written. */
    text: text().notNull().default(''),
    /** JSON: what the engine gave beside the text. */
    result: text(),
    /** JSON. */
    error: text(),
  },
  (table) => [
    index('generations_by_owner').on(table.owner, table.createdAtMs, table.id),
    index('generations_by_project').on(table.owner, table.projectId, table.createdAtMs),
    index('generations_by_end').on(table.isOver, table.createdAtMs),
    uniqueIndex('generations_by_key').on(table.owner, table.idempotencyKey),
  ],
);

/** Every version of every template that a caller keeps. */
export const scriptTemplates = pgTable(
  'script_templates',
  {
    owner: text().notNull(),
    id: text().notNull(),
    version: integer().notNull(),
    scriptType: text('script_type').notNull(),
    /** JSON: all that is not in a column. */
    body: text().notNull(),
    createdAtMs: bigint('created_at_ms', { mode: 'number' }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.owner, table.id, table.version] }),
    index('script_templates_by_type').on(table.owner, table.scriptType),
  ],
);
